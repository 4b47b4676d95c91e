"""A database of the loop's own, beside the one that DATABASE_URL names, gone when the loop has ended."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Make an empty database on the server of `url`; yields its own URL."""
    name = f"trilha_loop_{os.getpid()}"
    _execute(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _execute(url, "CREATE DATABASE {}", name)
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        _execute(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
