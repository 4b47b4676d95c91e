"""P14: whatever races a timer, a run takes one way, which its version has and a tiny model foretells."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any, Final

from django.db import connections

from config.loop.checks import Check
from config.loop.killer import await_ready
from consent.models import Purpose
from customers.clock import utcnow
from customers.models import Event
from journeys.models import Journey, Run, Transition
from journeys.publish import publish
from tests.promises.client import Client, in_parallel
from tests.promises.deaths import Deaths, lives
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.waves import tell

_HOLD, _REST = timedelta(seconds=4), timedelta(seconds=1)
# When each is told, against the end of its wait: the answer takes a while under load.
_FROM_SECONDS, _TO_SECONDS = -0.6, 0.1
_WAVE: Final = 60
_ANSWERED, _CALLED_OFF = "race.answered", "race.called_off"
_DOCUMENT: Final[dict[str, Any]] = {
    "purpose": "flow",
    "states": [
        {"name": "in", "kind": "initial"},
        {"name": "won", "kind": "success"},
        {"name": "lost", "kind": "failure"},
    ],
    "transitions": [["in", "won"], ["in", "lost"]],
    "entry": {"event": "race.begun", "key": "unit", "reentry": "always", "guard": "none",
              "guard_reason": "Nothing is sent."},
    "exit_events": [{"event": _CALLED_OFF, "key": "unit", "state": "lost"}],
    "steps": [
        {"id": "hold", "type": "hold", "state": "in",
         "branches": [{"event": _ANSWERED, "key": "unit", "next": "quick"}],
         "timeout": {"after": "PT4S", "next": "lot"}},
        {"id": "quick", "type": "split", "state": "in",
         "branches": [{"rule": {"leaf": "event_property", "name": "quick", "op": "eq", "value": True},
                       "next": "note"}],
         "otherwise": "rest"},
        {"id": "note", "type": "update", "state": "in", "changes": [{"trait": "quick", "value": True}],
         "next": "won"},
        {"id": "rest", "type": "delay", "state": "in", "after": "PT1S", "next": "won"},
        {"id": "lot", "type": "random_split", "state": "in",
         "arms": [{"name": name, "share": 50, "next": "lost"} for name in ("one", "other")]},
        {"id": "won", "type": "exit", "state": "won"},
        {"id": "lost", "type": "exit", "state": "lost"},
    ],
}  # fmt: skip
_STEPS: Final = [str(step["id"]) for step in _DOCUMENT["steps"]]
# Where one may go from each; None is out of the journey by its exit.
_WAYS: Final[dict[str, set[str | None]]] = {
    "hold": {"quick", "lot", None}, "quick": {"note", "rest"}, "note": {"won"}, "rest": {"won", None},
    "lot": {"lost"}, "won": {None}, "lost": {None},
}  # fmt: skip
_Way = tuple[str | None, ...]
_OUT: Final[Mapping[_Way, _Way]] = {
    ("hold", "lot", "lost"): ("hold", None),
    ("hold", "quick", "rest", "won"): ("hold", "quick", "rest", None),
}


@dataclass(frozen=True, slots=True)
class Ran:
    """A run as its moves tell it: where it came and when, and how it ended."""

    way: _Way
    at: tuple[datetime, ...]
    status: int


def run(stage: Stage) -> Iterator[Check]:
    Purpose.objects.create(brand=stage.brand, key="flow", name="Flow", kind=Purpose.Kind.MARKETING)
    journey = Journey.objects.create(brand=stage.brand, key="race", name="Race")
    publish(journey, _DOCUMENT, by=None, now=utcnow())
    stage.start_web(2)
    workers = [stage.start_engine(name=f"engine-{number}") for number in range(2)]
    stage.start_beat()
    for worker in workers:
        await_ready(worker)
    partner = stage.partner()
    count = stage.size(10_000, 180)
    victims = lives(stage.size(100, 2))
    answered: dict[tuple[int, str], datetime] = {}
    with Deaths(stage, workers, victims) as deaths:
        for first in range(0, count, _WAVE):
            answered |= _wave(stage, partner, range(first, min(first + _WAVE, count)))
    stage.settle("the last of them")

    runs, told = _runs(), _told()
    foretold = {unit: _possible(unit, ran, told[unit], answered) for unit, ran in runs.items()}
    yield Check("runs", count, len(runs))
    yield Check("  over which workers died so often", range(1, len(victims) + 1), sum(deaths.counts.values()))
    yield Check("  that took a way their version has not", 0, sum(not _is_way(ran.way) for ran in runs.values()))
    yield Check("  that took another way than the model", {}, _others(runs, foretold))
    live = int(Run.Status.ACTIVE)
    yield Check("  that are not over", 0, sum(ran.status == live for ran in runs.values()))
    ends = Counter(_end(ran) for ran in runs.values())
    for end in ("in time", "too late", "called off"):
        yield Check(
            f"  that were answered {end}" if end != "called off" else "  called off", range(1, count), ends[end]
        )
    yield Check("dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


def _wave(stage: Stage, partner: Client, units: range) -> dict[tuple[int, str], datetime]:
    """Begin these runs, and have each told something about when its time is up; when that was answered."""
    tell(partner, [_event("race.begun", unit) for unit in units])
    keys = [str(unit) for unit in units]
    waiting = Run.objects.filter(entry_key__in=keys, due_at__isnull=False)
    stage.until(lambda: waiting.count() == len(keys), "the runs to wait")
    due = {key: at for key, at in waiting.values_list("entry_key", "due_at") if at is not None}
    jobs = [
        (unit, what, due[str(unit)].timestamp() + stage.chance.uniform(_FROM_SECONDS, _TO_SECONDS))
        for unit in units
        for what in _whats(unit)
    ]
    failed, answered = threading.Event(), dict[tuple[int, str], datetime]()

    def say(job: tuple[int, str, float]) -> None:
        unit, what, at = job
        time.sleep(max(0.0, at - time.time()))
        try:
            tell(partner, [_event(what, unit)])
            answered[unit, what] = utcnow()
        except AssertionError:
            failed.set()
        finally:
            connections.close_all()

    in_parallel(len(jobs), say, jobs)
    assert not failed.is_set(), "the door does not take what is said"
    return answered


def _whats(unit: int) -> Sequence[str]:
    return ((_ANSWERED,), (_CALLED_OFF,), (_ANSWERED, _CALLED_OFF))[unit % 3]


def _event(name: str, unit: int) -> Mapping[str, object]:
    return {
        "name": name,
        "id": f"{name}-{unit}",
        "identifiers": {"user_id": f"person-{unit}"},
        "properties": {"unit": str(unit), "quick": unit % 2 == 0},
    }


def _runs() -> dict[int, Ran]:
    moves: dict[int, list[tuple[int | None, datetime, int]]] = defaultdict(list)
    for run_id, step, at, cause in Transition.objects.order_by("run_id", "seq").values_list(
        "run_id", "step_to", "at", "cause"
    ):
        moves[run_id].append((step, at, cause))
    found = {}
    for run_id, key, status in Run.objects.values_list("id", "entry_key", "status"):
        way = tuple(None if step is None else _STEPS[step] for step, _at, _cause in moves[run_id])
        found[int(key)] = Ran(way, tuple(at for _step, at, _cause in moves[run_id]), status)
    return found


def _told() -> dict[int, list[tuple[datetime, int, str]]]:
    """Of each unit what was said of it, in the order of receipt."""
    told: dict[int, list[tuple[datetime, int, str]]] = defaultdict(list)
    named = Event.objects.filter(name__in=[_ANSWERED, _CALLED_OFF])
    for message_id, received_at, id_, name in named.values_list("message_id", "received_at", "id", "name"):
        told[int(message_id.rpartition("-")[2])].append((received_at, id_, name))
    return {unit: sorted(said) for unit, said in told.items()}


def _possible(
    unit: int, ran: Ran, told: Sequence[tuple[datetime, int, str]], answered: Mapping[tuple[int, str], datetime]
) -> set[_Way]:
    """The ways it may take: what was answered by the end of a wait counts for it, what was received later does not, and
    of what was received before and answered after, nobody promised either."""
    moments = [((at, name), (answered[unit, name], name)) for at, _id, name in told]
    ways = {_model(unit, ran, sorted(one)) for one in product(*moments)}
    if any(name == _CALLED_OFF for _at, _id, name in told):
        # An exit has no deadline: whoever still stood there as it came is out, late as their timer was.
        ways |= {_OUT[way] for way in ways if way in _OUT}
    return ways


def _model(unit: int, ran: Ran, told: Sequence[tuple[datetime, str]]) -> _Way:
    """The way the run must take, by when it came to its waits and what was there by the end of each."""
    deadline = ran.at[0] + _HOLD
    in_time = [(at, name) for at, name in told if at <= deadline]
    if not in_time:
        return ("hold", "lot", "lost")
    if in_time[0][1] == _CALLED_OFF:
        return ("hold", None)
    if unit % 2 == 0:
        return ("hold", "quick", "note", "won")
    called_off = next((at for at, name in told if name == _CALLED_OFF), None)
    rests_until = ran.at[min(2, len(ran.at) - 1)] + _REST
    if called_off is not None and called_off <= rests_until:
        return ("hold", "quick", "rest", None)
    return ("hold", "quick", "rest", "won")


def _is_way(way: _Way) -> bool:
    return way[:1] == ("hold",) and all(to in _WAYS[str(one)] for one, to in pairwise(way))


def _end(ran: Ran) -> str:
    if ran.way[-1] is None:
        return "called off"
    return "too late" if "lot" in ran.way else "in time"


def _others(runs: Mapping[int, Ran], foretold: Mapping[int, set[_Way]]) -> dict[int, tuple[set[_Way], _Way]]:
    other = {unit: (foretold[unit], ran.way) for unit, ran in runs.items() if ran.way not in foretold[unit]}
    return dict(list(other.items())[:3])


PROMISE = Promise(
    "P14",
    "Whatever races a timer, a run takes one way, which its version has and a tiny model foretells",
    run,
    controls=("nobody looks what is on its way",),
    code=("journeys/engine/", "journeys/steps/", "customers/work.py", "customers/attempts.py"),
    minutes=30,
)
