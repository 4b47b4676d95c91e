"""Pacing policies on pages: each change is a new version; a page tries them out."""

from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms.models import construct_instance
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from channels.admin.pacing_try import TryForm
from channels.models import Message, PacingPolicy, Reason
from channels.pacing import policies
from channels.pacing.words import about, says
from customers import clock
from customers.admin.base import Kept, table
from customers.admin.guarded import GuardedList
from customers.admin.show import flag, state, when

if TYPE_CHECKING:
    PolicyModelForm = forms.ModelForm[PacingPolicy]
else:
    PolicyModelForm = forms.ModelForm

_CAP: Final = (_("A cap"), {"fields": ("most", "span", "unit")})
_HOURS: Final = (_("Hours of the day"), {"fields": (("starts", "ends"), "days")})
_HELD: Final = (Reason.CAPPED, Reason.QUIET_HOURS)
_DAYS: Final = 30


class PolicyForm(PolicyModelForm):
    class Meta:
        model = PacingPolicy
        fields = ("name", "brand", "kind", "channel", "purpose_kind", "purpose", "most", "span", "unit", "starts",
                  "ends", "days", "reason")  # fmt: skip

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            tried = construct_instance(self, copy(self.instance), self._meta.fields)
            try:
                policies.check(tried)
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


class Newest(GuardedList):
    """Of each policy its last version."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        last = PacingPolicy.objects.order_by("policy_id", "-number").distinct("policy_id").values("pk")
        return found.filter(pk__in=last)


@admin.register(PacingPolicy)
class PacingPolicyAdmin(Kept):
    form = PolicyForm
    list_display = (
        "name",
        "brand_or_all",
        state("kind", {}, _("kind")),
        "says",
        "about",
        when("valid_from", _("since")),
        "author",
        flag("valid_to", (_("ended"), ""), (_("in force"), "good")),
    )
    list_filter = ("brand", "kind", ("valid_to", admin.EmptyFieldListFilter))
    list_select_related = ("brand", "purpose", "author")
    list_before_template = "admin/channels/pacing_link.html"
    search_fields = ("name", "reason")
    search_help_text = _("A part of the name or of the reason.")
    autocomplete_fields = ("brand", "purpose")
    actions = ("put_out_of_force",)
    when_empty = _(
        "Nobody is kept from being written to too much, or at night. A cap of a few marketing messages a week and quiet"
        " hours are a good beginning."
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[GuardedList]:
        return Newest

    def has_change_permission(self, request: HttpRequest, obj: PacingPolicy | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.valid_to is None)

    def get_readonly_fields(self, request: HttpRequest, obj: PacingPolicy | None = None) -> Any:
        return () if obj is None else ("brand", "kind", "affected", "versions")

    def get_fieldsets(self, request: HttpRequest, obj: PacingPolicy | None = None) -> Any:
        first = (None, {"fields": ("name", "brand", "kind")})
        which = (_("Which messages"), {"fields": ("channel", "purpose_kind", "purpose")})
        why = (_("Why"), {"fields": ("reason",)})
        if obj is None:
            return (first, which, _CAP, _HOURS, why)
        own = _CAP if obj.kind == PacingPolicy.Kind.CAP else _HOURS
        return (first, which, own, why, (_("What comes of it"), {"fields": ("affected", "versions")}))

    def save_model(self, request: HttpRequest, obj: PacingPolicy, form: Any, change: bool) -> None:
        by, now = request.user.pk, clock.utcnow()
        try:
            (policies.change if change else policies.make)(obj, by, now)
        except (policies.Ended, ValidationError):
            # Somebody else was quicker: what was looked at is not what would be changed, or be heeded beside others.
            raise PermissionDenied from None
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Put out of force"), permissions=["change"])
    def put_out_of_force(self, request: HttpRequest, queryset: QuerySet[PacingPolicy]) -> None:
        now = clock.utcnow()
        count = sum(policies.end(one, now) for one in queryset.values_list("policy_id", flat=True))
        text = ngettext("%(count)s is out of force.", "%(count)s are out of force.", count)
        self.message_user(request, text % {"count": count})

    @admin.display(description=_("brand"), ordering="brand__name")
    def brand_or_all(self, policy: PacingPolicy) -> Any:
        return policy.brand or _("all brands")

    @admin.display(description=_("what it says"))
    def says(self, policy: PacingPolicy) -> str:
        return says(policy)

    @admin.display(description=_("messages"))
    def about(self, policy: PacingPolicy) -> str:
        return about(policy)

    @admin.display(description=_("whom it holds back"))
    def affected(self, policy: PacingPolicy) -> str:
        return _affected(policy)

    @admin.display(description=_("versions"))
    def versions(self, policy: PacingPolicy) -> SafeString | str:
        rows = PacingPolicy.objects.filter(policy_id=policy.policy_id).select_related("purpose", "author", "brand")
        return table(
            (
                _("version"),
                _("what it says"),
                _("messages"),
                _("in force from"),
                _("in force until"),
                _("by"),
                _("reason"),
            ),
            (
                (one.number, says(one), about(one), one.valid_from, one.valid_to, one.author, one.reason)
                for one in rows.order_by("-number")
            ),
        )

    def get_urls(self) -> Any:
        attempt = path("try/", self.admin_site.admin_view(self.attempt), name="channels_pacingpolicy_try")
        return [attempt, *super().get_urls()]

    def attempt(self, request: HttpRequest) -> HttpResponse:
        """What would become of a message at a moment, policy by policy."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TryForm(request.user, request.GET if request.GET.get("brand") else None)
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Try pacing out"),
            "form": form,
            "answer": form.answer() if form.is_bound and form.is_valid() else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/channels/pacing_try.html", context)


def _affected(policy: PacingPolicy) -> str:
    """Counts over all versions; by the index of reasons, so what is older than a month is not looked at."""
    ids = [str(one) for one in PacingPolicy.objects.filter(policy_id=policy.policy_id).values_list("pk", flat=True)]
    since = clock.utcnow() - timedelta(days=_DAYS)
    rows = Message.objects.filter(reason__in=_HELD, created_at__gt=since, decision__pacing__policy__in=ids)
    held = rows.filter(state=Message.State.HELD).count()
    never = rows.filter(state=Message.State.SUPPRESSED)
    text = _("%(held)s held now; in %(days)s days %(never)s not sent, to %(people)s people.")
    people = never.values("profile__customer_id").distinct().count()
    return str(text % {"held": held, "days": _DAYS, "never": never.count(), "people": people})
