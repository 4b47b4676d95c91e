"""How a journey may end a run wherever it rests: by an event, by a rule."""

from datetime import timedelta
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form
from journeys.steps.base import EventMatch


class ExitEvent(EventMatch, kw_only=True, forbid_unknown_fields=True):
    """An event that ends the run at once, in any wait."""

    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    goal: Annotated[bool, form(_("is a goal"), _("Who ends so has reached it: reports tell it apart."))] = False
    within: Annotated[
        timedelta | None,
        form(_("only within"), _("Counts what happened so long after they came in, and not what happened later.")),
    ] = None


class ExitRule(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule about the customer that ends the run; looked at on entry and before each message."""

    rule: Annotated[dict[str, Any], form(_("if"), kind="rule")]
    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    goal: Annotated[bool, form(_("is a goal"), _("Who ends so has reached it: reports tell it apart."))] = False
