"""A database that takes nothing (BAD_INPUTS 104): nobody is told that something was kept which was not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection
from django.test import Client

from config import health
from config.processes import free_port, web
from customers import keys
from customers.models import Brand, InboxItem, MessageKey, QuarantinedEvent, ReceivedBody, Source
from tests.config.test_transport import Server, await_birth, call, code, head, message
from tests.customers.hooked import PAID, Sender, make_hook
from tests.customers.partner_api import api, event
from tests.customers.segment_door import NOW, Door, track
from tests.processes import database_url

ROLE = "trilha_narrow"


@pytest.fixture
def source(transactional_db: None) -> Source:
    brand = Brand.objects.create(key="acme", name="Acme")
    return Source.objects.create(brand=brand, key="shop", name="Shop")


@pytest.fixture
def read_only() -> Iterator[None]:
    """As after a fail-over to a standby, or when the disk is nearly full: everything is read, nothing written."""
    switch("on")
    yield
    switch("off")


def switch(setting: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET default_transaction_read_only = {setting}")


def test_a_database_that_only_reads_is_told_at_every_door(
    source: Source, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)
    door, partner, sender = Door(source, keys.issue(source)[1]), api(source), Sender(make_hook(source))
    calls: dict[str, Callable[[], Any]] = {
        "segment": lambda: door.post("/v1/track", track()),
        "batch": lambda: door.post("/v1/batch", {"batch": [track(messageId="m-2")]}),
        "native": lambda: partner.post("events", event(id="m-3")),
        "webhook": lambda: sender.post(PAID, "d-1"),
    }
    request.getfixturevalue("read_only")
    refused = {name: post() for name, post in calls.items()}
    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in refused.items()} == dict.fromkeys(
        calls, (503, "not_ready")
    )
    assert all(answer["Retry-After"] == "1" for answer in refused.values())
    assert (Client().get("/healthz/ready").status_code, Client().get("/healthz/live").status_code) == (503, 200)
    assert Client().get("/healthz/ready").content == b"database_read_only\n"
    switch("off")
    counts = [model.objects.count() for model in (InboxItem, MessageKey, QuarantinedEvent, ReceivedBody)]
    assert counts == [0, 0, 0, 0]
    # The same again is new: nothing of it was half remembered.
    assert {name: post().status_code for name, post in calls.items()} == dict.fromkeys(calls, 200)
    assert (InboxItem.objects.count(), ReceivedBody.objects.count()) == (3, 1)
    assert Client().get("/healthz/ready").status_code == 200


def test_tables_that_are_missing_are_no_readiness(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    plan = "django.db.migrations.executor.MigrationExecutor.migration_plan"
    monkeypatch.setattr(plan, lambda *_nodes: [("customers", False)])
    answer = Client().get("/healthz/ready")
    assert (answer.status_code, answer.content) == (503, b"migrations_missing\n")


@pytest.fixture
def narrow(transactional_db: None) -> Iterator[str]:
    """The address of the test's database for somebody who may have one connection and no more."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {ROLE}")
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1")
        cursor.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
        cursor.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    parts = urlsplit(database_url())
    yield urlunsplit(parts._replace(netloc=f"{ROLE}:narrow@{parts.netloc.rpartition('@')[2]}"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [ROLE])
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


@pytest.mark.slow
def test_without_a_connection_left_it_says_so_and_goes_on_when_there_is_one(
    source: Source, narrow: str, tmp_path: Path
) -> None:
    key, port = keys.issue(source)[1], free_port()
    with web(port, {"DATABASE_URL": narrow, "LOG_LEVEL": "CRITICAL"}, tmp_path) as process:
        await_birth(process, port)
        sent = head("/v1/track", key, "POST", f"Content-Length: {len(message())}"), message()
        with psycopg.connect(narrow):
            answer = call(Server(port), *sent)
            assert code(answer) == (503, "not_ready")
            assert answer[1]["retry-after"] == "1"
            assert call(Server(port), head("/healthz/ready", method="GET"))[0] == 503
        assert InboxItem.objects.count() == 0
        assert call(Server(port), *sent)[0] == 200
    assert InboxItem.objects.count() == 1
