"""Purposes: what people are asked, and how each stands."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from consent import numbers
from consent.admin import purpose_numbers
from consent.models import Purpose
from customers.admin.base import Kept
from customers.admin.show import Tone, state

_KINDS: Final[dict[str, Tone]] = {
    Purpose.Kind.MARKETING: "info",
    Purpose.Kind.SERVICE: "good",
    Purpose.Kind.LEGAL: "",
}


@admin.register(Purpose)
class PurposeAdmin(Kept):
    list_display = ("name", "key", state("kind", _KINDS, _("kind")), "brand", "description")
    list_filter = ("brand", "kind")
    list_select_related = ("brand",)
    search_fields = ("name", "key")
    search_help_text = _("A part of the name or key.")
    when_empty = _("A purpose is what people are written to for; a journey names one, and asks its permission.")
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "key", "brand", "kind", "description", "ad_signal"),
                "description": _(
                    "Marketing needs a grant. Service is allowed until it is withdrawn. Legal is owed, whatever was "
                    "withdrawn."
                ),
            },
        ),
    )
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("consents", "whence", "days")

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
