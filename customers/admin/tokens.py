"""Partner tokens: issued, rotated and revoked, never edited; and the answers kept for calls that name themselves."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from customers import clock, tokens
from customers.admin.base import Facts, Kept
from customers.admin.show import badge, state, when
from customers.models import KeptAnswer, PartnerToken, Scope, Source, WriteKey
from customers.tokens import NotIssued
from customers.visibility import may_change

if TYPE_CHECKING:
    TokenModelForm = forms.ModelForm[PartnerToken]
else:
    TokenModelForm = forms.ModelForm

OVERLAP: Final = timedelta(days=7)
_LIFE: Final = timedelta(days=365)


class TokenForm(TokenModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("As few as it needs. Without the scope for personal values they are masked."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_at" in self.fields:
            self.fields["expires_at"].initial = clock.utcnow().replace(microsecond=0) + _LIFE

        if "sources" in self.fields:
            sources: Any = self.fields["sources"]
            # Two brands may each have a shop.
            sources.label_from_instance = lambda source: f"{source.name} · {source.brand.name}"

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at <= clock.utcnow():
            raise ValidationError(_("A token ends in the future."), code="past")
        return expires_at

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        brand, sources = self.cleaned_data.get("brand"), self.cleaned_data.get("sources") or ()
        if brand is not None and any(source.brand_id != brand.pk for source in sources):
            self.add_error("sources", ValidationError(_("All sources are the brand’s own."), code="other_brand"))
        return cleaned


@admin.register(PartnerToken)
class PartnerTokenAdmin(Kept):
    """The token itself is shown in one message and nowhere else."""

    form = TokenForm
    list_display = (
        "name",
        "prefix",
        "brand",
        state("mode", {WriteKey.Mode.LIVE: "good", WriteKey.Mode.TEST: "info"}, _("mode")),
        "standing",
        when("expires_at", _("ends")),
        when("last_used_at", _("last used")),
    )
    list_filter = ("mode", "brand", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("brand",)
    search_fields = ("prefix", "name")
    search_help_text = _("The first characters of the token, or a part of its name.")
    autocomplete_fields = ("brand",)
    fieldsets = (
        (None, {"fields": ("name", "brand", "sources", "mode")}),
        (_("What it may do"), {"fields": ("scopes", "per_minute", "expires_at")}),
    )
    readonly_fields = ("prefix", "standing", "replaces", "created_at", "revoked_at", "last_used_at", "used")
    actions = ("rotate", "revoke")
    when_empty = _("A partner’s program reads and writes with a token. It is shown once, when it is made.")

    class Media:
        css = {"all": ("trilha/tokens.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: PartnerToken | None = None) -> Any:
        kept = (_("Its life"), {"fields": self.readonly_fields})
        return self.fieldsets if obj is None else (*self.fieldsets, kept)

    def has_change_permission(self, request: HttpRequest, obj: PartnerToken | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("customers.change_partnertoken"))

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "sources":
            kwargs["queryset"] = Source.objects.exclude(key=Source.RESERVED_KEY).select_related("brand")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: PartnerToken, form: Any, change: bool) -> None:
        told = form.cleaned_data
        issued, plaintext = tokens.issue(
            brand_id=told["brand"].pk,
            sources=list(told["sources"]),
            name=told["name"],
            scopes=told["scopes"],
            expires_at=told["expires_at"],
            now=clock.utcnow(),
            mode=told["mode"],
            per_minute=told["per_minute"],
        )
        # Written inside the page's transaction: a token for a brand its author does not look after is taken back.
        if not may_change(request.user, issued):
            raise PermissionDenied
        for field in issued._meta.concrete_fields:
            setattr(obj, field.attname, getattr(issued, field.attname))
        obj._state.adding = False
        self._show_once(request, plaintext)

    @admin.action(description=_("Rotate: a successor now, the old one for another week"), permissions=["end"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[PartnerToken]) -> None:
        for token in queryset:
            try:
                successor, plaintext = tokens.rotate(token, OVERLAP, clock.utcnow())
            except NotIssued:
                text = gettext("%(token)s has ended or has a successor already.") % {"token": token}
                self.message_user(request, text, messages.ERROR)
            else:
                self.log_addition(request, successor, [{"added": {}}])
                self._show_once(request, plaintext)

    @admin.action(description=_("Revoke at once"), permissions=["end"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PartnerToken]) -> None:
        ending = list(queryset.filter(revoked_at=None))
        for token in ending:
            tokens.revoke(token, clock.utcnow())
        count = len(ending)
        text = ngettext("%(count)s token was revoked.", "%(count)s tokens were revoked.", count)
        self.message_user(request, text % {"count": count})

    def _show_once(self, request: HttpRequest, plaintext: str) -> None:
        text = gettext("The token is %(token)s. Copy it now: it is shown this once.") % {"token": plaintext}
        self.message_user(request, text, messages.WARNING)

    @admin.display(description=_("status"))
    def standing(self, token: PartnerToken) -> SafeString:
        if token.revoked_at is not None:
            return badge(pgettext("token", "revoked"), "bad")
        if token.expires_at <= clock.utcnow():
            return badge(pgettext("token", "expired"), "")
        return badge(pgettext("token", "in force"), "good")


@admin.register(KeptAnswer)
class KeptAnswerAdmin(Facts):
    list_display = ("id", "token", "route", "key", "status", when("started_at", _("started")))
    list_select_related = ("token",)
    search_fields = ("key",)
    exclude = ("body",)
    when_empty = _("Calls of the partner API that named themselves by an Idempotency-Key are kept here for a week.")
