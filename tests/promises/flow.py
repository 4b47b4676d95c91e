"""Work of every kind that needs no message: people begin units of a journey, answer some, and the rest time out.

Who tells of them insists until the answer is there, as partners are asked to: each unit must come to its end once.
"""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from math import ceil
from typing import Any, Final

from django.db import connection, connections

from config.loop.checks import Check
from config.loop.quiet import waiting
from consent.models import Purpose
from customers.clock import utcnow
from journeys.models import Journey
from journeys.publish import publish
from tests.promises.client import Client, in_parallel
from tests.promises.stage import Stage

_CLIENTS: Final = 4
_BATCH: Final = 10
_HOLD: Final = timedelta(seconds=4)
_REST: Final = timedelta(seconds=1)
_MOST_TRIES: Final = 400
DOCUMENT: Final[dict[str, Any]] = {
    "purpose": "flow",
    "states": [
        {"name": "begun", "kind": "initial"},
        {"name": "answered", "kind": "success"},
        {"name": "left", "kind": "failure"},
    ],
    "transitions": [["begun", "answered"], ["begun", "left"]],
    "entry": {"event": "unit.begun", "key": "unit", "reentry": "always", "guard": "none",
              "guard_reason": "Nothing is sent."},
    "steps": [
        {"id": "answer", "type": "hold", "state": "begun",
         "branches": [{"event": "unit.answered", "key": "unit", "next": "answered"}],
         "timeout": {"after": "PT4S", "next": "rest"}},
        {"id": "answered", "type": "exit", "state": "answered"},
        {"id": "rest", "type": "delay", "state": "begun", "after": "PT1S", "next": "left"},
        {"id": "left", "type": "exit", "state": "left"},
    ],
}  # fmt: skip
# Of every unit, how often it came to an end, in which state, and how much later than it should have, in seconds.
_ENDS: Final = """
    SELECT r.entry_key, r.status, r.state,
           extract(epoch FROM coalesce(r.ended_at, now()) - c.event_received_at)
             - CASE WHEN r.state = 1 THEN 0 ELSE %s END
    FROM journeys_run r JOIN journeys_runcontext c ON c.run_id = r.id
    JOIN journeys_journey j ON j.id = r.journey_id WHERE j.key = 'flow' AND r.entry_key ~ '^[0-9]+$'
"""
_GAPS: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM journeys_run r JOIN journeys_transition t ON t.run_id = r.id
        GROUP BY r.id, r.seq HAVING count(*) <> r.seq OR max(t.seq) <> r.seq OR min(t.seq) <> 1
    ) broken
"""
_COMPLETED: Final = 2
_ANSWERED: Final = 1


class Flow:
    """Clients that begin units while this is entered; those of even numbers are answered at once."""

    def __init__(self, stage: Stage, partner: Client, per_second: float) -> None:
        self._partner, self._pause = partner, _CLIENTS * _BATCH / per_second
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=in_parallel, args=(_CLIENTS, self._client, range(_CLIENTS)))
        self.units = 0
        self.told: set[int] = set()
        self.asked_again = 0
        # How long each call took that was answered.
        self.seconds: list[float] = []
        Purpose.objects.create(brand=stage.brand, key="flow", name="Flow", kind=Purpose.Kind.MARKETING)
        journey = Journey.objects.create(brand=stage.brand, key="flow", name="Flow")
        publish(journey, DOCUMENT, by=None, now=utcnow())

    def __enter__(self) -> "Flow":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _client(self, _number: int) -> None:
        while not self._ending.is_set():
            with self._lock:
                units = range(self.units, self.units + _BATCH)
                self.units += _BATCH
            if self._insist([_event("begun", unit) for unit in units]):
                self._insist([_event("answered", unit) for unit in units if unit % 2 == 0])
                with self._lock:
                    self.told.update(units)
            self._ending.wait(self._pause)

    def _insist(self, events: list[dict[str, Any]]) -> bool:
        """Send until it is answered: each event has an id, by which a repetition is none."""
        for _attempt in range(_MOST_TRIES):
            began = time.monotonic()
            reply = self._partner.post("/api/v1/events/batch", {"events": events})
            if reply is not None and reply.status == 200:
                with self._lock:
                    self.seconds.append(time.monotonic() - began)
                return not reply.json["rejected"]
            with self._lock:
                self.asked_again += 1
            time.sleep(0.1)
        return False


def _event(what: str, unit: int) -> dict[str, Any]:
    return {
        "name": f"unit.{what}",
        "id": f"{what}-{unit}",
        "identifiers": {"user_id": f"person-{unit}"},
        "properties": {"unit": str(unit)},
    }


def drained(seconds: float) -> dict[str, int]:
    """What still waits when nothing does any more, or when so many seconds are over."""
    until = time.monotonic() + seconds
    while (left := waiting()) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def ends(flow: Flow, most_late: int) -> Iterator[Check]:
    """That every unit told of came to its end once, the right way, and none later than so many seconds."""
    # Whatever was killed meanwhile may have taken our own connection with it.
    connections.close_all()
    with connection.cursor() as cursor:
        cursor.execute(_ENDS, [(_HOLD + _REST).total_seconds()])
        rows = cursor.fetchall()
    by_unit = {int(unit): (status, state) for unit, status, state, _late in rows}
    done = {unit for unit, (status, _state) in by_unit.items() if status == _COMPLETED}
    wrong = sum(by_unit[unit] != (_COMPLETED, 2 - (unit % 2 == 0)) for unit in flow.told & done)
    yield Check("units begun", flow.units, len(flow.told))
    yield Check("  lost", 0, len(flow.told - by_unit.keys()))
    yield Check("  begun twice", 0, len(rows) - len(by_unit))
    yield Check("  that never came to an end", 0, len(flow.told & by_unit.keys() - done))
    yield Check("  that took the wrong way", 0, wrong)
    yield Check("  late by so many seconds at most", range(most_late + 1), ceil(max((r[3] for r in rows), default=0)))
    yield Check("  runs whose moves have a gap", 0, gaps())


def gaps() -> int:
    """Runs whose moves are not numbered one by one."""
    with connection.cursor() as cursor:
        cursor.execute(_GAPS)
        return int(cursor.fetchone()[0])


def percentile_ms(seconds: list[float], share: float) -> int:
    return round(sorted(seconds)[ceil(share * len(seconds)) - 1] * 1000) if seconds else 0
