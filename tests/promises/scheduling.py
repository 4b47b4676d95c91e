"""P12: however many beats and workers run and die, each moment of a schedule calls its people in once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from msgspec import convert

from config.loop.checks import Check
from config.loop.killer import await_ready
from config.processes import Process
from consent.models import Purpose
from customers.clock import utcnow
from customers.models import Job, Profile, Segment
from customers.segments import define
from journeys.entry.schedule import Schedule
from journeys.models import Journey, Occurrence, Run
from journeys.publish import publish
from tests.promises.client import Client
from tests.promises.deaths import Deaths, lives
from tests.promises.killer import end_at_once
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_PEOPLE: Final = 3
_TICKS: Final = 20
# Days around which clocks change, and times that they leap over or have twice.
_WHERE: Final = (
    ("Europe/Berlin", date(2026, 3, 20), "02:30"),
    ("Europe/Berlin", date(2026, 10, 15), "02:30"),
    ("America/New_York", date(2026, 3, 1), "02:15"),
    ("Australia/Lord_Howe", date(2026, 3, 28), "01:45"),
    ("America/Sao_Paulo", date(2026, 5, 1), "00:00"),
)
_LOST: Final = "SELECT count(*) FROM customers_job WHERE kind = 'call_in' AND state <> 'done'"


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(1)
    late = {"TRILHA_LAB_FAULT": "made up however late"}
    workers = [stage.start_engine(late, f"engine-{number}") for number in range(3)]
    beats = [stage.start_beat(f"beat-{number}") for number in range(3)]
    await_ready(workers[0])
    people = _gather(stage, stage.partner())
    count = stage.size(500, 20)
    journeys = {}
    with Deaths(stage, workers, lives(stage.size(20, 4))) as deaths:
        for number in range(count):
            journey, moments = _publish(stage, number)
            journeys[journey] = moments
            if number % max(1, count // stage.size(30, 6)) == 0:
                _kill(stage, beats)
        deaths.wait()
    stage.until(_all_came, "the last moments", 900)
    stage.settle("the runs")

    planned = Counter((journey, moment) for journey, moments in journeys.items() for moment in moments)
    found = Occurrence.objects.values_list("journey_id", "at", "state")
    there = Counter((journey, at) for journey, at, _state in found)
    yield Check("moments of schedules", planned.total(), there.total())
    yield Check("  that nobody planned, or that are missing", 0, len((planned - there) + (there - planned)))
    yield Check("  whose people were called", {"called": planned.total()}, dict(Counter(one[2] for one in found)))
    yield Check("calls", planned.total(), Job.objects.filter(kind="call_in").count())
    yield Check("  that did not come to their end", 0, stage.count(_LOST))
    yield from _came_in(journeys, people)
    yield Check("dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


def _came_in(journeys: Mapping[UUID, list[datetime]], people: set[UUID]) -> Iterator[Check]:
    runs = Counter(Run.objects.values_list("journey_id", "customer_id"))
    wanted = Counter({(journey, one): len(moments) for journey, moments in journeys.items() for one in people})
    yield Check("runs, one for each person and moment", wanted.total(), runs.total())
    yield Check("  people who came in more or less often", 0, len((wanted - runs) + (runs - wanted)))


def _gather(stage: Stage, partner: Client) -> set[UUID]:
    """The people who are called, in a segment that is built."""
    events = [
        {"type": "identify", "id": f"who-{n}", "identifiers": {"user_id": f"who-{n}"}, "traits": {"plan": "gold"}}
        for n in range(_PEOPLE)
    ]
    partner.post("/api/v1/events/batch", {"events": events})
    stage.settle("the people")
    segment = Segment.objects.create(brand=stage.brand, key="gold", name="Gold", created_at=utcnow())
    rule = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"}
    define.set_rule(segment, rule, utcnow())
    stage.until(lambda: Segment.objects.get(pk=segment.pk).state == Segment.State.LIVE, "the segment")
    Purpose.objects.create(brand=stage.brand, key="flow", name="Flow", kind=Purpose.Kind.MARKETING)
    return set(Profile.objects.values_list("customer_id", flat=True))


def _publish(stage: Stage, number: int) -> tuple[UUID, list[datetime]]:
    """A journey whose schedule began before long: all of its moments have come, and are made up."""
    zone, first, at = _WHERE[number % len(_WHERE)]
    last = first + timedelta(days=_TICKS - 1)
    schedule = {"every": "day", "starts": f"{first}", "at": at, "zone": zone, "ends": f"{last}"}
    document = {
        "purpose": "flow",
        "states": [{"name": "in", "kind": "initial"}, {"name": "out", "kind": "success"}],
        "transitions": [["in", "out"]],
        "entry": {
            "kind": "schedule", "segment": "gold", "schedule": schedule, "reentry": "always", "guard": "none",
            "guard_reason": "Nothing is sent.",
        },
        "steps": [
            {"id": "on", "type": "random_split", "state": "in", "arms": [
                {"name": name, "share": 50, "next": "over"} for name in ("one", "other")
            ]},
            {"id": "over", "type": "exit", "state": "out"},
        ],
    }  # fmt: skip
    journey = Journey.objects.create(brand=stage.brand, key=f"daily-{number}", name=f"Daily {number}")
    before = datetime.combine(first, time(), tzinfo=UTC) - timedelta(days=1)
    publish(journey, document, by=None, now=before)
    return journey.pk, list(convert(schedule, Schedule).between(before, utcnow()))


def _kill(stage: Stage, beats: list[Process]) -> None:
    beat = stage.chance.choice(beats)
    end_at_once(beat)
    beat.start()
    stage.keeper.keep(beat.pid)


def _all_came() -> bool:
    open_ = Occurrence.objects.filter(state=Occurrence.State.PLANNED).exists()
    return not open_ and not Job.objects.exclude(state=Job.State.DONE).exists()


PROMISE = Promise(
    "P12",
    "Any number of beats and workers may run and die: each moment of a schedule calls its people in once",
    run,
    controls=("whoever sees it calls",),
    code=(
        "journeys/entry/",
        "journeys/engine/drain.py",
        "customers/jobs.py",
        "customers/work.py",
        "customers/attempts.py",
    ),
    minutes=15,
)
