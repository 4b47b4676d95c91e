"""`ingest.pipeline`: from the inbox through resolve, consent, match and re-check, against COPY of the events."""

import time
from collections.abc import Set
from typing import Any

import orjson
from django.db import connection as django_connection
from psycopg import Connection

from bench.database import connect, durability, empty
from bench.ingest.traffic import bodies
from bench.ingest.world import Row, copy_in, count, forget_accepted, make_source, read_rows
from bench.measure import Result, Side, Size, take_turns
from bench.people import make_people
from customers import keys, work
from customers.accept import strict_json
from customers.accept.batch import Submission, accept
from customers.clock import utcnow
from customers.models import Source
from customers.pg import raw_json
from journeys.engine import lanes

EVENTS = 50_000
PEOPLE = 20_000
BATCH = 1000
WANTED = 0.30
_EVENT = (
    ("id", "int8"),
    ("received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("brand_id", "uuid"),
    ("source_id", "uuid"),
    ("profile_id", "uuid"),
    ("kind", "varchar"),
    ("name", "varchar"),
    ("message_id", "varchar"),
    ("schema_version_id", "int8"),
    ("historical", "bool"),
)
_PAYLOAD = (("event_id", "int8"), ("received_at", "timestamptz"), ("payload", "jsonb"))
_EVENTS, _PAYLOADS = "customers_event", "customers_eventpayload"
_FOLLOWING = (
    "customers_match_queue", "customers_merge_queue", "journeys_run", "journeys_runcontext", "journeys_transition",
    "journeys_entrymemory", "journeys_entryrefusal", "journeys_recheck_queue", "journeys_cancelwatch",
    "channels_message", "channels_messagecontent", "journeys_ruleinputs", "customers_profilemove",
)  # fmt: skip


class Pipeline:
    def __init__(self, connection: "Connection[Any]", source: Source, events: int) -> None:
        self.connection = connection
        self.events = events
        self.now = utcnow()
        self._fill_inbox(source)

    def _fill_inbox(self, source: Source) -> None:
        """What accept makes of the traffic, kept aside to be put back before each round."""
        writer = keys.writer_of(source.pk)
        if writer is None:
            raise RuntimeError("the source may not write")
        forget_accepted(self.connection)
        for body in bodies(self.events, PEOPLE, self.now):
            document = strict_json.parse(body)
            accept(Submission(document, "segment", False, document.value["batch"]), writer, self.now)
        with self.connection.transaction():
            self.connection.execute("DROP TABLE IF EXISTS bench_inbox")
            self.connection.execute("CREATE TABLE bench_inbox AS TABLE customers_inbox")

    def set_up(self) -> None:
        """People who are known, and nothing of what they did."""
        self._clear()
        make_people(self.connection, PEOPLE)

    def through_stages(self) -> float:
        self.set_up()
        with self.connection.transaction():
            self.connection.execute("INSERT INTO customers_inbox SELECT * FROM bench_inbox ORDER BY id")
        began = time.perf_counter()
        # As a worker does it.
        while not lanes.drain_in_lanes(lambda: self.now):
            pass
        seconds = time.perf_counter() - began
        self._check()
        return self.events / seconds

    def remember(self) -> None:
        """Keep the events of the last round, for COPY to write the same."""
        self.event_rows = read_rows(self.connection, _EVENTS, _EVENT)
        payloads = read_rows(self.connection, _PAYLOADS, _PAYLOAD)
        # Encoded beforehand: resolve hands payloads on as the text they came in, too.
        self.payload_rows: list[Row] = [(*row, raw_json(orjson.dumps(payload).decode())) for *row, payload in payloads]

    def by_copy(self) -> float:
        self._clear()
        began = time.perf_counter()
        for first in range(0, self.events, BATCH):
            with self.connection.transaction():
                copy_in(self.connection, _EVENTS, _EVENT, self.event_rows[first : first + BATCH])
                copy_in(self.connection, _PAYLOADS, _PAYLOAD, self.payload_rows[first : first + BATCH])
        seconds = time.perf_counter() - began
        self._check()
        return self.events / seconds

    def _clear(self) -> None:
        empty(self.connection, "customers_inbox", _EVENTS, _PAYLOADS, *_FOLLOWING)

    def _check(self) -> None:
        expected = {_EVENTS: self.events, _PAYLOADS: self.events, "customers_inbox": 0, "customers_match_queue": 0}
        found = {table: count(self.connection, table) for table in expected}
        if found != expected:
            raise RuntimeError(f"expected {expected}, found {found}")


def measure(_wanted: Set[str], size: Size) -> list[Result]:
    source = make_source()
    with connect() as connection:
        pipeline = Pipeline(connection, source, size.of(EVENTS, at_least=1000))
        pipeline.through_stages()
        pipeline.remember()
        rows = 2 * pipeline.events
        django_connection.ensure_connection()
        ours = Side(
            label="through the stages",
            run=pipeline.through_stages,
            rows=rows,
            batch=BATCH,
            processes=1,
            connections=4,  # for each of two lanes one for the work and one for the notes of who works on what
            durability=durability(django_connection.connection),
        )
        baseline = Side("binary COPY", pipeline.by_copy, rows, BATCH, 1, 1, durability(connection))
        take_turns([ours, baseline], size.rounds)
        lanes.close()
        work.close()
    django_connection.close()
    return [Result("ingest.pipeline", "events/s", ours, baseline, WANTED)]
