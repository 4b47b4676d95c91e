"""Runs the task-per-step design with a real broker and two worker processes."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from django.db import connection as django_connection
from psycopg import Connection

from bench.database import durability
from bench.engine.per_step_tasks import enter
from bench.engine.tables import check, clear
from bench.journey import STEPS_TAKEN
from bench.measure import Side
from bench.worker import QUEUE, app
from journeys.models import JourneyVersion

PROCESSES = 2
_ROOT = Path(__file__).parents[2]
_WARM_UP = 20
_COMMAND = (
    sys.executable, "-m", "celery", "-A", "bench.worker", "worker", "--pool=prefork",
    f"--concurrency={PROCESSES}", f"--queues={QUEUE}", f"--hostname={QUEUE}@%h", "--loglevel=error",
    "--without-gossip", "--without-mingle",
)  # fmt: skip


class PerStep:
    def __init__(self, connection: "Connection[Any]", version: JourneyVersion, runs: int) -> None:
        self.connection = connection
        self.version = version
        self.runs = runs

    def __enter__(self) -> Self:
        app.control.purge()
        self.worker = subprocess.Popen(_COMMAND, cwd=_ROOT, stdout=subprocess.DEVNULL)
        self._play(_WARM_UP)
        return self

    def __exit__(self, *_error: object) -> None:
        self.worker.terminate()
        self.worker.wait()
        with app.connection_or_acquire() as broker:
            broker.default_channel.queue_delete(QUEUE)

    def side(self) -> Side:
        django_connection.ensure_connection()
        return Side(
            label="a Celery task per step",
            run=lambda: self._play(self.runs),
            rows=self.runs * STEPS_TAKEN,
            batch=1,
            processes=PROCESSES,
            connections=PROCESSES,
            durability=durability(django_connection.connection),
        )

    def _play(self, runs: int) -> float:
        clear(self.connection)
        began = time.perf_counter()
        for n in range(1, runs + 1):
            enter.delay(self.version.pk, n)
        while self._ended() < runs:
            if self.worker.poll() is not None:
                raise RuntimeError("the Celery worker has gone")
            time.sleep(0.05)
        seconds = time.perf_counter() - began
        check(self.connection, runs)
        return runs * STEPS_TAKEN / seconds

    def _ended(self) -> int:
        row = self.connection.execute("SELECT count(*) FROM journeys_run WHERE status = 2").fetchone()
        return int(row[0]) if row else 0
