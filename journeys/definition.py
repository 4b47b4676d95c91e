"""The document a journey is written as: states, entry, exits and steps."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from msgspec import Struct

from customers.hints import form
from customers.rules.errors import Problem
from journeys.ends import ExitEvent, ExitRule, Expiry
from journeys.entry.parts import EntryCap, Ramp
from journeys.entry.schedule import Schedule
from journeys.steps.base import Step, step_union
from journeys.variables import VariableDef


class InvalidDefinition(Exception):
    """A definition that cannot be published; `problems` say where and what to do."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


class StateDef(Struct, kw_only=True, forbid_unknown_fields=True):
    """A state of the journey's machine; exactly one is initial, success and failure are where runs end."""

    name: Annotated[str, form(_("state"))]
    kind: Annotated[
        Literal["initial", "active", "success", "failure"],
        form(
            _("kind"),
            choices={
                "initial": _("initial: where everybody begins"),
                "active": _("active: on the way"),
                "success": _("success: an end we want"),
                "failure": _("failure: an end we do not want"),
            },
        ),
    ] = "active"


class Entry(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who comes in, by an event, by a move into or out of a segment, or out of a segment by the calendar: `rule` sees
    the customer and the event; `key` names the property that tells runs of one customer apart (a cart's id, say)."""

    kind: Annotated[
        Literal["event", "segment", "schedule"],
        form(
            _("who comes in"),
            choices={
                "event": _("whoever an event happens to"),
                "segment": _("whoever comes into a segment or leaves it"),
                "schedule": _("whoever is in a segment, by the calendar"),
            },
        ),
    ] = "event"
    event: Annotated[str, form(_("entry event"), refers="event", is_usual=True)] = ""
    segment: Annotated[str | None, form(_("entry segment"), refers="segment")] = None
    moved: Annotated[
        Literal["entered", "left"],
        form(_("at the moment they"), choices={"entered": _("come into it"), "left": _("leave it")}),
    ] = "entered"
    take_in: Annotated[
        bool,
        form(
            _("also those who are in the segment already"),
            _("When the journey is first published so; a job calls them in."),
        ),
    ] = False
    schedule: Annotated[
        Schedule | None,
        form(_("calendar"), _("Each time, everybody is called who is in the segment then.")),
    ] = None
    rule: Annotated[dict[str, Any] | None, form(_("only if"), kind="rule")] = None
    key: Annotated[
        str | None,
        form(
            _("a run for each"),
            _("The property of the entry event that tells runs of one customer apart, such as cart_id."),
        ),
    ] = None
    reentry: Annotated[
        Literal["never", "always", "after"],
        form(
            _("may people come in again?"),
            choices={
                "never": _("never"),
                "always": _("always, once the last run has ended"),
                "after": _("some time after they came in last"),
            },
        ),
    ] = "never"
    reentry_after: Annotated[timedelta | None, form(_("how long after"), _("Counted from when they came in last."))] = (
        None
    )
    # On how many channels of the message steps the purpose must be allowed at entry.
    guard: Annotated[
        Literal["any", "all", "none"],
        form(
            _("consent at entry"),
            _("Permission is asked again for each message when it goes."),
            choices={
                "any": _("allowed on any channel of the messages"),
                "all": _("allowed on all channels of the messages"),
                "none": _("not asked (needs a reason)"),
            },
        ),
    ] = "any"
    guard_reason: Annotated[str, form(_("why consent is not asked at entry"))] = ""
    # Besides the event: with the same conditions, at a partner's call.
    api: Annotated[bool, form(_("partners may start it through the API"))] = False
    exclude: Annotated[
        str | None, form(_("but nobody who is in"), _("A segment or list, as it is at entry."), refers="segment")
    ] = None
    cap: Annotated[EntryCap | None, form(_("cap of entries"), _("Of one person, whatever the key."))] = None
    ramp: Annotated[
        Ramp | None,
        form(_("a small group first"), _("Who is not in it is refused, and may come in once everybody is let in.")),
    ] = None
    priority: Annotated[
        int,
        form(
            _("priority"),
            _(
                "From 0 to 100. Of journeys that one event begins, the higher is asked first, which counts where the"
                " brand limits in how many a person may be at once. Where a cap leaves room for one message of several,"
                " that of the higher goes."
            ),
        ),
    ] = 50


class Definition(Struct, kw_only=True, forbid_unknown_fields=True):
    """One journey. `purpose` is the key of the purpose its messages are sent for; `steps[0]` is the first."""

    purpose: Annotated[str, form(_("purpose"), _("What the messages are sent for."), refers="purpose")]
    states: Annotated[list[StateDef], form(_("states"), kind="states")]
    transitions: Annotated[list[tuple[str, str]], form(_("legal transitions"), kind="moves")]
    entry: Annotated[Entry, form(pgettext_lazy("journey", "entry"))]
    steps: Annotated[list[Any], form(_("steps"), kind="steps")]
    exit_events: Annotated[list[ExitEvent], form(_("exits by event"))] = []
    exit_rules: Annotated[
        list[ExitRule],
        form(
            _("exits by condition"),
            _("Asked on entry, before each message and, in any wait, when something changes that they ask about."),
        ),
    ] = []
    timeout: Annotated[Expiry | None, form(_("ends at the latest"))] = None
    variables: Annotated[list[VariableDef], form(_("variables"), _("What runs remember, by name and kind."))] = []

    def typed_steps(self) -> list[Step]:
        union: Any = list[step_union()]  # type: ignore[misc]  # the union is the registry's, made at run time
        steps: list[Step] = msgspec.convert(self.steps, union)
        return steps


def parse(document: object) -> tuple[Definition, list[Step]]:
    """Decode a definition and its steps; raises InvalidDefinition with the place of the first misfit."""
    try:
        definition = msgspec.convert(document, Definition)
    except msgspec.ValidationError as error:
        raise InvalidDefinition([_problem(error, "")]) from None
    try:
        return definition, definition.typed_steps()
    except msgspec.ValidationError as error:
        raise InvalidDefinition([_problem(error, "/steps")]) from None


def _problem(error: msgspec.ValidationError, root: str) -> Problem:
    text, _, path = str(error).partition(" - at `$")
    pointer = path.rstrip("`").replace(".", "/").replace("[", "/").replace("]", "")
    return Problem("invalid_definition", root + pointer, text)
