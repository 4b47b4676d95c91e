"""`consent.opt_out`: how long people wait for the answer to one click while eight senders are at their letters."""

import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from math import ceil
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from psycopg import Connection

from bench.ingest.server import web_worker
from bench.letters import letter
from bench.measure import Size
from channels.models import Connector, TemplateVersion
from channels.outbox import write_messages
from config import processes
from config.loop.smtp_sink import SmtpSink
from consent.models import Purpose
from consent.unsubscribe import Token, make_token
from customers.clock import utcnow
from customers.ids import new_id
from customers.pg import raw_cursor

SENDERS = 8
# As long as the mail server takes to answer a letter.
ANSWER_SECONDS = 0.05
_EACH = 200
# Enough letters for as long as the opting out takes.
_LETTERS = 4_000
_PATIENCE_SECONDS = 60.0
_AT_HAND = """
    SELECT m.address_id FROM channels_message m
    WHERE m.state = 'dispatching' AND NOT (m.address_id = ANY(%s))
"""
_LEFT = "SELECT count(*) FROM channels_message WHERE state IN ('queued', 'held', 'leased', 'dispatching')"


class OptOuts:
    """A web worker, a worker that sends and a mail server, all up for as long as it is entered."""

    def __init__(self, connection: "Connection[Any]", people: int, size: Size) -> None:
        self.each = size.of(_EACH, at_least=20)
        self._connection = connection
        rows = connection.execute("SELECT profile_id, address_id FROM customers_addressprofile").fetchall()
        self._people: list[tuple[UUID, UUID]] = rows[:people]
        self._letters = size.of(_LETTERS, at_least=400)
        self._chance = random.Random(7)
        self._up = ExitStack()

    def __enter__(self) -> "OptOuts":
        with ExitStack() as starting:
            sink = starting.enter_context(SmtpSink(delay=ANSWER_SECONDS))
            config = {"host": "127.0.0.1", "port": sink.port, "security": "none"}
            Connector.objects.update(provider="smtp", config=config, concurrency=SENDERS)
            self._port = starting.enter_context(web_worker())
            logs = Path(starting.enter_context(tempfile.TemporaryDirectory()))
            starting.enter_context(processes.dispatch(SENDERS, {"SWEEP_SECONDS": "1", "LOG_LEVEL": "ERROR"}, logs))
            self._up = starting.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._up.close()

    def slowest(self) -> float:
        """Of a hundred who opt out as a sender is at their letter, how long the slowest but one waits, in ms."""
        self._queue()
        waited: list[float] = []
        done: list[UUID] = []
        client = HTTPConnection("127.0.0.1", self._port, timeout=30)
        while len(waited) < self.each:
            address_id = self._next(done)
            done.append(address_id)
            waited.append(self._opt_out(client, address_id))
        client.close()
        self._connection.execute("DELETE FROM channels_message WHERE state IN ('queued', 'held')")
        self._wait(lambda: not self._count(), "the last letters")
        return sorted(waited)[ceil(0.99 * len(waited)) - 1] * 1000

    def _opt_out(self, client: HTTPConnection, address_id: UUID) -> float:
        purpose = Purpose.objects.get(key="news")
        path = reverse("consent:unsubscribe", args=[make_token(Token(address_id, purpose.pk, new_id()))])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        client.request("POST", path, "List-Unsubscribe=One-Click", form)
        response = client.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"an opt-out was answered with {response.status}")
        return time.perf_counter() - began

    def _next(self, done: list[UUID]) -> UUID:
        """Somebody whose letter is in a sender's hands."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found: list[UUID] = [address_id for (address_id,) in self._connection.execute(_AT_HAND, [done]).fetchall()]
            if found:
                return self._chance.choice(found)
            if time.monotonic() > until:
                raise RuntimeError("nothing is sent")
            time.sleep(0.005)

    def _queue(self) -> None:
        now, purpose, version = utcnow(), Purpose.objects.get(key="news"), TemplateVersion.objects.get()
        connector = Connector.objects.get()
        chosen, self._people = self._people[: self._letters], self._people[self._letters :]
        with transaction.atomic(), raw_cursor() as cursor:
            write_messages(cursor, [letter(*one, now, purpose, version.pk, connector.pk) for one in chosen])

    def _count(self) -> int:
        [[left]] = self._connection.execute(_LEFT).fetchall()
        return int(left)

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            if time.monotonic() > until:
                raise RuntimeError(f"no end of waiting for {what}")
            time.sleep(0.1)
