"""What all tests share."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation
from hypothesis import settings

from customers import belief, bells, keys, work
from customers.accept import erased as at_the_door
from customers.accept import schemas
from tests import of_the_server, query_counts
from tests.query_counts import Frozen
from tests.template import template_at

# The machine's speed is not what a property test is about.
settings.register_profile("trilha", deadline=None, print_blob=True)
settings.load_profile("trilha")

# Written by migrations, which run once; and the event tables, which Django does not manage.
_SEEDED = (
    "customers_identifierkind",
    "django_celery_beat_",
    "django_migrations",
    # The staff's roles, and what they are made of.
    "auth_group",
    "auth_permission",
    "django_content_type",
)
_UNMANAGED = ["customers_event", "customers_eventpayload"]

# Tables that take any room at all, partitions for themselves.
_HELD = """
    SELECT c.oid::regclass::text, pg_relation_size(c.oid)
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND coalesce(i.inhparent, c.oid) = ANY(%s::regclass[]) AND pg_relation_size(c.oid) > 0
"""
# Where a table has so many bytes all are made anew: what is deleted stays where it was until then, and the planner and
# the counts of segments believe that the table is large.
_MUCH = 512 << 10


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    of_the_server.mark(items)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Databases are copied from one that is migrated already, and need not outlive the machine's power."""
    connection.settings_dict["TEST"]["TEMPLATE"] = template_at(os.environ["DATABASE_URL"])
    connection.settings_dict["OPTIONS"]["options"] += " -c synchronous_commit=off"


@pytest.fixture(scope="session", autouse=True)
def _empty_past_the_triggers() -> Iterator[None]:
    """Tests with real commits empty the tables afterwards, which append-only tables allow to nobody else.

    To delete from the few that hold anything takes a tenth of the time that it takes to truncate all.
    """
    make, run = DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush

    def sql_flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        if not (kept := [table for table in tables if not table.startswith(_SEEDED)]):
            return []
        everything = [*kept, *_UNMANAGED]
        with self.connection.cursor() as cursor:
            cursor.execute(_HELD, [everything])
            held = dict(cursor.fetchall())
        if max(held.values(), default=0) < _MUCH:
            return [f"DELETE FROM {table}" for table in held]
        statements: list[str] = make(self, style, everything, **options)
        return statements

    def execute_sql_flush(self: Any, statements: Any) -> None:
        run(self, ["SET session_replication_role = replica", *statements, "RESET session_replication_role"])

    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
    patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _ring_no_bells() -> Iterator[None]:
    """What tests commit is not for the workers that may listen to the same broker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bells, "_ringers", [])
        yield


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """A page that a test asked for in Portuguese leaves its language behind in the thread."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _close_the_second_connection() -> Iterator[None]:
    """The connection that work notes are written by must not outlive its test: it would keep the database."""
    yield
    work.close()


@pytest.fixture(autouse=True)
def _nothing_believed() -> Iterator[None]:
    """What a process believes for a second of keys, schemas, kinds and the erased is not for the test after."""
    yield
    keys.forget()
    schemas.forget()
    at_the_door.forget()
    belief.forget_all()


@pytest.fixture(autouse=True)
def _list_no_erasures(settings: Any) -> None:
    """The list of the erased is a file of the installation's, which tests leave alone."""
    settings.ERASURE_LIST = ""


@pytest.fixture
def frozen_queries() -> Frozen:
    """Hold a page to the number of queries in tests/config/query_counts.json."""
    return query_counts.check
