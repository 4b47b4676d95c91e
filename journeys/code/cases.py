"""Run the cases of a journey's file in virtual time, without a database: what they say must be so, is."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from channels.entitlements.leaf import Held
from consent.decision import Verdict
from consent.permission import Choice, Want
from consent.requests import GRANTED, WITHDRAWN
from customers.ids import NIL
from customers.internal import SEGMENT_ENTERED, SEGMENT_LEFT, TRAIT_CHANGED
from customers.rules import Facts
from journeys import asks
from journeys.code.file import Case, Happening, JourneyFile, Then
from journeys.compiling import compile_version
from journeys.engine.arrivals import Arrival
from journeys.engine.runs import ACTIVE, RunState
from journeys.engine.walk import Moved
from journeys.entry.names import CALLED
from journeys.entry.segments import named
from journeys.models import EXITS, Cause, Run
from journeys.outcomes import of_exit, of_step
from journeys.simulation.life import Life, Said, live
from journeys.simulation.replies import by_step
from journeys.steps.base import ZONE
from journeys.validate import check
from journeys.version import Version

_BRAND: Final = uuid5(NIL, "brand")
_PERSON: Final = uuid5(NIL, "person")


@dataclass(frozen=True, slots=True)
class Failure:
    """A case, the moment at which it was looked at, and what was not as it says."""

    case: str
    after: str
    what: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.case}: after {self.after}, {self.what}: expected {self.expected!r}, found {self.found!r}"


def run_cases(file: JourneyFile) -> Iterator[Failure]:
    """Every expectation that does not hold; raises InvalidDefinition of a journey that cannot be published."""
    version = unbound(file)
    for case in file.cases:
        for then in case.then:
            yield from _look(version, case, then)


def unbound(file: JourneyFile) -> Version:
    """The version the file's document would make; what its keys stand for is made up, since nothing is sent."""
    definition, steps = check(file.definition)
    connectors = {one.key for step in steps for one in step.connectors()}
    sending = [one for step in steps if (one := step.sends())]
    purposes = {definition.purpose, *(one.purpose for one in sending if one.purpose)}
    purposes |= asks.purposes(definition, steps)
    bindings = {
        "connectors": {key: str(uuid5(NIL, key)) for key in connectors},
        "templates": {key: 1 for step in steps for _at, key in step.templates()},
        "purposes": {key: str(uuid5(NIL, key)) for key in purposes},
        "segments": {key: str(uuid5(NIL, key)) for key in named(definition.entry).values()},
    }
    journey = uuid5(NIL, file.key)
    # A case is of somebody who is let in: whom the lot makes wait is nothing that a file could say.
    entry = {name: value for name, value in file.definition["entry"].items() if name != "ramp"}
    return compile_version(file.definition | {"entry": entry}, bindings, id_=0, journey_id=journey, brand_id=_BRAND)


def _look(version: Version, case: Case, then: Then) -> Iterator[Failure]:
    start = datetime.fromisoformat(case.given.now)
    until = start + then.after
    told = [
        (start + one.at, name, said)
        for one in case.when
        for name, said in _told(one, version)
        if start + one.at <= until
    ]
    past = _Told(case, start)
    told += [(at, CALLED, {"journey": str(version.journey_id)}) for at in _calls(version, past, start, until)]
    events = [
        Arrival(0, n, at, at, _PERSON, _BRAND, name, f"{n:09}", _PERSON, said)
        for n, (at, name, said) in enumerate(told, 1)
    ]
    life = live(
        version,
        sorted(events, key=lambda one: one.place),
        past,
        until,
        case.given.closed,
        by_step(case.given.replies),
    )
    found = _found(version, life, past)
    if then.traits is not msgspec.UNSET:
        known = Said(past, life.tellings).facts(_PERSON, until, {}).traits
        found["traits"] = {name: known.get(name) for name in then.traits}
    if isinstance(then.variables, dict):
        found["variables"] = {name: found["variables"].get(name) for name in then.variables}
    for what, expected in msgspec.structs.asdict(then).items():
        if what != "after" and expected is not msgspec.UNSET and found[what] != expected:
            yield Failure(case.name, msgspec.to_builtins(then.after), what, expected, found[what])


def _told(one: Happening, version: Version) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events that it is: its own, those of a segment it is a move into or out of, and those of changes after which
    the version asks its exit rules."""
    if TRAIT_CHANGED in version.looks:
        yield from ((TRAIT_CHANGED, {"name": name, "after": value}) for name, value in one.traits.items())
    if one.consent is not None and GRANTED in version.looks:
        yield GRANTED if one.consent == "granted" else WITHDRAWN, {}
    if one.event is not None:
        yield one.event, one.properties
    if one.leaves is not None:
        yield SEGMENT_LEFT, {"segment": one.leaves}
    if one.enters is not None:
        yield SEGMENT_ENTERED, {"segment": one.enters}


def _calls(version: Version, past: "_Told", start: datetime, until: datetime) -> Iterator[datetime]:
    """When the calendar calls the case's person, who is in the segment then."""
    entry = version.definition.entry
    if entry.schedule is not None:
        yield from (at for at in entry.schedule.between(start, until) if entry.segment in past.segments(_PERSON, at))


def _found(version: Version, life: Life, past: "_Told") -> dict[str, Any]:
    ids = [step.id for step in version.steps]
    allowed = [(version.steps[send.step].id, past.verdict(at)) for at, send in life.sends]
    last = life.runs[-1] if life.runs else None
    own = [moved for _at, moved in life.moves if moved.run is last]
    steps = [moved.step_to for moved in own]
    ended_by, outcome = _end(version, last, own) if last and last.status != ACTIVE else (None, None)
    return {
        "entered": len(life.runs),
        "refused": [refused.reason.value for _at, refused in life.refused],
        "sent": [step for step, verdict in allowed if verdict.allowed],
        "variants": _variants(version, life, past),
        "blocked": {step: verdict.reason for step, verdict in allowed if not verdict.allowed},
        "path": [ids[to] for to in steps if to is not None],
        "waits_at": ids[last.step] if last and last.status == ACTIVE else None,
        "variables": (last.variables if last else None) or {},
        "ended_in": _state(version, last) if last and last.status != ACTIVE else None,
        "ended_by": ended_by,
        "outcome": outcome,
    }


def _variants(version: Version, life: Life, past: "_Told") -> dict[str, str]:
    """Of each step that has variants, the last one that was sent."""
    sent = [(version.steps[send.step], send.variant) for at, send in life.sends if past.verdict(at).allowed]
    return {step.id: step.variant(drawn) for step, drawn in sent if drawn is not None}


def _end(version: Version, run: RunState, moves: Sequence[Moved]) -> tuple[str, str]:
    """How a run ended, and what the journey calls that."""
    for moved in moves:
        if moved.cause in EXITS:
            by_event = moved.event is not None
            named = of_exit(version.definition, moved.cause, moved.branch, is_by_event=by_event)
            return Cause(moved.cause).name.lower(), named or of_step(version.steps[run.step])
    if run.status == Run.Status.FAILED:
        return "failed", ""
    return "completed", of_step(version.steps[run.step])


def _state(version: Version, run: RunState) -> str:
    return version.definition.states[run.state].name


class _Told:
    """What a case tells of its one person, and since when."""

    def __init__(self, case: Case, start: datetime) -> None:
        self._zone = case.given.zone
        told = sorted(((start + one.at, one) for one in case.when), key=lambda pair: pair[0])
        self._traits: list[tuple[datetime, dict[str, Any]]] = [(start, case.given.traits)]
        self._consent: list[tuple[datetime, str]] = [(start, case.given.consent)]
        self._segments: list[tuple[datetime, set[str]]] = [(start, set(case.given.segments))]
        for at, one in told:
            if one.traits:
                self._traits.append((at, self._traits[-1][1] | one.traits))
            if one.consent:
                self._consent.append((at, one.consent))
            if one.enters or one.leaves:
                self._segments.append((at, self._segments[-1][1] - {one.leaves or ""} | {one.enters or ""}))

    def facts(self, _customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts:
        traits = _at(self._traits, at)
        return Facts(traits=traits, properties=properties, extra={ZONE: traits.get("timezone", self._zone)})

    def choices(self, _want: Want, at: datetime) -> list[Choice]:
        return [Choice(None, None, self.verdict(at))]

    def segments(self, _customer: UUID, at: datetime) -> set[str]:
        told: set[str] = _at(self._segments, at)
        return told

    def held(self, _customer: UUID, _at: datetime) -> Sequence[Held]:
        """Nothing but what the journey grants."""
        return ()

    def verdict(self, at: datetime) -> Verdict:
        said = _at(self._consent, at)
        reasons = {"granted": "", "withdrawn": "withdrawn", "none": "no_consent"}
        return Verdict(said == "granted", reasons[said], None)


def _at(told: list[tuple[datetime, Any]], moment: datetime) -> Any:
    since = bisect_right([at for at, _said in told], moment)
    return told[max(since, 1) - 1][1]
