"""Moments among transactions: whoever wrote in this database before is waited for, and nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from customers.awaited import have_ended, mark

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def writing(database: str) -> Iterator[psycopg.Connection]:
    """Somebody who has written there, and is not done."""
    held = connection.settings_dict
    given = {"host": held["HOST"], "port": held["PORT"], "user": held["USER"], "password": held["PASSWORD"]}
    with psycopg.connect(dbname=database, **{name: value for name, value in given.items() if value}) as other:
        other.execute("SELECT pg_current_xact_id()")
        yield other


def test_who_wrote_here_before_is_waited_for() -> None:
    with writing(connection.settings_dict["NAME"]) as other:
        since = mark()
        assert not have_ended(since)
        other.commit()
        assert have_ended(since)


def test_who_began_to_write_later_is_not() -> None:
    since = mark()
    with writing(connection.settings_dict["NAME"]):
        assert have_ended(since)


def test_who_writes_in_another_database_of_the_server_is_not() -> None:
    with writing("postgres"):
        since = mark()
        assert have_ended(since)
