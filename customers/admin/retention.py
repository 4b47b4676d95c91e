"""How long everything is kept, what would go now, and what went."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import clock
from customers.admin.base import AnyAdmin, Facts
from customers.admin.show import when
from customers.models import Brand, RetentionRecord, RetentionRule
from customers.retention import apply, kinds
from customers.retention.months import missing
from customers.retention.ours import ALWAYS
from customers.retention.plan import plan


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    kind = forms.ChoiceField(label=_("what"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            choices = [(one.key, one.label) for one in kinds.kinds().values()]
            self.fields["kind"].choices = choices  # type: ignore[attr-defined]  # a choice field, see above

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        kind = kinds.kinds().get(self.cleaned_data.get("kind", ""))
        days = self.cleaned_data.get("days")
        if kind is None or days is None:
            return cleaned
        if self.cleaned_data.get("brand") is not None and not kind.brand:
            self.add_error("brand", ValidationError(_("This is of no single brand."), code="no_brand"))
        if kind.as_long_as:
            rules = {(rule.kind, rule.brand_id): rule.days for rule in RetentionRule.objects.all()}
            least = kinds.general_days(kinds.kinds()[kind.as_long_as], rules)
            if days < least:
                text = _("What it belongs to is kept for %(days)s days: this is kept as long at least.")
                self.add_error("days", ValidationError(text, params={"days": least}, code="too_short"))
        return cleaned


@admin.register(RetentionRule)
class RetentionRuleAdmin(AnyAdmin):
    form = RuleForm
    list_display = ("what", "brand", "days")
    list_filter = ("brand",)
    list_select_related = ("brand",)
    list_before_template = "admin/customers/retention_link.html"
    fields = ("kind", "brand", "days")
    when_empty = _("Everything is kept as long as the product says. Add a rule where you keep it longer or shorter.")

    @admin.display(description=_("what"), ordering="kind")
    def what(self, rule: RetentionRule) -> str:
        return _label(rule.kind)

    def get_urls(self) -> Any:
        overview = path("overview/", self.admin_site.admin_view(self.overview), name="customers_retentionrule_overview")
        return [overview, *super().get_urls()]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """What is kept for how long; what would go, if asked for; by POST, have it go."""
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            job = apply.ask(clock.utcnow(), request.user)
            self.message_user(request, gettext("A job takes it away; its page says how far it is."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:customers_job_change", args=[job.pk]))
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = clock.utcnow()
        brands: dict[UUID | None, str] = dict(Brand.objects.visible_to(request.user).values_list("pk", "name"))
        last = dict(RetentionRecord.objects.order_by().values_list("kind").annotate(last=Max("at")))
        shares = [one for one in kinds.shares(now) if one.brand_id is None or one.brand_id in brands]
        going = [one for one in plan(now) if one.share in shares] if "count" in request.GET else []
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": _("Retention"),
            "shares": [(one, brands.get(one.brand_id, ""), last.get(one.kind.key)) for one in shares],
            "is_counted": "count" in request.GET,
            "going": [(one, brands.get(one.share.brand_id, "")) for one in going],
            "rows": sum(one.rows for one in going),
            "always": ALWAYS,
            "missing": missing(now),
            "now": now,
            "may_apply": self.has_change_permission(request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/customers/retention.html", context)


@admin.register(RetentionRecord)
class RetentionRecordAdmin(Facts):
    list_display = (
        "what",
        "brand",
        "partition",
        "rows",
        when("oldest", _("the oldest")),
        when("newest", _("the newest")),
        when("at", _("taken")),
    )
    list_filter = ("kind", "brand")
    list_select_related = ("brand",)
    search_fields = ("partition", "kind")
    when_empty = _("Nothing was taken away yet. What goes when its time is over leaves its count here.")

    @admin.display(description=_("what"))
    def what(self, record: RetentionRecord) -> str:
        return _label(record.kind)


def _label(key: str) -> str:
    kind = kinds.kinds().get(key)
    return str(kind.label) if kind else key
