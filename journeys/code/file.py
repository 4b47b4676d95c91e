"""The file of a journey: its key and names, its document, and the cases it must pass."""

from datetime import timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from customers.authoring import durations
from journeys.authoring import text
from journeys.code.order import in_order
from journeys.models import Journey
from journeys.simulation.replies import Told

# Fields of cases that are spans of time.
_SPANS: Final = ("at", "after")
# What another system replies, be it null; and what holds anything, null included.
_REPLY: Final = "json"
_AS_TOLD: Final = ("properties", "traits", "variables", _REPLY)


class NotAJourney(ValueError):
    """A file that holds no journey; says where and why."""


class Happening(Struct, kw_only=True, forbid_unknown_fields=True):
    """What happens so long after the case begins: an event, traits that are told, what becomes of consent, or a segment
    that the person comes into or leaves."""

    at: timedelta = timedelta(0)
    event: str | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    consent: Literal["granted", "withdrawn"] | None = None
    # Keys of segments that the person comes into or leaves.
    enters: str | None = None
    leaves: str | None = None


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How things stand when a case begins, at `now`; the person has agreed unless it says otherwise."""

    now: str = "2026-03-02T12:00:00+00:00"
    consent: Literal["granted", "withdrawn", "none"] = "granted"
    traits: dict[str, Any] = {}
    zone: str = "UTC"
    # Keys of other journeys that take nobody who is sent to them.
    closed: list[str] = []
    segments: list[str] = []
    # By step that asks another system, what comes of its attempts, in order; the last comes of all that follow.
    replies: dict[str, list[Told]] = {}


class Then(Struct, kw_only=True, forbid_unknown_fields=True):
    """What has come of it once `after` is over. What is left out is not looked at."""

    after: timedelta
    entered: int | UnsetType = UNSET
    refused: list[str] | UnsetType = UNSET
    # Ids of the message steps, in order.
    sent: list[str] | UnsetType = UNSET
    # Id of the message step to the key of the variant that was sent last, of steps that have variants.
    variants: dict[str, str] | UnsetType = UNSET
    # Id of the message step to the reason.
    blocked: dict[str, str] | UnsetType = UNSET
    # Of the last run: the steps it came to, the one where it waits, or the state it ended in
    path: list[str] | UnsetType = UNSET
    waits_at: str | UnsetType = UNSET
    ended_in: str | UnsetType = UNSET
    # How it ended (goal, exit, expired by the journey's time-out, completed at the end of its way, failed at a call),
    # and what the journey calls that.
    ended_by: str | UnsetType = UNSET
    # Of the person, by name; null where nothing is known. Others are not looked at.
    traits: dict[str, Any] | UnsetType = UNSET
    outcome: str | UnsetType = UNSET
    # What it holds in these of its typed variables; null where it holds nothing.
    variables: dict[str, Any] | UnsetType = UNSET


class Case(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    when: list[Happening]
    then: list[Then]
    given: Given = Given()


class JourneyFile(Struct, kw_only=True, forbid_unknown_fields=True):
    key: str
    name: str
    definition: dict[str, Any]
    description: str = ""
    cases: list[Case] = []


def read(written: str) -> JourneyFile:
    """A file written as YAML or JSON; raises NotAJourney."""
    try:
        return msgspec.convert(text.read(written), JourneyFile)
    except text.Unreadable as error:
        raise NotAJourney(str(error)) from error
    except msgspec.ValidationError as error:
        raise NotAJourney(str(error)) from error


def write(file: JourneyFile) -> str:
    """As YAML, in an order that is always the same, without what is left out by default."""
    held: dict[str, Any] = {"key": file.key, "name": file.name}
    if file.description:
        held["description"] = file.description
    held["definition"] = in_order(file.definition)
    if file.cases:
        held["cases"] = [_spare(msgspec.to_builtins(case)) for case in file.cases]
    return text.write(held, "yaml")


def of_journey(journey: Journey, document: dict[str, Any]) -> JourneyFile:
    return JourneyFile(key=journey.key, name=journey.name, description=journey.description, definition=document)


def _spare(held: Any) -> Any:
    """Without what says nothing, and spans as forms write them."""
    if isinstance(held, list):
        return [_spare(one) for one in held]
    if not isinstance(held, dict):
        return held
    said = {name: _span(value) if name in _SPANS else value for name, value in held.items()}
    kept = {name: value for name, value in said.items() if name == _REPLY or value not in (None, {})}
    return {
        name: value if name in _AS_TOLD else _spare(value) for name, value in kept.items() if not _usual(name, value)
    }


def _span(text: Any) -> Any:
    span = durations.read(text)
    return text if span is None else durations.spell(span)


def _usual(name: str, value: Any) -> bool:
    if name == "given":
        return bool(value == msgspec.to_builtins(Given()))
    empty = ("closed", "segments")
    spared = (*((one, []) for one in empty), ("at", _span("PT0S")), ("zone", Given().zone), ("now", Given().now))
    return (name, value) in spared
