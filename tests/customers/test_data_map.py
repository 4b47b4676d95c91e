"""The data map: every personal field has a store, and what stores say of their tables holds in the database."""

from dataclasses import replace

import pytest
from django.core.checks import run_checks

from customers import personal
from customers.models import Trait
from customers.privacy import rows, stores
from customers.privacy.stores import DELETE, Store, Table
from customers.privacy.subject import Subject

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Store]:
    held = dict(stores._stores)
    monkeypatch.setattr(stores, "_stores", held)
    return held


def tables() -> list[tuple[Store, Table]]:
    return [(store, table) for store in stores.stores() for table in store.tables]


def test_every_personal_field_has_a_store_that_erases_it() -> None:
    assert stores.uncovered() == []
    assert [one.id for one in run_checks() if one.id == "customers.E001"] == []


def test_a_store_that_is_missing_fails_the_build(own_registry: dict[str, Store]) -> None:
    own_registry.pop("traits")
    assert stores.uncovered() == ["customers.Trait.value"]
    assert [one.msg.split()[0] for one in run_checks() if one.id == "customers.E001"] == ["customers.Trait.value"]


def test_a_store_that_leaves_a_personal_field_as_it_is_fails_the_build(own_registry: dict[str, Store]) -> None:
    messages = own_registry["messages"]
    kept = [
        replace(one, fate={"provider_id": "''"}) if one.name == "channels_message" else one for one in messages.tables
    ]
    own_registry["messages"] = replace(messages, tables=tuple(kept))
    assert stores.uncovered() == ["channels.Message.detail"]


@pytest.mark.parametrize("at", range(len(tables())))
def test_what_a_store_says_of_its_table_is_sound_sql_and_finds_nothing_of_nobody(at: int) -> None:
    _store, table = tables()[at]
    nobody = Subject()
    assert rows.count(table, nobody) == 0
    assert rows.blocked(table, nobody) == 0
    assert list(rows.read(table, nobody)) == []
    assert rows.erase_some(table, nobody) == 0


def test_every_store_says_why_and_for_how_long() -> None:
    from customers.retention.kinds import kinds

    for store in stores.stores():
        assert str(store.label)
        assert str(store.why)
        assert bool(store.kept) != bool(str(store.kept_words)), store.key
        assert not store.kept or store.kept in kinds(), store.key


def test_no_export_leaves_a_personal_field_out_that_no_other_table_tells() -> None:
    """Copies of what another store tells, and sealed bytes, are no answer to what is held."""
    copies = {
        "channels.MessageContent",
        # Of which nobody knows whose it is; what of it was said to somebody is with their message.
        "channels.PulledCopy",
        "consent.ConsentEvidence",
        "consent.ConsentItem",
        "consent.Erasure",
        "customers.Address",
        "customers.EventPayload",
        "customers.KeptAnswer",
        "customers.UnitAttempt",
    }
    silent = {table.model._meta.label for _store, table in tables() if personal.names(table.model) and not table.shown}
    assert silent == copies


def test_the_order_of_erasure_is_that_of_locks() -> None:
    keys = [store.key for store in stores.stores()]
    assert keys.index("runs") < keys.index("consent") < keys.index("messages") < keys.index("people")
    assert keys[-1] == "people"
    assert [one.fate for one in stores._stores["people"].tables if one.model is Trait] == []
    assert DELETE in [one.fate for one in stores._stores["traits"].tables]
