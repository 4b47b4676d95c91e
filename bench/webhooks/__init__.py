"""`dispatch.webhook`: webhooks delivered, with all that is looked at and written, against a client that posts the same
bytes to the same sink and does nothing else."""

import subprocess
import sys
import time
from collections.abc import Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from django.conf import settings
from django.db import connection as django_connection
from django.db import transaction
from psycopg import Connection

from bench.database import connect, durability, empty
from bench.journey import T0, make_journey
from bench.measure import Result, Side, Size, take_turns
from bench.people import key, make_people
from channels.models import WebhookEndpoint
from channels.webhooks import endpoints, queue
from channels.webhooks.body import body_of
from channels.webhooks.claim import claim, give_back, load
from channels.webhooks.deliver import deliver_due
from channels.webhooks.secrets import in_force, opened, signed
from customers.clock import utcnow
from customers.ids import new_id
from customers.models import Brand
from customers.pg import raw_cursor
from customers.sql import ensure_partitions
from customers.stored import Stored

WANTED: Final = 0.4
EVENTS: Final = 10_000
_PEOPLE: Final = 1_000
# As many calls at once on either side.
_AT_ONCE: Final = 8
_BATCH: Final = 1_000
_NAME: Final = "order.placed"
_SINK: Final = Path(__file__).with_name("sink.py")
_EVENTS: Final = f"""
    WITH event AS (
        INSERT INTO customers_event
            (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id)
        SELECT nextval('customers_event_id_seq'), %(now)s, %(now)s, s.brand_id, s.id, {key(0, "(1 + e %% 1000)")},
            'track', '{_NAME}', 'm' || e
        FROM customers_source s, generate_series(1, %(events)s) e WHERE s.key = 'shop'
        RETURNING id, received_at, brand_id, source_id, profile_id, name
    ), said AS (
        INSERT INTO customers_eventpayload (event_id, received_at, payload)
        SELECT id, received_at, jsonb_build_object('properties', jsonb_build_object(
            'order_id', 'o-' || id, 'total', 99.9, 'currency', 'BRL', 'items', 3, 'coupon', 'WELCOME10'
        )) FROM event
    )
    SELECT id, received_at, brand_id, source_id, profile_id, name, false FROM event ORDER BY id
"""


def measure(_wanted: Set[str], size: Size) -> list[Result]:
    make_journey()
    ensure_partitions(T0)
    with connect() as connection, _sink() as port:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{port}"]
        make_people(connection, _PEOPLE)
        told = _Told(connection, f"http://127.0.0.1:{port}/hooks", size.of(EVENTS, at_least=200))
        ours = Side(
            "delivered", told.ours, told.events, _BATCH, 1, 1, durability(_own_connection())
        )  # fmt: skip
        bare = Side("httpx alone", told.bare, told.events, _BATCH, 1, 0, durability(connection))
        take_turns([ours, bare], size.rounds)
    django_connection.close()
    return [Result("dispatch.webhook", "webhooks/s", ours, bare, WANTED)]


def _own_connection() -> "Connection[Any]":
    django_connection.ensure_connection()
    own: Connection[Any] = django_connection.connection
    return own


class _Told:
    """The same events for one endpoint, queued anew for each round."""

    def __init__(self, connection: "Connection[Any]", url: str, events: int) -> None:
        self._connection, self.events = connection, events
        self._endpoint = WebhookEndpoint(
            brand=Brand.objects.get(), name="Sink", url=url, events=[_NAME], owner="Bench", concurrency=_AT_ONCE
        )
        endpoints.keep(self._endpoint, utcnow())
        rows = connection.execute(_EVENTS.encode(), {"now": T0, "events": events}).fetchall()
        self._stored = [Stored(*row) for row in rows]
        self._bodies = self._made()

    def ours(self) -> float:
        self._queue()
        began = time.perf_counter()
        while not deliver_due(utcnow, seconds=600.0):
            continue
        rate = self.events / (time.perf_counter() - began)
        row = self._connection.execute(
            "SELECT count(*) FILTER (WHERE state = 'delivered'), count(*) FROM channels_webhookdelivery"
        ).fetchone()
        if row != (self.events, self.events):
            raise RuntimeError(f"{row} of {self.events} were delivered")
        return rate

    def bare(self) -> float:
        """The same bytes with the same headers, by as many threads, each with a connection that it keeps."""
        shares = [self._bodies[start::_AT_ONCE] for start in range(_AT_ONCE)]
        began = time.perf_counter()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            posted = sum(pool.map(self._post, shares))
        if posted != self.events:
            raise RuntimeError(f"{posted} of {self.events} were taken")
        return self.events / (time.perf_counter() - began)

    def _post(self, bodies: list[tuple[bytes, dict[str, str]]]) -> int:
        # Nothing is looked up in the environment.
        with httpx.Client(trust_env=False, timeout=15) as client:
            url = self._endpoint.url
            return sum(client.post(url, content=body, headers=headers).status_code == 204 for body, headers in bodies)

    def _queue(self) -> None:
        empty(self._connection, "channels_webhookattempt", "channels_webhookdelivery")
        for start in range(0, self.events, _BATCH):
            with transaction.atomic(), raw_cursor() as cursor:
                queue.queue(cursor, self._stored[start : start + _BATCH], utcnow())
        self._connection.execute("ANALYZE channels_webhookdelivery")

    def _made(self) -> list[tuple[bytes, dict[str, str]]]:
        """What ours sends, made beforehand."""
        self._queue()
        now = utcnow()
        secrets = in_force(opened(self._endpoint.pk, bytes(self._endpoint.secrets)), now)
        token, ids, _all = claim(self._endpoint.pk, now, self.events)
        made = [body_of(one.telling) for one in load(ids, token) if one.telling is not None]
        give_back(ids, token, now)
        keys: list[UUID] = [new_id() for _body in made]
        json = {"content-type": "application/json"}
        return [(body, {**json, **signed(secrets, id_, body, now)}) for id_, body in zip(keys, made, strict=True)]


@contextmanager
def _sink() -> Iterator[int]:
    """The port at which a process of its own takes whatever is posted."""
    process = subprocess.Popen([sys.executable, str(_SINK)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
