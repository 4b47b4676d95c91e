"""A database of the benchmarks' own, made before Django reads its settings and dropped at the end."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

NAME = "trilha_bench"


@dataclass(frozen=True, slots=True)
class Durability:
    """What a commit is worth on the connection it was read from."""

    fsync: str
    synchronous_commit: str


def durability(connection: "psycopg.Connection[Any]") -> Durability:
    return Durability(*(_show(connection, name) for name in ("fsync", "synchronous_commit")))


def server(connection: "psycopg.Connection[Any]") -> str:
    """What is measured on, in a line."""
    names = ("shared_buffers", "max_wal_size", "autovacuum", "jit")
    settings = ", ".join(f"{name} {_show(connection, name)}" for name in names)
    return f"PostgreSQL {_show(connection, 'server_version')}, {settings}"


def _show(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Make an empty database on the server of `url`; yields its address."""
    statements = ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}")
    _execute(url, statements)
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{NAME}"))
    finally:
        _execute(url, statements[:1])


def _execute(url: str, statements: Iterable[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement).format(sql.Identifier(NAME)))


def prepare(url: str) -> None:
    """Point Django at the database and make its tables."""
    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django  # only now may the settings be read

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def connect() -> "psycopg.Connection[Any]":
    """A plain connection, as a program without Django would have it; transactions are begun by name."""
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def empty(connection: "psycopg.Connection[Any]", *tables: str) -> None:
    """Empty the tables past their triggers, and have the planner know what the others hold."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for table in tables:
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.Identifier(table)))
