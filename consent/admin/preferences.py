"""What people chose in the preference centre, and what waits for their confirmation: read, not written by hand."""

from typing import Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from consent.models import Confirmation, Pause, Preference
from customers.admin.base import Facts, link
from customers.admin.show import Tone, flag, state, when

_ADDRESS = link("address_id", "customers_address", _("address"))
_PROFILE = link("profile_id", "customers_profile", _("profile"))
_OUTCOMES: Final[dict[str, Tone]] = {
    Confirmation.Outcome.OPEN: "info",
    Confirmation.Outcome.CONFIRMED: "good",
    Confirmation.Outcome.OVERTAKEN: "",
    Confirmation.Outcome.EXPIRED: "warn",
    Confirmation.Outcome.HELD_BACK: "bad",
}


@admin.register(Pause)
class PauseAdmin(Facts):
    list_display = (
        "id",
        _ADDRESS,
        "brand",
        when("since", _("since")),
        when("until", _("until")),
        flag("ended_at", (_("ended early"), ""), (_("as asked"), "info")),
    )
    list_filter = ("brand", "method")
    list_select_related = ("brand",)
    search_fields = ("address__value", "address__id")
    when_empty = _("Nobody asked to be left in peace for a while.")


@admin.register(Preference)
class PreferenceAdmin(Facts):
    list_display = ("id", _ADDRESS, "brand", "language", "every_days", "is_untracked", when("changed_at", _("changed")))
    list_filter = ("brand", "language", "every_days", "is_untracked")
    list_select_related = ("brand",)
    search_fields = ("address__value", "address__id")
    when_empty = _("Nobody chose a language, or how often we write.")


@admin.register(Confirmation)
class ConfirmationAdmin(Facts):
    ordering = ("-asked_at",)
    list_display = (
        "id",
        _ADDRESS,
        _PROFILE,
        "purpose",
        state("outcome", _OUTCOMES, _("outcome")),
        when("asked_at", _("asked")),
        when("answered_at", _("answered")),
    )
    list_filter = ("outcome", "brand")
    list_select_related = ("purpose",)
    search_fields = ("id", "address__value", "address__id")
    when_empty = _("Nothing was asked that is to be confirmed by mail.")
