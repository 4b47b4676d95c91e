"""`ingest.memory`: how large a worker's process gets while a million events pass through all stages."""

import os
import tempfile
import time
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from django.db import connection as django_connection
from psycopg import Connection

from bench.database import connect, durability
from bench.ingest.pipeline import Pipeline
from bench.ingest.world import count, make_source
from bench.measure import Peak, Side, Size
from config import processes
from customers import bells
from journeys.engine.drain import STAGES

EVENTS = 1_000_000
# As many are read by the doors; the others repeat them under ids of their own.
READ = 50_000
MOST_MEGABYTES = 300
_PATIENCE_SECONDS = 3600
_COLUMNS = (
    "received_at, source_id, kind, name, occurred_at, schema_version_id, historical, time_source, assurance,"
    " unplanned, identifiers, identifier_keys, payload"
)
_FILL = f"""
    INSERT INTO customers_inbox (message_id, {_COLUMNS})
    SELECT i.message_id || '-' || copy, {_COLUMNS} FROM generate_series(1, %s) copy, bench_inbox i ORDER BY copy, i.id
"""


def measure(_wanted: Set[str], size: Size) -> list[Peak]:
    with connect() as connection, tempfile.TemporaryDirectory() as logs:
        events = size.of(EVENTS, at_least=1000)
        pipeline = Pipeline(connection, make_source(), min(events, READ))
        pipeline.set_up()
        copies = events // pipeline.events
        connection.execute("TRUNCATE customers_inbox")
        connection.execute(_FILL.encode(), [copies])
        with processes.engine({}, Path(logs)) as engine:
            bells.ring("engine")
            _wait(connection, engine)
            peak = max(_peaks(engine.pid))
        if count(connection, "customers_event") != copies * pipeline.events:
            raise RuntimeError("not every event passed")
        worker = Side(
            "the largest of its processes", lambda: peak, copies * pipeline.events, 1000, 2, 4, durability(connection)
        )
        worker.rates.append(peak)
    django_connection.close()
    return [Peak("ingest.memory", "MB", worker, MOST_MEGABYTES)]


def _wait(connection: "Connection[Any]", engine: processes.Process) -> None:
    """Until no stage has anything left that could be done now."""
    until = time.monotonic() + _PATIENCE_SECONDS
    queues = [queue.table for queue in STAGES if queue.ready == "true"]
    while any(count(connection, table) for table in queues):
        if not engine.is_alive() or time.monotonic() > until:
            raise RuntimeError(f"the worker does not get through:\n{engine.tail()}")
        time.sleep(0.5)


def _peaks(group: int) -> Iterator[float]:
    """Of each process in the group, the most memory it has had at once (Linux tells), in MB."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getpgid(int(status.parent.name)) == group:
                told = dict(line.split(":", 1) for line in status.read_text().splitlines())
                yield int(told["VmHWM"].split()[0]) / 1024
        except (FileNotFoundError, ProcessLookupError, KeyError):
            continue
