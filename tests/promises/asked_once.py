"""P14, of steps that ask another system: each asks, and asks once where nothing cut it off, and its run goes on by what
it was told, whoever dies or sleeps meanwhile.

The other system is a process that notes on disk what comes in before it answers, loses some answers and fails at some.
What it says of the first matter the run must tell it as it asks about the second.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from channels.models import Connector
from config.loop.checks import Check
from config.processes import Process, ProcessError, dispatch
from consent.models import Purpose
from customers.clock import utcnow
from journeys.engine.calls.make import idempotency_key
from journeys.engine.variables import value_of
from journeys.models import Call, Journey, Run, Transition, Variable
from journeys.publish import publish
from tests.promises.carrier import code_of
from tests.promises.carriers import Troubles
from tests.promises.client import Client
from tests.promises.deaths import Deaths, lives
from tests.promises.flow import gaps
from tests.promises.plan import Promise
from tests.promises.stage import Stage
from tests.promises.strikes import KILL, SLEEP, Strikes
from tests.promises.waves import tell

_CALLERS: Final = 3
_THREADS: Final = 2
_ANSWER_SECONDS: Final = 0.3
_TROUBLES: Final = Troubles(drop=0.08, hang=0.02, fault=0.05)
# How many calls of one system a process has in hand at most: so many are cut off by its end.
_OF_ONE: Final = 8
# Of a call, the stage's lease and the longest that a call takes; whoever sleeps has lost what was in its hands.
_SLEEP_SECONDS: Final = 18.0
_FINAL_SECONDS: Final = 300.0
_CONTROL_SECONDS: Final = 25.0
# Five deaths over one call are the end of it: what a call may do to its callers is tested elsewhere.
_MOST_CRASHES: Final = 2
_MATTERS: Final = ("first", "second")


def _ask(matter: str, then: str, *more: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": matter, "type": "webhook", "state": "new", "connector": "other", "path": "/matters", "time_out": "PT2S",
        "within": "PT20M", "next": then, "reply": [{"variable": matter, "pointer": "/code"}],
        "data": [{"name": "unit", "property": "unit"}, {"name": "matter", "value": matter}, *more],
        "retry": [{"errors": ["timeout", "interrupted", "status_5xx"], "interval": "PT1S", "max_attempts": 9,
                   "backoff_rate": 1.0}],
    }  # fmt: skip


_DOCUMENT: Final[dict[str, Any]] = {
    "purpose": "asking",
    "states": [{"name": "new", "kind": "initial"}, {"name": "known", "kind": "success"}],
    "transitions": [["new", "known"]],
    "entry": {"event": "unit.new", "key": "unit", "reentry": "always", "guard": "none",
              "guard_reason": "Nothing is sent."},
    "variables": [{"name": matter, "kind": "text"} for matter in _MATTERS],
    "steps": [_ask("first", "second"), _ask("second", "over", {"name": "told", "variable": "first"}),
              {"id": "over", "type": "exit", "state": "known"}],
}  # fmt: skip


def run(stage: Stage) -> Iterator[Check]:
    record = stage.logs / "other.jsonl"
    callers, workers = _start(stage, record)
    partner = stage.partner()
    units = range(stage.size(4_000, 100))
    blows = [KILL] * stage.size(60, 3) + [SLEEP] * stage.size(12, 1)
    stage.chance.shuffle(blows)
    share = len(units) // (len(blows) + 1)
    strikes = Strikes(stage, callers, in_hand=_in_hand, sleep_seconds=_SLEEP_SECONDS)
    with Deaths(stage, workers, lives(stage.size(30, 2))) as deaths, strikes:
        for number, blow in enumerate(blows):
            _spare_the_hard_hit(stage)
            strikes.strike(blow, partial(_begin, partner, units[number * share : (number + 1) * share]))
        _begin(partner, units[len(blows) * share :])
        deaths.wait()
    _await_the_end(stage, len(units))

    yield Check("callers killed or asleep", len(blows), sum(strikes.counts.values()))
    yield Check("workers of the engine killed", deaths.planned, dict(deaths.counts))
    yield from _calls(_read(record), len(units), len(blows))
    yield from _runs(len(units))


def _start(stage: Stage, record: Any) -> tuple[list[Process], list[Process]]:
    """Whoever makes the calls, and whoever moves the runs."""
    how = ("--kind", "asked", "--seed", str(stage.chance.random()), *_TROUBLES.arguments())
    arguments = ("tests.promises.carrier", "--record", str(record), "--delay", str(_ANSWER_SECONDS), *how)
    other = stage.start(Process("other", arguments, {}, stage.logs))
    stage.until(lambda: other.output.read_text().splitlines(), "the other system")
    host = f"127.0.0.1:{int(other.output.read_text().splitlines()[0])}"
    Purpose.objects.create(brand=stage.brand, key="asking", name="Asking", kind=Purpose.Kind.MARKETING)
    Connector.objects.create(
        brand=stage.brand, key="other", name="Other", channel="webhook", provider="webhook",
        config={"base_url": f"http://{host}"}, concurrency=_CALLERS * _OF_ONE,
    )  # fmt: skip
    publish(Journey.objects.create(brand=stage.brand, key="asks", name="Asks"), _DOCUMENT, by=None, now=utcnow())
    more = {"TRILHA_CALL_HOSTS": host}
    stage.start_web(1, more)
    workers = [stage.start_engine(more)]
    callers = [
        stage.start(dispatch(_THREADS, stage.environment(more), stage.logs, f"caller-{number}"))
        for number in range(_CALLERS)
    ]
    stage.start_beat()
    return callers, workers


def _begin(partner: Client, units: range) -> None:
    tell(
        partner,
        [
            {"name": "unit.new", "identifiers": {"user_id": f"person-{unit}"}, "properties": {"unit": str(unit)}}
            for unit in units
        ],
    )


def _in_hand() -> int:
    return Call.objects.filter(state=Call.State.CALLING).count()


def _spare_the_hard_hit(stage: Stage) -> None:
    """No caller dies while a call has been under two deaths."""
    hit = Call.objects.filter(state__in=(Call.State.WAITING, Call.State.CALLING), crashes__gte=_MOST_CRASHES)
    until = time.monotonic() + (_CONTROL_SECONDS if stage.control else _FINAL_SECONDS)
    while hit.exists() and time.monotonic() < until:
        time.sleep(0.1)


def _await_the_end(stage: Stage, wanted: int) -> None:
    """A broken build is waited for no longer than it takes to see that nothing moves."""
    over = Run.objects.exclude(status=Run.Status.ACTIVE)
    try:
        seconds = _CONTROL_SECONDS if stage.control else _FINAL_SECONDS
        stage.until(lambda: over.count() == wanted, "the last of the runs", seconds)
    except ProcessError:
        # The counts say what is missing.
        return


# By the key of a call, its questions in the order in which they came.
Arrived = Mapping[str, Sequence[Mapping[str, str]]]


def _read(record: Any) -> Arrived:
    found: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
    for line in record.read_text().splitlines():
        one = json.loads(line)
        found[one["key"]].append(json.loads(one["to"]))
    return dict(found)


def _calls(arrived: Arrived, units: int, blows: int) -> Iterator[Check]:
    """What the other system noted, against what we believe of each visit of a run to a step."""
    calls = {str(_key(call)): call for call in Call.objects.order_by("id")}
    times = {key: len(arrived.get(key, ())) for key in calls}
    yield Check("calls, of which each is answered", len(_MATTERS) * units, _answered(calls.values()))
    yield Check("  others", 0, len(calls) - _answered(calls.values()))
    yield Check("  that never came to the other system", 0, sum(not number for number in times.values()))
    yield Check("what it was asked by another key", 0, len(arrived.keys() - calls.keys()))
    asked = {key: {(one["matter"], one["unit"]) for one in questions} for key, questions in arrived.items()}
    yield Check("  by one key about several things", 0, sum(len(things) > 1 for things in asked.values()))
    yield Check(
        "  about one thing by several keys", 0, len(asked) - len(frozenset[Any]().union(*asked.values(), frozenset()))
    )
    second = [one for questions in arrived.values() for one in questions if one["matter"] == "second"]
    wrong = sum(one.get("told") != code_of("first", one["unit"]) for one in second)
    yield Check("asked about the second matter without the word of the first", 0, wrong)
    sound = [key for key, call in calls.items() if not (call.crashes or call.tries)]
    yield Check("calls that nothing went wrong with", range(units // 2, len(calls)), len(sound))
    yield Check("  made more than once", 0, sum(times[key] > 1 for key in sound))
    whole = [key for key, call in calls.items() if not call.crashes]
    yield Check("calls made once more than their step says", 0, sum(times[k] > calls[k].attempts for k in whole))
    cut_off = sum(call.crashes for call in calls.values())
    yield Check("calls cut off by a death or a sleep", range(1, blows * _OF_ONE + 1), cut_off)
    repeated = sum(max(times[key] - call.attempts, 0) for key, call in calls.items())
    yield Check("  repeated for that", range(cut_off + 1), repeated)


def _key(call: Call) -> Any:
    return idempotency_key(call.profile_id, call.run_id, call.visit, call.created_at)


def _answered(calls: Any) -> int:
    return sum(call.state == Call.State.ANSWERED for call in calls)


def _runs(units: int) -> Iterator[Check]:
    """That each went its one way, once, and holds what it was told of its own unit."""
    runs = dict(Run.objects.filter(status=Run.Status.COMPLETED).values_list("id", "entry_key"))
    moves: defaultdict[int, list[int | None]] = defaultdict(list)
    for id_, step in Transition.objects.order_by("run_id", "seq").values_list("run_id", "step_to"):
        moves[id_].append(step)
    held, given = defaultdict[int, dict[str, Any]](dict), 0
    for one in Variable.objects.order_by("run_id", "name", "seq"):
        given += 1
        held[one.run_id][one.name] = value_of(one.text, one.number, one.boolean, one.moment)
    yield Check("runs that came to their end", units, len(runs))
    yield Check("  others", 0, Run.objects.count() - len(runs))
    yield Check("  by any other way than theirs", 0, sum(moves[id_] != [0, 1, 2] for id_ in runs))
    yield Check("  whose moves have a gap", 0, gaps())
    yield Check("  values that they were given", len(_MATTERS) * units, given)
    told = {id_: {matter: code_of(matter, unit) for matter in _MATTERS} for id_, unit in runs.items()}
    yield Check("  that hold anything but what they were told", 0, sum(held[id_] != told[id_] for id_ in runs))


PROMISE = Promise(
    "P14",
    "What a step asks another system is asked, once where nothing cut it off, and its run goes on by the reply",
    run,
    controls=("calls of the dead are left", "calls of the living are taken", "each attempt has a key"),
    code=("journeys/engine/", "journeys/steps/webhook.py", "channels/web/", "channels/providers/calls.py"),
    minutes=18,
)
