"""Recorded histories: what synthetic people did, and all that the engine's functions decided about it, as files.

    python manage.py shell -c "from tests.journeys.history_journeys import main; main()"

records tests/data/histories anew.

Recording anew is to say that decisions are meant to change: the difference of the files is what changes. A history is
read by `replay`, which decides anew by today's code. Each file is a journey; its first line is the document, each other
line a person with their events and what was decided. Times are seconds from the start.
"""

import json
import random
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from consent.decision import Verdict
from consent.permission import Choice, Want
from customers.ids import NIL
from customers.rules import Facts
from journeys.engine.arrivals import Arrival
from journeys.entry.names import CALLED
from journeys.models import Cause, Run
from journeys.simulation.life import Life, live
from journeys.simulation.replies import Told, by_step
from journeys.steps.base import ZONE
from journeys.steps.go_to import GoTo
from journeys.version import Version

START: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAYS: Final = 60
RUNS_OF_EACH: Final = 100
HERE: Final = Path(__file__).parent.parent / "data" / "histories"
_BRAND: Final = uuid5(NIL, "brand")
_ZONES = ("UTC", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata")
_DAY = 86_400
# What comes of an attempt to ask another system; the first of them often.
_REPLIES: Final[tuple[dict[str, Any], ...]] = (
    *(({"json": {"score": score, "tier": tier}}) for score, tier in ((80, "gold"), (20, "tin"), (50, None))),
    {"json": {"score": "high"}},
    {"json": {"tier": "gold"}, "after": "PT4S"},
    {"status": 503},
    {"status": 503, "retry_after": 3600},
    {"status": 429, "retry_after": 1800},
    {"status": 404},
    {"status": 403},
    {"error": "timeout", "after": "PT10S"},
    {"error": "unreachable"},
)

# A person as recorded: what was known of them since when, and what they did.
Person = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of one recorded person at a moment."""

    person: Person

    def facts(self, _customer: UUID, at: datetime, properties: Mapping[str, Any]) -> Facts:
        traits = _at(self.person["traits"], at)
        return Facts(traits=traits, properties=properties, extra={ZONE: self.person["zone"]})

    def choices(self, _want: Want, at: datetime) -> list[Choice]:
        allowed = _at(self.person["consent"], at)
        return [Choice(None, None, Verdict(allowed, "" if allowed else "withdrawn", None))]

    def segments(self, _customer: UUID, at: datetime) -> Collection[str]:
        told: list[str] = _at(self.person["segments"], at) if "segments" in self.person else []
        return told

    def held(self, _customer: UUID, _at: datetime) -> tuple[()]:
        return ()


def _at(told: list[list[Any]], moment: datetime) -> Any:
    seconds = (moment - START).total_seconds()
    return told[max(bisect_right([since for since, _said in told], seconds), 1) - 1][1]


def decide(version: Version, person: Person) -> dict[str, Any]:
    """All that is decided about one person, as a history keeps it."""
    id_ = uuid5(NIL, person["name"])
    known, until = Known(person), START + timedelta(days=DAYS)
    happened = [(_moment(at), name, properties) for at, name, properties in person["events"]]
    happened += [(at, CALLED, {"journey": str(version.journey_id)}) for at in _calls(version, known, until)]
    events = [
        Arrival(0, n, at, at, id_, _BRAND, name, f"{n:06}", id_, properties)
        for n, (at, name, properties) in enumerate(happened, 1)
    ]
    replies = by_step(msgspec.convert(person.get("replies", {}), dict[str, list[Told]]))
    in_order = sorted(events, key=lambda one: one.place)
    return _told(version, live(version, in_order, known, until, person.get("closed", ()), replies))


def _calls(version: Version, known: Known, until: datetime) -> Iterator[datetime]:
    """When the calendar calls the person, who is in the segment then."""
    entry = version.definition.entry
    if entry.schedule is not None:
        yield from (at for at in entry.schedule.between(START, until) if entry.segment in known.segments(NIL, at))


def _moment(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def _since(at: datetime | None) -> float | None:
    return None if at is None else (at - START).total_seconds()


def _told(version: Version, life: Life) -> dict[str, Any]:
    numbers = {id(run): n for n, run in enumerate(life.runs)}
    ids = [*(step.id for step in version.steps)]
    states = version.definition.states
    # Of journeys that remember nothing, nothing is kept of it.
    held = {"variables": [run.variables for run in life.runs]} if version.definition.variables else {}
    return held | {
        "runs": [
            [run.entry_key, Run.Status(run.status).name, ids[run.step], states[run.state].name, run.seq,
             _since(run.entered_at), _since(run.due_at), _since(run.ended_at)]
            for run in life.runs
        ],
        "moves": [
            [_since(at), numbers[id(one.run)], one.seq, Cause(one.cause).name,
             None if one.step_from is None else ids[one.step_from], None if one.step_to is None else ids[one.step_to],
             states[one.state_to].name, one.branch, one.event[0] if one.event else None]
            for at, one in life.moves
        ],
        "sends": [[_since(at), numbers[id(one.run)], ids[one.step], one.visit] for at, one in life.sends],
        "refused": [[_since(at), one.reason.value, one.event_id] for at, one in life.refused],
    }  # fmt: skip


def replay(lines: Iterator[str], version: Version) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(name, as recorded, as decided today) of each person."""
    for line in lines:
        person = json.loads(line)
        # Through JSON as the record went, so that nothing differs but what was decided.
        yield person["name"], person["decided"], json.loads(json.dumps(decide(version, person)))


def _person(name: str, names: tuple[str, ...], draw: random.Random) -> Person:
    moments = sorted(draw.randrange(0, 50 * _DAY, 60) for _event in range(draw.randint(2, 9)))
    changes = sorted(draw.sample(range(1, 50), draw.randint(0, 2)))
    return {
        "name": name,
        "zone": draw.choice(_ZONES),
        "traits": [[0, _traits(draw)], *([day * _DAY, _traits(draw)] for day in changes)],
        "consent": [[0, draw.random() < 0.85], [draw.randint(1, 60) * _DAY, draw.random() < 0.6]],
        "events": [[at, names[0] if n == 0 else draw.choice(names), _said(draw)] for n, at in enumerate(moments)],
    }


def _traits(draw: random.Random) -> dict[str, Any]:
    traits: dict[str, Any] = {"plan": draw.choice(("free", "pro", "team")), "visits": draw.randint(0, 20)}
    if draw.random() < 0.5:
        traits["renews_on"] = (START + timedelta(days=draw.randint(-10, 70))).date().isoformat()
    return traits


def _said(draw: random.Random) -> dict[str, Any]:
    said: dict[str, Any] = {"cart_id": draw.choice(("c1", "c2", 3)), "total": draw.randint(1, 300)}
    if draw.random() < 0.7:
        said["starts_at"] = (START + timedelta(hours=draw.randint(-48, 1200))).isoformat()
    return said


def _more(version: Version, draw: random.Random) -> Person:
    """What other systems reply about the person, who does not take them, and when they are in the segment."""
    more: Person = {}
    calling = [step.id for step in version.steps if step.calls]
    if calling:
        more["replies"] = {id_: draw.choices(_REPLIES, k=draw.randint(1, 4)) for id_ in calling}
    others = [step.journey for step in version.steps if isinstance(step, GoTo)]
    if others:
        more["closed"] = sorted({journey for journey in others if draw.random() < 0.4})
    segment = version.definition.entry.segment
    if segment is not None:
        days = [0, *sorted(draw.sample(range(1, 50), 2))]
        more["segments"] = [[day * _DAY, [segment] if draw.random() < 0.6 else []] for day in days]
    return more


def record(name: str, document: dict[str, Any], version: Version, names: tuple[str, ...]) -> list[str]:
    """The lines of one journey's file."""
    draw, more = random.Random(name), random.Random(f"{name}, and beside it")
    lines, runs = [_compact({"journey": document})], 0
    while runs < RUNS_OF_EACH:
        person = _person(f"{name}-{len(lines)}", names, draw) | _more(version, more)
        person["decided"] = decide(version, person)
        runs += len(person["decided"]["runs"])
        lines.append(_compact(person))
    return lines


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
