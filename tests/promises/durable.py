"""P1: what was accepted is on disk before the answer leaves, whatever is killed whenever."""

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.db import connection, connections

from config.loop.checks import Check
from tests.promises.client import Client, Reply, in_parallel
from tests.promises.journal import Journal
from tests.promises.killer import Killer
from tests.promises.plan import Promise
from tests.promises.stage import Stage

_CLIENTS = 8
_PEOPLE = 500
_PAUSE_SECONDS = 0.03
_DRAIN_SECONDS = 120.0


def run(stage: Stage) -> Iterator[Check]:
    web, worker = stage.start_web(2), stage.start_engine()
    journal = Journal(stage.logs / "journal.jsonl")
    loader = _Loader(stage, journal, stage.partner(), stage.size(100, 10), stage.size(100_000, 1_000))
    with Killer(stage, web, worker, stage.size(200, 5)) as killer:
        loader.load_until(killer.is_done)
        counts = dict(killer.counts)
    journal.close()
    # Our own connection has not outlived PostgreSQL either.
    connections.close_all()
    told = journal.read()
    stage.until(lambda: not _waiting(), "the last of the inbox", _DRAIN_SECONDS)
    stored = _stored()

    yield Check("killed", killer.planned, counts)
    yield Check("events sent", range(loader.events, len(told.invoke) + 1), len(told.invoke))
    yield Check("  accepted", range(1, len(told.invoke) + 1), len(told.ok))
    yield Check("  accepted and lost", 0, told.lost(stored))
    yield Check("  stored unexpectedly", 0, told.unexpected(stored))
    yield Check("  stored twice", 0, len(stored) - len(set(stored)))
    yield Check("  recovered: stored, and nobody was told", range(len(told.info) + 1), told.recovered(stored))
    yield Check("  stored and not processed", 0, _waiting())
    yield Check("  dead letters", 0, stage.count("SELECT count(*) FROM customers_deadletter"))


class _Loader:
    """Sends single events and batches in turns, each call once."""

    def __init__(self, stage: Stage, journal: Journal, partner: Client, batch: int, events: int) -> None:
        self.events = events
        self._journal, self._partner, self._batch = journal, partner, batch
        self._numbers = itertools.count()
        self._sent = 0
        self._lock = threading.Lock()
        self._run_id = stage.chance.randrange(10**9)

    def load_until(self, is_enough: Any) -> None:
        def client(number: int) -> None:
            for turn in itertools.count(number):
                if is_enough() and self._sent >= self.events:
                    return
                self._call(1 if turn % 2 else self._batch)
                time.sleep(_PAUSE_SECONDS)

        in_parallel(_CLIENTS, client, range(_CLIENTS))

    def _call(self, size: int) -> None:
        ids = [f"{self._run_id}-{next(self._numbers)}" for _event in range(size)]
        self._journal.write("invoke", ids)
        with self._lock:
            self._sent += size
        events = [_event(id_) for id_ in ids]
        if size == 1:
            reply = self._partner.post("/api/v1/events", events[0])
        else:
            reply = self._partner.post("/api/v1/events/batch", {"events": events})
        self._journal.write(_class_of(reply), ids)


def _class_of(reply: Reply | None) -> str:
    if reply is None or reply.status >= 500:
        return "info"
    return "ok" if reply.status == 200 else "fail"


def _event(id_: str) -> dict[str, Any]:
    return {"name": "Item Seen", "id": id_, "identifiers": {"user_id": f"u-{hash(id_) % _PEOPLE}"}}


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_inbox")
        return int(cursor.fetchone()[0])


def _stored() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT message_id FROM customers_inbox UNION ALL SELECT message_id FROM customers_event")
        return [row[0] for row in cursor.fetchall()]


PROMISE = Promise(
    "P1",
    "Durable accept: what was answered 2xx is in PostgreSQL, whatever is killed whenever",
    run,
    controls=("answer before the commit", "synchronous_commit off"),
    code=(
        "customers/accept/",
        "customers/api/",
        "customers/resolve/",
        "customers/work.py",
        "customers/attempts.py",
        "config/",
    ),
    minutes=30,
)
