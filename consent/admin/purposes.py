"""Purposes: what people are written to for, by the names that they are told."""

from typing import Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

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
                "fields": ("name", "key", "brand", "kind", "description", "is_offered", "channels"),
                "description": _(
                    "Marketing needs a grant. Service is allowed until it is withdrawn. Legal is owed, whatever was "
                    "withdrawn."
                ),
            },
        ),
    )
    autocomplete_fields = ("brand",)
    prepopulated_fields = {"key": ("name",)}
    inlines = (PurposeTextInline,)


@admin.register(PurposeText)
class PurposeTextAdmin(ReadOnly, AnyAdmin):
    """Written with its purpose; here to be found."""

    list_display = ("name", "locale", "purpose")
    list_filter = ("locale",)
    list_select_related = ("purpose",)
    search_fields = ("name", "purpose__name")
    search_help_text = _("A part of the public name or of the purpose’s.")
