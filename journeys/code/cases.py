"""Run the cases of a journey's file in virtual time, without a database: what they say must be so, is."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from consent.decision import Verdict
from consent.permission import Choice, Want
from customers.ids import NIL
from customers.rules import Facts
from journeys.code.file import Case, JourneyFile, Then
from journeys.engine.arrivals import Arrival
from journeys.engine.runs import ACTIVE, RunState
from journeys.entry.segments import named
from journeys.simulation.life import Life, live
from journeys.steps.base import ZONE
from journeys.steps.message import Message
from journeys.validate import check
from journeys.version import Version, compile_version

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
    messages = [step for step in steps if isinstance(step, Message)]
    purposes = {definition.purpose, *(step.purpose for step in messages if step.purpose)}
    bindings = {
        "connectors": {step.connector: str(uuid5(NIL, step.connector)) for step in messages},
        "templates": {step.template: 1 for step in messages},
        "purposes": {key: str(uuid5(NIL, key)) for key in purposes},
        "segments": {key: str(uuid5(NIL, key)) for key in named(definition.entry).values()},
    }
    journey = uuid5(NIL, file.key)
    return compile_version(file.definition, bindings, id_=0, journey_id=journey, brand_id=_BRAND)


def _look(version: Version, case: Case, then: Then) -> Iterator[Failure]:
    start = datetime.fromisoformat(case.given.now)
    until = start + then.after
    events = [
        Arrival(0, n, start + one.at, start + one.at, _PERSON, _BRAND, one.event, f"{n:09}", _PERSON, one.properties)
        for n, one in enumerate(case.when, 1)
        if one.event is not None and start + one.at <= until
    ]
    past = _Told(case, start)
    life = live(version, sorted(events, key=lambda one: one.place), past, until)
    found = _found(version, life, past)
    for what, expected in msgspec.structs.asdict(then).items():
        if what != "after" and expected is not msgspec.UNSET and found[what] != expected:
            yield Failure(case.name, msgspec.to_builtins(then.after), what, expected, found[what])


def _found(version: Version, life: Life, past: "_Told") -> dict[str, Any]:
    ids = [step.id for step in version.steps]
    allowed = [(version.steps[send.step].id, past.verdict(at)) for at, send in life.sends]
    last = life.runs[-1] if life.runs else None
    steps = [moved.step_to for _at, moved in life.moves if moved.run is last]
    return {
        "entered": len(life.runs),
        "refused": [refused.reason.value for _at, refused in life.refused],
        "sent": [step for step, verdict in allowed if verdict.allowed],
        "blocked": {step: verdict.reason for step, verdict in allowed if not verdict.allowed},
        "path": [ids[to] for to in steps if to is not None],
        "waits_at": ids[last.step] if last and last.status == ACTIVE else None,
        "ended_in": _state(version, last) if last and last.status != ACTIVE else None,
    }


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

    def is_in(self, _customer: UUID, segment: UUID, at: datetime) -> bool:
        return segment in {uuid5(NIL, key) for key in _at(self._segments, at)}

    def verdict(self, at: datetime) -> Verdict:
        said = _at(self._consent, at)
        reasons = {"granted": "", "withdrawn": "withdrawn", "none": "no_consent"}
        return Verdict(said == "granted", reasons[said], None)


def _at(told: list[tuple[datetime, Any]], moment: datetime) -> Any:
    since = bisect_right([at for at, _said in told], moment)
    return told[max(since, 1) - 1][1]
