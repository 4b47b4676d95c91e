"""Purposes: what people are asked, and how each stands."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from consent import numbers
from consent.admin import purpose_numbers
from consent.models import Purpose, PurposeText
from customers.admin.base import AnyAdmin, AnyStacked, Kept, ReadOnly
from customers.admin.show import Tone, flag, state

_KINDS: Final[dict[str, Tone]] = {
    Purpose.Kind.MARKETING: "info",
    Purpose.Kind.SERVICE: "good",
    Purpose.Kind.LEGAL: "",
}


class PurposeTextInline(AnyStacked):
    model = PurposeText
    extra = 0


@admin.register(Purpose)
class PurposeAdmin(Kept):
    list_display = (
        "name",
        "key",
        state("kind", _KINDS, _("kind")),
        "brand",
        flag("is_offered", (_("offered"), "good"), (_("not offered"), "")),
        "description",
    )
    list_filter = ("brand", "kind")
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    when_empty = _("A purpose is what people are written to for; a journey names one, and asks its permission.")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "key",
                    "brand",
                    "kind",
                    "description",
                    "is_offered",
                    "channels",
                    "notice",
                    "valid_days",
                    "needs_confirmation",
                    "law",
                    "ad_signal",
                    "tracks_links",
                    "tracks_opens",
                ),
                "description": _(
                    "Marketing needs a grant. Service is allowed until it is withdrawn. Legal is owed, whatever was "
                    "withdrawn."
                ),
            },
        ),
    )
    autocomplete_fields = ("brand", "notice")
    prepopulated_fields = {"key": ("name",)}
    inlines = (PurposeTextInline,)
    readonly_fields = ("consents", "whence", "days")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "channels":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.MultipleChoiceField(
            label=db_field.verbose_name,
            help_text=db_field.help_text,
            choices=db_field.base_field.choices,
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        )

    def get_fieldsets(self, request: HttpRequest, obj: Purpose | None = None) -> Any:
        own = super().get_fieldsets(request, obj)
        return own if obj is None else (*own, (_("How it stands"), {"fields": self.readonly_fields}))

    @admin.display(description=_("consents in force"))
    def consents(self, purpose: Purpose) -> SafeString | str:
        return purpose_numbers.in_force(purpose)

    @admin.display(description=format_lazy(_("answers of {days} days"), days=numbers.DAYS))
    def whence(self, purpose: Purpose) -> SafeString | str:
        return purpose_numbers.whence(purpose)

    @admin.display(description=_("by day"))
    def days(self, purpose: Purpose) -> SafeString | str:
        return purpose_numbers.days(purpose)


@admin.register(PurposeText)
class PurposeTextAdmin(ReadOnly, AnyAdmin):
    """Written with its purpose; here to be found."""

    list_display = ("name", "locale", "purpose")
    list_filter = ("locale",)
    list_select_related = ("purpose",)
    search_fields = ("name", "purpose__name")
    search_help_text = _("A part of the public name or of the purpose’s.")
