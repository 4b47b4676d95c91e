"""An explanation as plain data: parts in the order of what happened, each with its facts and what was not kept."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from customers.models import Event
from customers.personal import DOCUMENT, mask

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known. `link` is (app_model, key) of where it can be read; `personal` its kind of mask; `said`
    is how people read it, where the value is a key of something."""

    key: str
    label: Text
    value: Any
    link: tuple[str, object] | None = None
    personal: str = ""
    said: Any = None

    def shown(self, masked: bool) -> Any:
        return mask(self.value, self.personal) if masked and self.personal else self.value


@dataclass(frozen=True, slots=True)
class Move:
    """One transition. `step_to` is empty where the run left by an exit; `saw` are the inputs of the rule that
    decided, personal; `not_kept` says which of them nobody can tell any more. `gave` are the typed variables that got
    a value by it, personal too."""

    seq: int
    at: datetime
    cause: str
    text: str
    step_from: str
    step_to: str
    state: str
    event: Event | None = None
    event_id: int | None = None
    saw: dict[str, Any] = field(default_factory=dict)
    not_kept: str = ""
    gave: dict[str, Any] = field(default_factory=dict)

    def given(self, masked: bool) -> dict[str, Any]:
        return mask(self.gave, DOCUMENT) if masked else self.gave

    def inputs(self, masked: bool) -> dict[str, Any]:
        return mask(self.saw, DOCUMENT) if masked else self.saw


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the way. `at` is when; `not_kept` says plainly what nobody can tell any more."""

    key: str
    title: Text
    text: Text
    at: datetime | None = None
    facts: tuple[Fact, ...] = ()
    moves: tuple[Move, ...] = ()
    not_kept: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdict` is the answer in one sentence; `would_have_allowed` what had to be otherwise, empty where nothing
    stood in the way."""

    outcome: str
    reason: str
    verdict: Text
    would_have_allowed: Text
    parts: tuple[Part, ...]

    def part(self, key: str) -> Part | None:
        return next((part for part in self.parts if part.key == key), None)


def as_json(explanation: Explanation, *, masked: bool) -> dict[str, Any]:
    """For the API: words as they stand, facts by key, times in ISO 8601."""
    return {
        "outcome": explanation.outcome,
        "reason": explanation.reason or None,
        "verdict": str(explanation.verdict),
        "would_have_allowed": str(explanation.would_have_allowed) or None,
        "parts": [_part_json(part, masked) for part in explanation.parts],
    }


def _part_json(part: Part, masked: bool) -> dict[str, Any]:
    return {
        "part": part.key,
        "title": str(part.title),
        "text": str(part.text),
        "at": _plain(part.at),
        "facts": {fact.key: _plain(fact.shown(masked)) for fact in part.facts},
        **({"moves": [_move_json(move, masked) for move in part.moves]} if part.moves else {}),
        "not_kept": [str(text) for text in part.not_kept],
    }


def _move_json(move: Move, masked: bool) -> dict[str, Any]:
    return {
        "seq": move.seq,
        "at": move.at.isoformat(),
        "cause": move.cause,
        "text": move.text,
        "step_from": move.step_from or None,
        "step_to": move.step_to or None,
        "state": move.state,
        "event_id": move.event_id,
        "inputs": move.inputs(masked),
        "variables": move.given(masked),
        "not_kept": move.not_kept or None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return str(value)


def facts(*found: Fact) -> tuple[Fact, ...]:
    """Those that have something to tell."""
    return tuple(fact for fact in found if fact.value not in (None, "", [], {}))
