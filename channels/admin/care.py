"""How connectors fare, row by row; a connector's own page tells it in one place."""

from typing import Any, Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from channels.models import BreakerTurn, ConnectorState
from customers.admin.base import Facts
from customers.admin.show import Tone, state, when

_TURNS: Final[dict[Any, Tone]] = {BreakerTurn.Turn.OPENED: "bad", BreakerTurn.Turn.CLOSED: "good"}


@admin.register(ConnectorState)
class ConnectorStateAdmin(Facts):
    list_display = ("connector", "begun", "failures", "rest", when("rests_until", _("rests until")))
    list_filter = ("rest",)
    list_select_related = ("connector",)
    search_fields = ("connector__id",)
    search_help_text = _("The whole id of a connector.")


@admin.register(BreakerTurn)
class BreakerTurnAdmin(Facts):
    list_display = (
        "connector",
        state("turn", _TURNS, _("turn")),
        "rest",
        "detail",
        when("until", _("until")),
        when("at", _("at")),
    )
    list_filter = ("turn", "rest", "connector")
    list_select_related = ("connector",)
    search_fields = ("connector__id",)
    search_help_text = _("The whole id of a connector.")
    when_empty = _("No connector has had to rest yet.")
