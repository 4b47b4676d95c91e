"""`latency.event_to_message`: from the answer to an event until the message it leads to is committed, with a real
broker and fifty events a second."""

import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Set
from http.client import HTTPConnection
from math import ceil
from pathlib import Path
from typing import Final

import orjson
from django.db import connection as django_connection

from bench.database import connect, durability
from bench.engine.tables import clear
from bench.ingest.server import web_worker
from bench.journey import SIGN_UP, make_journey
from bench.measure import Peak, Side, Size
from bench.people import make_people
from config import processes
from customers import keys
from customers.clock import utcnow
from customers.models import Source
from customers.sql import ensure_partitions

MOST_MS: Final = 100
EVENTS: Final = 2_000
PER_SECOND: Final = 50
_WARM_UP: Final = 100
_PATIENCE_SECONDS: Final = 60.0
# What is told in a transaction is heard once it is committed.
_TELL: Final = """
    CREATE OR REPLACE FUNCTION bench_tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('bench_message', NEW.profile_id::text); RETURN NEW; END $$;
    CREATE OR REPLACE TRIGGER bench_tell AFTER INSERT ON channels_message FOR EACH ROW EXECUTE FUNCTION bench_tell();
"""


def measure(_wanted: Set[str], size: Size) -> list[Peak]:
    make_journey()
    ensure_partitions(utcnow())
    events = size.of(EVENTS, at_least=200)
    with connect() as connection, _Listener() as heard, tempfile.TemporaryDirectory() as logs:
        make_people(connection, size.rounds * events + _WARM_UP)
        clear(connection)
        connection.execute(_TELL)
        with web_worker() as port, processes.engine({}, Path(logs)):
            write_key = keys.issue(Source.objects.get())[1]
            _spend(_Door(port, write_key), heard, range(1, _WARM_UP + 1))
            durable = durability(connection)
            side = Side("95 of 100 within", lambda: 0.0, events, 1, 2, 4, durable)
            for turn in range(size.rounds):
                first = 1 + _WARM_UP + turn * events
                side.rates.append(_spend(_Door(port, write_key), heard, range(first, first + events)))
        connection.execute("DROP TRIGGER bench_tell ON channels_message")
        clear(connection)
    django_connection.close()
    return [Peak("latency.event_to_message", "ms", side, MOST_MS)]


def _spend(door: "_Door", heard: "_Listener", people: range) -> float:
    """Have these people sign up, so many a second; within how many ms 95 of 100 of their messages are there."""
    answered: dict[int, float] = {}
    began = time.perf_counter()
    for place, person in enumerate(people):
        time.sleep(max(0.0, began + place / PER_SECOND - time.perf_counter()))
        door.sign_up(person)
        answered[person] = time.perf_counter()
    until = time.perf_counter() + _PATIENCE_SECONDS
    while not heard.at.keys() >= answered.keys():
        if time.perf_counter() > until:
            raise RuntimeError(f"{len(answered.keys() - heard.at.keys())} of {len(people)} got no message")
        time.sleep(0.05)
    waited = sorted(heard.at[person] - at for person, at in answered.items())
    return waited[ceil(0.95 * len(waited)) - 1] * 1000


class _Door:
    """A client that keeps its connection."""

    def __init__(self, port: int, write_key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        token = b64encode(f"{write_key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def sign_up(self, person: int) -> None:
        body = {"event": SIGN_UP, "userId": f"u{person}", "messageId": f"signed-up-{person}", "properties": {}}
        self._connection.request("POST", "/v1/track", orjson.dumps(body), self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:500]!r}")


class _Listener:
    """By person, when their message was committed."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _listen(self) -> None:
        with connect() as connection:
            connection.execute("LISTEN bench_message")
            while not self._over.is_set():
                for note in connection.notifies(timeout=0.2):
                    self.at.setdefault(int(note.payload[-12:], 16), time.perf_counter())
