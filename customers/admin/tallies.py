"""What sources sent, as it is counted: the numbers behind their health."""

from typing import Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.admin.base import Facts
from customers.admin.show import Tone, state, when
from customers.models import HourTally, Outcome, Tally

_TONES: Final[dict[str, Tone]] = {Outcome.ACCEPTED: "good", Outcome.REFUSED: "bad", Outcome.DUPLICATE: "warn"}


@admin.register(HourTally)
class HourTallyAdmin(Facts):
    list_display = (
        "name",
        "source",
        when("hour", _("hour")),
        state("outcome", _TONES, _("outcome")),
        "code",
        "count",
    )
    list_filter = ("outcome", "source")
    list_select_related = ("source",)
    search_fields = ("name", "code")
    search_help_text = _("A whole event name or reason code.")
    when_empty = _("Nothing was sent yet. What sources send is counted by the hour.")


@admin.register(Tally)
class TallyAdmin(Facts):
    list_display = ("name", "source", when("at", _("at")), state("outcome", _TONES, _("outcome")), "code", "count")
    list_filter = ("outcome",)
    list_select_related = ("source",)
    search_fields = ("id",)
    when_empty = _("Every tally is folded into its hour.")
