"""How a journey may end a run wherever it rests: by an event, by a rule, or by its age."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form
from customers.rules import WALK
from journeys.steps.base import EventMatch

if TYPE_CHECKING:
    from journeys.definition import Definition

# The way from a last step leads to an exit in the end's state, and nothing on it waits.
LastStep = Annotated[
    str | None,
    form(
        _("with a last step"),
        _("Whoever ends so still goes from there to an exit in the same state; nothing on that way may wait."),
        refers="step",
    ),
]


class ExitEvent(EventMatch, kw_only=True, forbid_unknown_fields=True):
    """An event that ends the run at once, in any wait."""

    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    goal: Annotated[bool, form(_("is a goal"), _("Who ends so has reached it: reports tell it apart."))] = False
    within: Annotated[
        timedelta | None,
        form(_("only within"), _("Counts what happened so long after they came in, and not what happened later.")),
    ] = None
    last_step: LastStep = None


class ExitRule(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule about the customer that ends the run; looked at on entry and before each message."""

    rule: Annotated[dict[str, Any], form(_("if"), kind="rule", place=WALK)]
    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    goal: Annotated[bool, form(_("is a goal"), _("Who ends so has reached it: reports tell it apart."))] = False
    last_step: LastStep = None


class Expiry(Struct, kw_only=True, forbid_unknown_fields=True):
    """The age at which a run ends in whatever wait it is."""

    after: Annotated[timedelta, form(_("so long after they came in"))]
    state: Annotated[str, form(_("ends in state"), refers="state")]
    outcome: Annotated[str, form(_("outcome"), _("Names this end in reports."))] = ""
    last_step: LastStep = None


End = ExitEvent | ExitRule | Expiry


def ends_of(definition: "Definition") -> Iterator[tuple[str, End]]:
    """Every such end with its place in the document."""
    yield from ((f"/exit_events/{n}", end) for n, end in enumerate(definition.exit_events))
    yield from ((f"/exit_rules/{n}", end) for n, end in enumerate(definition.exit_rules))
    if definition.timeout:
        yield "/timeout", definition.timeout


def last_steps(definition: "Definition") -> set[str]:
    """Ids of the steps that ends name as their last."""
    return {end.last_step for _at, end in ends_of(definition) if end.last_step}
