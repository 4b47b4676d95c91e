"""The audit trail: every entry seals the one before, holds nothing personal, and cannot be changed unnoticed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, connections, transaction

from customers import audit
from customers.models import AuditEntry, Brand, DeadLetter, Squad, WriteKey
from journeys.models import Journey
from tests.consent import people

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
DAY = date(2026, 3, 2)

pytestmark = pytest.mark.django_db


def note(brand: Brand, name: str = "x", at: datetime = NOW, **fields: Any) -> AuditEntry:
    return audit.record(None, "change", brand, {"name": name}, {"name": "y"}, now=at, **fields)


def tamper(entry: AuditEntry, column: str, value: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"UPDATE customers_auditentry SET {column} = %s WHERE id = %s", [value, entry.pk])
        cursor.execute("RESET session_replication_role")


def test_says_who_what_and_where() -> None:
    acme = people.make_brand()
    ana = get_user_model().objects.create_user("ana")
    entry = audit.record(ana, "change", acme, {"name": "Acme"}, {"name": "Acme & Co"}, now=NOW)
    entry.refresh_from_db()
    assert (entry.actor, entry.brand, entry.action, entry.object_type, entry.object_id, entry.day, entry.position) == (
        ana, acme, "change", "customers.brand", str(acme.pk), DAY, 1,
    )  # fmt: skip
    assert (entry.before, entry.after) == ({"name": "Acme"}, {"name": "Acme & Co"})


def test_finds_the_brand_by_the_path_of_the_model() -> None:
    acme = people.make_brand()
    source = people.make_source(acme)
    key = WriteKey(source=source)
    assert audit.brand_of(key) == audit.brand_of(Squad(brand=acme)) == acme.pk
    assert audit.brand_of(DeadLetter()) is None


def test_each_entry_seals_the_one_before_it_and_days_are_chained() -> None:
    acme = people.make_brand()
    one, two, tomorrow = note(acme), note(acme), note(acme, at=NOW + timedelta(hours=1))
    assert bytes(one.previous) == bytes(32)
    assert (bytes(two.previous), bytes(tomorrow.previous)) == (bytes(one.digest), bytes(two.digest))
    assert (two.position, tomorrow.position) == (2, 1)
    assert audit.verify(DAY) is None
    assert audit.verify(tomorrow.day) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "view"),
        ("after", '{"name": "z"}'),
        ("actor_id", 99),
        ("object_id", "7"),
        ("at", NOW),
        ("brand_id", None),
    ],
)
def test_a_changed_entry_is_found(column: str, value: Any) -> None:
    acme = people.make_brand()
    note(acme)
    forged = note(acme, at=NOW - timedelta(minutes=1))
    note(acme)
    tamper(forged, column, value)
    assert audit.verify(DAY) == 2


def test_a_removed_entry_and_a_removed_day_are_found() -> None:
    acme = people.make_brand()
    note(acme)
    lost = note(acme, at=NOW + timedelta(days=1))
    note(acme, at=NOW + timedelta(days=2))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM customers_auditentry WHERE id = %s", [lost.pk])
        cursor.execute("RESET session_replication_role")
    assert audit.verify(DAY) is None
    assert audit.verify(DAY + timedelta(days=2)) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE customers_auditentry SET action = ''", "DELETE FROM customers_auditentry"]
)
def test_the_database_refuses_changes(statement: str) -> None:
    note(people.make_brand())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "value", [1.5, 1e22, 10**30, "nul\x00", "\ud800", True, None, {"b": [1.0, {"a": "\x00"}]}, NOW, DAY, "ção ☃"]
)
def test_any_value_is_sealed_as_it_comes_back(value: object) -> None:
    entry = audit.record(None, "change", Journey, {"v": value}, None, now=NOW)
    assert audit.verify(DAY) is None
    assert (entry.object_type, entry.object_id) == ("journeys.journey", "")


def test_personal_values_are_masked_and_secrets_left_out() -> None:
    letter = DeadLetter(
        at=NOW, queue="inbox", unit_id=1, reason="ana@example.com", attempts=5, row={"email": "ana@x.y"}
    )
    values = audit.picture(letter) | {"password": "tr0ub4dor", "credentials": b"x"}
    entry = audit.record(None, "replay", letter, values, None, now=NOW)
    assert entry.before is not None
    assert (entry.before["reason"], entry.before["row"]) == ("•••", {"email": "•••"})
    assert not {"password", "credentials"} & set(entry.before)
    source = people.make_source(people.make_brand())
    assert "digest" not in audit.picture(WriteKey(source=source, prefix="live_", digest=b"d"))


def test_tells_only_what_differs() -> None:
    assert audit.changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == ({"b": 2, "c": None}, {"b": 3, "c": 4})


@pytest.mark.django_db(transaction=True)
def test_people_who_change_things_at_once_write_one_chain() -> None:
    acme = people.make_brand()

    def many(_worker: int) -> None:
        try:
            for _ in range(10):
                with transaction.atomic():
                    note(acme)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(many, range(8)))
    assert list(AuditEntry.objects.order_by("position").values_list("position", flat=True)) == list(range(1, 81))
    assert audit.verify(DAY) is None
