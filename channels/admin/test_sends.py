"""Seed lists, and the test sends that there were."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from channels.models import Seed, SeedList, TestSend
from channels.test_sends.ask import CHANNELS
from customers.admin.base import AnyAdmin, AnyTabular, Facts, ReadOnly, link
from customers.admin.show import Tone, state, when

_State = TestSend.State
_TONES: dict[Any, Tone] = {_State.SENT: "good", _State.FAILED: "bad", _State.UNKNOWN: "warn", _State.SENDING: "info"}


class SeedInline(AnyTabular):
    model = Seed
    fields = ("channel", "value", "label")
    extra = 3

    def formfield_for_choice_field(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "channel":
            kwargs["choices"] = [(one.value, one.label) for one in CHANNELS]
        return super().formfield_for_choice_field(db_field, request, **kwargs)


@admin.register(SeedList)
class SeedListAdmin(AnyAdmin):
    list_display = ("name", "brand", "squad")
    list_filter = ("brand",)
    list_select_related = ("brand", "squad")
    search_fields = ("name",)
    search_help_text = _("A part of the name.")
    autocomplete_fields = ("brand", "squad")
    fields = ("name", "brand", "squad")
    inlines = (SeedInline,)
    when_empty = _("A seed list holds addresses of your own people, who look at messages before customers do.")


@admin.register(Seed)
class SeedAdmin(ReadOnly, AnyAdmin):
    """Written with its list; here to be found."""

    list_display = ("value", "list", "channel", "label")
    list_filter = ("channel", "list__brand")
    list_select_related = ("list",)
    search_fields = ("label", "list__name")
    search_help_text = _("A part of whose it is, or of the list’s name.")


@admin.register(TestSend)
class TestSendAdmin(Facts):
    """Asked for on the page of a template’s version."""

    list_display = (
        "recipient",
        "version",
        state("state", _TONES, _("state")),
        "detail",
        "connector",
        "asked_by",
        when("asked_at", _("asked")),
    )
    list_filter = ("brand", "state", "channel")
    list_select_related = ("version__template", "connector", "asked_by")
    search_fields = ("id", "recipient")
    ordering = ("-asked_at", "-pk")  # type: ignore[assignment]  # Facts has one
    when_empty = _("No test was sent yet. They are asked for on the page of a template’s version.")
    exclude = ("html", "text", "options", "key", "compared")
    profile_link = staticmethod(link("profile_id", "customers_profile", _("as if for")))
