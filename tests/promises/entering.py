"""P13: however many events bring somebody in at once, by however many workers, the rule says how often they are in."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from config.loop.checks import Check
from config.loop.killer import await_ready
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import EntryRefusal, Journey, Run
from journeys.publish import publish
from tests.promises.client import Client, in_parallel
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_TIMES: Final = 10
_CLIENTS: Final = 8
_BATCH: Final = 20
_KEYS: Final = 2
# By journey: how people come in, whether they stay, and of ten events how often somebody is in and why not otherwise.
_RULES: Final[dict[str, tuple[dict[str, Any], bool, int, str]]] = {
    "once, and stay": ({"reentry": "never"}, True, 1, "already_live"),
    "once, and leave": ({"reentry": "never"}, False, 1, "not_again"),
    "an hour later, and leave": ({"reentry": "after", "reentry_after": "PT1H"}, False, 1, "not_yet"),
    "always, and stay": ({"reentry": "always"}, True, 1, "already_live"),
    "always, and leave": ({"reentry": "always"}, False, _TIMES, ""),
    "a run for each key": ({"reentry": "always", "key": "side"}, True, _KEYS, "already_live"),
}


def run(stage: Stage) -> Iterator[Check]:
    journeys = {
        name: _publish(stage, name, entry, stays=stays) for name, (entry, stays, _times, _reason) in _RULES.items()
    }
    stage.start_web(2)
    for worker in [stage.start_engine() for _number in range(stage.size(4, 2))]:
        await_ready(worker)
    partner = stage.partner()
    stage.start_beat()
    people = stage.size(5_000, 60)
    accepted = sum(in_parallel(_CLIENTS, lambda part: _tell(partner, part), _shuffled(stage, people)))
    stage.settle("the entries", stays=["live runs"])

    yield Check("events that bring somebody in", people * _TIMES, accepted)
    for name, (_entry, _stays, times, reason) in _RULES.items():
        runs = Counter(Run.objects.filter(journey=journeys[name]).values_list("customer_id", flat=True))
        yield Check(f"{name}: people who came in", people, len(runs))
        yield Check("  more or less often than that", 0, sum(n != times for n in runs.values()))
        refused = Counter(EntryRefusal.objects.filter(journey_id=journeys[name]).values_list("reason", flat=True))
        wanted = {reason: people * (_TIMES - times)} if times < _TIMES else {}
        yield Check("  refusals, each with its reason", wanted, dict(refused))
    yield Check("dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


def _shuffled(stage: Stage, people: int) -> list[list[dict[str, object]]]:
    """Ten events of each, in batches that hold those of one person apart from each other."""
    events = [_event(person, time) for time in range(_TIMES) for person in stage.chance.sample(range(people), people)]
    parts = [events[start : start + _BATCH] for start in range(0, len(events), _BATCH)]
    stage.chance.shuffle(parts)
    return parts


def _event(person: int, time: int) -> dict[str, object]:
    return {
        "name": "door.knocked",
        "id": f"{person}-{time}",
        "identifiers": {"user_id": f"person-{person}"},
        "properties": {"side": f"side {time % _KEYS}"},
    }


def _tell(partner: Client, events: list[dict[str, object]]) -> int:
    for _attempt in range(3):
        reply = partner.post("/api/v1/events/batch", {"events": events})
        if reply is not None and reply.status == 200:
            return int(reply.json["accepted"] + reply.json["duplicates"])
    return 0


def _publish(stage: Stage, name: str, entry: dict[str, Any], *, stays: bool) -> UUID:
    Purpose.objects.get_or_create(brand=stage.brand, key="flow", name="Flow", kind=Purpose.Kind.MARKETING)
    arms = [{"name": name, "share": 50, "next": "over"} for name in ("one", "other")]
    on = {"id": "on", "type": "random_split", "state": "in", "arms": arms}
    wait = {"id": "wait", "type": "delay", "state": "in", "after": "P30D", "next": "over"}
    document = {
        "purpose": "flow",
        "states": [{"name": "in", "kind": "initial"}, {"name": "out", "kind": "success"}],
        "transitions": [["in", "out"]],
        "entry": {"event": "door.knocked", "guard": "none", "guard_reason": "Nothing is sent."} | entry,
        "steps": [wait if stays else on, {"id": "over", "type": "exit", "state": "out"}],
    }
    key = "-".join(word.strip(",") for word in name.split())
    journey = Journey.objects.create(brand=stage.brand, key=key, name=name)
    publish(journey, document, by=None, now=utcnow())
    return journey.pk


PROMISE = Promise(
    "P13",
    "However many events bring somebody in at once, they are in as often as the rule says",
    run,
    controls=("check, then insert",),
    code=("journeys/engine/", "journeys/models/"),
    minutes=15,
)
