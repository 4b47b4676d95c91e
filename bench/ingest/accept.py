"""`ingest.accept`: events over HTTP until they are durable, against COPY of the same rows in the same portions."""

import time
from collections.abc import Set
from typing import Any

from django.conf import settings
from psycopg import Connection

from bench.database import connect, durability
from bench.ingest.server import post_all, web_worker
from bench.ingest.traffic import BATCH, bodies
from bench.ingest.world import ACCEPTED, copy_in, count, forget_accepted, make_source, read_rows
from bench.measure import Result, Side, Size, take_turns
from customers import keys
from customers.clock import utcnow

EVENTS = 50_000
PEOPLE = 20_000
WANTED = 0.40
_COLUMNS = {
    "customers_inbox": (
        ("received_at", "timestamptz"),
        ("source_id", "uuid"),
        ("message_id", "varchar"),
        ("kind", "varchar"),
        ("name", "varchar"),
        ("occurred_at", "timestamptz"),
        ("schema_version_id", "int8"),
        ("historical", "bool"),
        ("identifiers", "text"),
        ("identifier_keys", "int8[]"),
        ("payload", "text"),
    ),
    "customers_messagekey": (("key", "uuid"), ("fingerprint", "uuid"), ("received_at", "timestamptz")),
}


class Accept:
    def __init__(self, connection: "Connection[Any]", port: int, write_key: str, events: int) -> None:
        self.connection = connection
        self.port = port
        self.write_key = write_key
        self.events = events
        self.bodies = bodies(events, PEOPLE, utcnow())

    def over_http(self) -> float:
        forget_accepted(self.connection)
        began = time.perf_counter()
        accepted = post_all(self.port, self.write_key, self.bodies)
        seconds = time.perf_counter() - began
        self._check(accepted)
        return self.events / seconds

    def remember(self) -> None:
        """Keep the rows of the last round, for COPY to write the same."""
        self.rows = {table: read_rows(self.connection, table, _COLUMNS[table]) for table in ACCEPTED}

    def by_copy(self) -> float:
        forget_accepted(self.connection)
        began = time.perf_counter()
        for first in range(0, self.events, BATCH):
            with self.connection.transaction():
                for table in ACCEPTED:
                    copy_in(self.connection, table, _COLUMNS[table], self.rows[table][first : first + BATCH])
        seconds = time.perf_counter() - began
        self._check(self.events)
        return self.events / seconds

    def _check(self, accepted: int) -> None:
        found = [accepted, *(count(self.connection, table) for table in ACCEPTED)]
        if found != [self.events] * 3:
            raise RuntimeError(f"expected {self.events:,} accepted and stored twice, found {found}")


def measure(_wanted: Set[str], size: Size) -> list[Result]:
    _key, write_key = keys.issue(make_source())
    events = size.of(EVENTS, at_least=1000) // BATCH * BATCH
    with connect() as connection, web_worker() as port:
        accept = Accept(connection, port, write_key, events)
        accept.over_http()
        accept.remember()
        commits = durability(connection)
        ours = Side("over HTTP", accept.over_http, 2 * events, BATCH, 1, settings.WEB_THREADS, commits)
        baseline = Side("binary COPY", accept.by_copy, 2 * events, BATCH, 1, 1, commits)
        take_turns([ours, baseline], size.rounds)
    return [Result("ingest.accept", "events/s", ours, baseline, WANTED)]
