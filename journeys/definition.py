"""The document a journey is written as: states, entry, exits and steps."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from customers.rules.errors import Problem
from journeys.steps.base import EventMatch, Step, step_union


class InvalidDefinition(Exception):
    """A definition that cannot be published; `problems` say where and what to do."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


class StateDef(Struct, kw_only=True, forbid_unknown_fields=True):
    """A state of the journey's machine; exactly one is initial, success and failure are where runs end."""

    name: str
    kind: Literal["initial", "active", "success", "failure"] = "active"


class Entry(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who comes in: `rule` sees the customer and the event; `key` names the property that tells runs of one
    customer apart (a cart's id, say)."""

    event: str
    rule: dict[str, Any] | None = None
    key: str | None = None
    reentry: Literal["never", "always"] = "never"
    # On how many channels of the message steps the purpose must be allowed at entry.
    guard: Literal["any", "all", "none"] = "any"
    guard_reason: str = ""


class ExitEvent(EventMatch, kw_only=True, forbid_unknown_fields=True):
    """An event that ends the run at once, in any wait."""

    state: str
    outcome: str = ""


class ExitRule(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule about the customer that ends the run; looked at on entry and before each message."""

    rule: dict[str, Any]
    state: str
    outcome: str = ""


class Definition(Struct, kw_only=True, forbid_unknown_fields=True):
    """One journey. `purpose` is the key of the purpose its messages are sent for; `steps[0]` is the first."""

    purpose: str
    states: list[StateDef]
    transitions: list[tuple[str, str]]
    entry: Entry
    steps: list[Any]
    exit_events: list[ExitEvent] = []
    exit_rules: list[ExitRule] = []

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
