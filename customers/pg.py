"""psycopg beneath Django's connection, for the hot paths: binary parameters and COPY in the same transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor
from psycopg.pq import Format
from psycopg.types.json import Jsonb


def raw_cursor() -> Cursor[Any]:
    """A cursor with server-side binding (`%b`) and binary results on Django's own connection and transaction.

    Binary also because Django has psycopg hand jsonb over as undecoded text in text results.
    """
    connection.ensure_connection()
    cursor = Cursor[Any](connection.connection)
    cursor.format = Format.BINARY
    return cursor


def copy_rows(
    cursor: Cursor[Any], table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]
) -> None:
    """Append rows by binary COPY; `columns` are (name, PostgreSQL type) in the order of each row's values."""
    names = ", ".join(name for name, _type in columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([type_ for _name, type_ in columns])
        for row in rows:
            copy.write_row(row)


def raw_json(text: str) -> Jsonb:
    """JSON that is already text, handed to a jsonb column without being decoded."""
    return Jsonb(text, dumps=str)
