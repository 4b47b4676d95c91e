"""`engine.resume`: events of which few mean anything to the two hundred thousand who wait, against the bare updates."""

import time
from collections.abc import Set
from functools import cache
from typing import Any, Final

from django.db import connection as django_connection
from psycopg import Connection

from bench.database import connect, durability, empty
from bench.engine.drain import close, drain
from bench.journey import T0, make_journey
from bench.measure import Result, Side, Size, take_turns
from bench.people import key, make_people
from customers.sql import ensure_partitions
from journeys.models import Journey, JourneyVersion
from journeys.publish import publish

WANTED: Final = 0.4
WAITING: Final = 200_000
EVENTS: Final = 50_000
_BATCH: Final = 1000
# One event of so many is what somebody waits for.
_MEANING: Final = 10
_STEP_WAIT, _STEP_REST, _CAUSE_EVENT, _CAUSE_ENTERED = 0, 1, 3, 1
_TABLES: Final = (
    "journeys_run", "journeys_runcontext", "journeys_transition", "journeys_recheck_queue", "journeys_entrymemory",
    "journeys_entryrefusal", "customers_event", "customers_eventpayload", "customers_match_queue",
    "customers_batchclaim",
)  # fmt: skip
_RUNS: Final = f"""
    INSERT INTO journeys_run (id, journey_id, version_id, customer_id, profile_id, entry_key, status, step, state,
        seq, entered_at, stepped_at, due_at)
    SELECT n, %(journey)s, %(version)s, {key(0)}, {key(0)}, '', 1, {_STEP_WAIT}, 0, 1, %(then)s, %(then)s,
        %(then)s::timestamptz + interval '30 days'
    FROM generate_series(1, %(waiting)s) n
"""
_CONTEXTS: Final = """
    INSERT INTO journeys_runcontext (run_id, event_id, event_received_at, occurred_at, message_id, variables)
    SELECT n, NULL, %(then)s, %(then)s, 'begun' || n, '{}' FROM generate_series(1, %(waiting)s) n
"""
_MOVES: Final = f"""
    INSERT INTO journeys_transition (run_id, seq, at, step_to, state_to, cause)
    SELECT n, 1, %(then)s, {_STEP_WAIT}, 0, {_CAUSE_ENTERED} FROM generate_series(1, %(waiting)s) n
"""
# Spread over all who wait; of the others half come from people who wait for something else, half from people who wait
# for nothing.
_EVENTS: Final = f"""
    WITH one AS (
        SELECT e, CASE WHEN e %% {_MEANING} = 0 THEN 'visit.paid' ELSE 'page.seen' END AS name,
            CASE WHEN e %% {_MEANING} = 0 OR e %% 2 = 0 THEN 1 + (e::bigint * 7919) %% %(waiting)s
                ELSE %(waiting)s + 1 + e %% %(others)s END AS n
        FROM generate_series(1, %(events)s) e
    ), event AS (
        INSERT INTO customers_event
            (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id)
        SELECT nextval('customers_event_id_seq'), %(now)s, %(now)s, s.brand_id, s.id, {key(0)}, 'track', o.name,
            o.name || o.e
        FROM customers_source s, one o ORDER BY o.e
        RETURNING id, received_at, occurred_at, profile_id, brand_id, name, message_id
    )
    INSERT INTO customers_match_queue (event_id, received_at, occurred_at, profile_id, brand_id, name, message_id)
    SELECT id, received_at, occurred_at, profile_id, brand_id, name, message_id FROM event ORDER BY id
"""
_BY_HAND: Final = f"""
    UPDATE journeys_run r SET step = {_STEP_REST}, seq = seq + 1, stepped_at = %(now)s,
        due_at = %(now)s::timestamptz + interval '1 hour'
    FROM unnest(%(customers)s::uuid[]) AS u(customer_id) WHERE r.customer_id = u.customer_id AND r.status = 1
"""
_DOCUMENT: Final[dict[str, Any]] = {
    "purpose": "news",
    "states": [{"name": "in", "kind": "initial"}, {"name": "out", "kind": "success"}],
    "transitions": [["in", "out"]],
    "entry": {"event": "visit.begun", "guard": "none", "guard_reason": "Nothing is sent."},
    "steps": [
        {"id": "wait", "type": "hold", "state": "in", "branches": [{"event": "visit.paid", "next": "rest"}],
         "timeout": {"after": "P30D", "next": "over"}},
        {"id": "rest", "type": "delay", "state": "in", "after": "PT1H", "next": "over"},
        {"id": "over", "type": "exit", "state": "out"},
    ],
}  # fmt: skip


def measure(_wanted: Set[str], size: Size) -> list[Result]:
    ensure_partitions(T0)
    with connect() as connection:
        resuming = Resuming(connection, size)
        sides = [resuming.side("the matcher", resuming.ours, 4), resuming.side("bare updates", resuming.by_hand, 1)]
        try:
            take_turns(sides, size.rounds)
        finally:
            close()
    return [Result("engine.resume", "events/s", sides[0], sides[1], WANTED)]


@cache
def _journey() -> JourneyVersion:
    brand = make_journey().journey.brand
    return publish(Journey.objects.create(brand=brand, key="visits", name="Visits"), _DOCUMENT, by=None, now=T0)


class Resuming:
    def __init__(self, connection: "Connection[Any]", size: Size) -> None:
        self._connection = connection
        self._events = size.of(EVENTS, at_least=_BATCH)
        version = _journey()
        self._values: dict[str, Any] = {
            "journey": version.journey_id,
            "version": version.pk,
            "then": T0,
            "now": T0.replace(hour=T0.hour + 1),
            "waiting": size.of(WAITING, at_least=10_000),
            "others": size.of(WAITING, at_least=10_000) // 4,
            "events": self._events,
        }
        make_people(connection, self._values["waiting"] + self._values["others"])

    def side(self, label: str, run: Any, connections: int) -> Side:
        django_connection.ensure_connection()
        return Side(label, run, self._events, _BATCH, 1, connections, durability(django_connection.connection))

    def ours(self) -> float:
        self._wait()
        self._connection.execute(_EVENTS.encode(), self._values)
        self._connection.execute("ANALYZE customers_match_queue")
        seconds = drain(self._values["now"])
        self._check()
        return self._events / seconds

    def by_hand(self) -> float:
        """Whoever is meant is known beforehand, and nothing else is written of it."""
        self._wait()
        waiting, matching = self._values["waiting"], _MEANING
        numbers = [1 + (e * 7919) % waiting for e in range(matching, self._events + 1, matching)]
        each = _BATCH // matching
        batches = [self._customers(numbers[start : start + each]) for start in range(0, len(numbers), each)]
        began = time.perf_counter()
        for customers in batches:
            with self._connection.transaction():
                values = {"now": self._values["now"], "customers": customers}
                self._connection.execute(_BY_HAND.encode(), values, prepare=True)
        seconds = time.perf_counter() - began
        self._check()
        return self._events / seconds

    def _wait(self) -> None:
        empty(self._connection, *_TABLES)
        for statement in (_RUNS, _CONTEXTS, _MOVES):
            self._connection.execute(statement.encode(), self._values)
        self._connection.execute("ANALYZE journeys_run")

    def _customers(self, numbers: list[int]) -> list[str]:
        return [f"00000000-0000-7000-8000-{number:012x}" for number in numbers]

    def _check(self) -> None:
        """Whoever did it, those who were meant went on, and nobody else."""
        rows = self._connection.execute("SELECT count(*) FROM journeys_run WHERE step = 1 AND seq = 2").fetchall()
        moved = len({(e * 7919) % self._values["waiting"] for e in range(_MEANING, self._events + 1, _MEANING)})
        if rows[0][0] != moved:
            raise RuntimeError(f"{rows[0][0]} went on instead of {moved}")
