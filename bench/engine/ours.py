"""Our engine, stage by stage as a worker drains it, in virtual time."""

from datetime import datetime
from typing import Any, Self

from django.db import connection as django_connection
from psycopg import Connection

from bench.database import durability
from bench.engine.drain import close, drain
from bench.engine.tables import check, clear
from bench.journey import LOG_IN, PATIENCE, PAUSE, REST, SIGN_UP, STEPS_TAKEN, T0
from bench.measure import Side
from bench.people import key

# What resolve would have left: events with their payload, queued for match.
_EVENTS = f"""
    WITH person AS (
        SELECT n, {key(0)} AS profile_id FROM generate_series(1, %(runs)s) n WHERE n %% %(every)s = 0
    ), event AS (
        INSERT INTO customers_event
            (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id)
        SELECT nextval('customers_event_id_seq'), %(now)s, %(now)s, s.brand_id, s.id, p.profile_id, 'track',
            %(name)s::text, %(name)s::text || p.n
        FROM customers_source s, person p ORDER BY p.n
        RETURNING id, received_at, occurred_at, profile_id, brand_id, name, message_id
    ), payload AS (
        INSERT INTO customers_eventpayload (event_id, received_at, payload)
        SELECT id, received_at, jsonb_build_object('properties', jsonb_build_object(
            'plan', 'pro', 'referred', id %% 2 = 0, 'campaign', 'spring', 'page', '/sign-up', 'ref', id))
        FROM event
    )
    INSERT INTO customers_match_queue (event_id, received_at, occurred_at, profile_id, brand_id, name, message_id)
    SELECT id, received_at, occurred_at, profile_id, brand_id, name, message_id FROM event ORDER BY id
"""


class Ours:
    def __init__(self, connection: "Connection[Any]", runs: int) -> None:
        self.connection = connection
        self.runs = runs

    def side(self) -> Side:
        django_connection.ensure_connection()
        return Side(
            label="the engine",
            run=self.run,
            rows=self.runs * STEPS_TAKEN,
            batch=1000,
            processes=1,
            connections=4,  # two lanes, each with one for the work and one for the notes of who works on what
            durability=durability(django_connection.connection),
        )

    def run(self) -> float:
        """Transitions a second, from the entry events to the end of the last run."""
        clear(self.connection)
        seconds = 0.0
        self._happen(SIGN_UP, 1, T0)
        seconds += drain(T0)
        seconds += drain(T0 + PAUSE)
        self._happen(LOG_IN, 2, T0 + 2 * PAUSE)
        seconds += drain(T0 + 2 * PAUSE)
        seconds += drain(T0 + PAUSE + PATIENCE)
        seconds += drain(T0 + PAUSE + PATIENCE + REST)
        check(self.connection, self.runs)
        return self.runs * STEPS_TAKEN / seconds

    def _happen(self, name: str, every: int, now: datetime) -> None:
        values = {"runs": self.runs, "every": every, "name": name, "now": now}
        self.connection.execute(_EVENTS, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        close()
