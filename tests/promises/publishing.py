"""PUBLISH: a journey published while events pour in misses none of those that it waits for."""

import threading
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection

from config.loop.checks import Check
from consent.models import Purpose
from customers.clock import utcnow
from customers.models import Event
from journeys.models import Journey
from journeys.publish import publish
from tests.promises.client import Client, in_parallel
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_CLIENTS = 4
_BATCH = 10
# No more than workers can keep up with, so that they are at the present round.
_PAUSE_SECONDS = 0.1
_ANY = {"leaf": "event_property", "name": "n", "op": "eq", "value": "any"}
# Events whose resolve was committed after the version went live, and the people of them that have no run. The lab's
# PostgreSQL keeps when what was committed.
_STORED_AFTER = """
    SELECT count(*), count(*) FILTER (WHERE r.id IS NULL)
    FROM customers_event e
    JOIN customers_profile p ON p.id = e.profile_id
    JOIN journeys_journey j ON j.id = %s
    LEFT JOIN journeys_run r ON r.journey_id = j.id AND r.customer_id = p.customer_id
    WHERE e.name = %s AND pg_xact_commit_timestamp(e.xmin) > pg_xact_commit_timestamp(j.xmin)
"""
_ENTERED = """
    SELECT e.message_id FROM customers_event e
    JOIN customers_profile p ON p.id = e.profile_id
    JOIN journeys_run r ON r.journey_id = %s AND r.customer_id = p.customer_id
    WHERE e.name = %s
"""


def run(stage: Stage) -> Iterator[Check]:
    stage.start_web(2)
    # With and without the safeguard resolve takes its time, so that publishing meets it in the middle.
    stage.start_engine({"TRILHA_LAB_FAULT": "slow resolve"})
    Purpose.objects.create(brand=stage.brand, key="news", name="News", kind=Purpose.Kind.MARKETING)
    rounds = stage.size(50, 8)
    load = _Load(stage.partner())
    journeys: list[tuple[Journey, str]] = []
    sent_after: list[set[str]] = []
    with load:
        for number in range(rounds):
            load.name = name = f"Round {number}"
            # Workers that are behind would meet the publishing with events of the round before.
            stage.until(Event.objects.filter(name=name).exists, "an event of the round")
            time.sleep(stage.chance.uniform(0, 0.1))
            journeys.append((_publish(stage, number, name), name))
            live = load.number
            time.sleep(stage.chance.uniform(0.1, 0.3))
            sent_after.append({f"event-{n}" for n in load.of_name(name) if n >= live})
    stage.settle("the last event")

    stored = [_stored_after(*round_) for round_ in journeys]
    entered = [_entered(*round_) for round_ in journeys]
    missed = [sent - came for sent, came in zip(sent_after, entered, strict=True)]
    yield Check("rounds with such events", range(1, rounds + 1), sum(n > 0 for n, _missed in stored))
    yield Check("events stored after a journey of theirs went live", range(1, 10**7), sum(n for n, _missed in stored))
    yield Check("  missed by it", 0, sum(missed for _n, missed in stored))
    yield Check("events sent after its publishing had returned", range(1, 10**7), sum(map(len, sent_after)))
    yield Check("  missed by it", 0, sum(map(len, missed)))
    yield Check("events sent and refused", 0, load.refused)


class _Load:
    """Clients that send events of the present name, each of another person, until told to end."""

    def __init__(self, partner: Client) -> None:
        self.name = "Before"
        self.refused = 0
        self.number = 0
        self._partner = partner
        self._names: dict[int, str] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=in_parallel, args=(_CLIENTS, self._client, range(_CLIENTS)))

    def __enter__(self) -> "_Load":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join()

    def of_name(self, name: str) -> list[int]:
        with self._lock:
            return [number for number, its in self._names.items() if its == name]

    def _client(self, _number: int) -> None:
        while not self._ending.is_set():
            with self._lock:
                numbers = range(self.number, self.number + _BATCH)
                self.number += _BATCH
                name = self.name
                self._names.update(dict.fromkeys(numbers, name))
            events = [_event(number, name) for number in numbers]
            reply = self._partner.post("/api/v1/events/batch", {"events": events})
            self.refused += reply is None or reply.status != 200
            time.sleep(_PAUSE_SECONDS)


def _event(number: int, name: str) -> dict[str, Any]:
    return {"name": name, "id": f"event-{number}", "identifiers": {"user_id": f"person-{number}"}}


def _publish(stage: Stage, number: int, event: str) -> Journey:
    journey = Journey.objects.create(brand=stage.brand, key=f"round-{number}", name=f"Round {number}")
    document = {
        "purpose": "news",
        "states": [{"name": "come", "kind": "initial"}, {"name": "gone", "kind": "success"}],
        "transitions": [["come", "gone"]],
        "entry": {"event": event, "guard": "none", "guard_reason": "Nothing is sent."},
        "steps": [
            {"id": "which", "type": "split", "state": "come", "branches": [{"rule": _ANY, "next": "over"}],
             "otherwise": "over"},
            {"id": "over", "type": "exit", "state": "gone"},
        ],
    }  # fmt: skip
    publish(journey, document, by=None, now=utcnow())
    return journey


def _stored_after(journey: Journey, name: str) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_STORED_AFTER, [journey.pk, name])
        stored, missed = cursor.fetchone()
        return stored, missed


def _entered(journey: Journey, name: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTERED, [journey.pk, name])
        return {row[0] for row in cursor.fetchall()}


PROMISE = Promise(
    "PUBLISH",
    "Publishing a journey under load misses no entry",
    run,
    controls=("names read without the lock",),
    code=("customers/awaited.py", "customers/resolve/", "journeys/publish.py", "journeys/engine/"),
    minutes=10,
)
