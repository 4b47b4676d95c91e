"""psycopg beneath Django's connection, for the hot paths: binary parameters and COPY in the same transaction."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection, Cursor, ServerCursor
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format
from psycopg.types.array import ListDumper
from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int8BinaryDumper

from customers.packing import PackedListDumper

# Of a connection, what its raw cursors share.
_KNOWN = "trilha_adapters"


def raw_cursor(wrapper: BaseDatabaseWrapper | None = None) -> Cursor[Any]:
    """A cursor with server-side binding (`%b`) and binary results on Django's own connection and transaction.

    Binary also because Django has psycopg hand jsonb over as undecoded text in text results.
    """
    wrapper = wrapper or connection
    wrapper.ensure_connection()
    # Only what asks for it is prepared: Django switches it off altogether.
    wrapper.connection.prepare_threshold = sys.maxsize
    return _RawCursor(wrapper.connection)


class _RawCursor(Cursor[Any]):
    """How values travel is worked out once a connection: for each cursor it would cost as much as a small statement."""

    def __init__(self, connection: "Connection[Any]") -> None:
        super().__init__(connection)
        self.format = Format.BINARY
        known: AdaptersMap | None = getattr(connection, _KNOWN, None)
        if known is None:
            known = AdaptersMap(connection.adapters)
            _adapt(known)
            setattr(connection, _KNOWN, known)
        self._adapters = known


def ask_at_once(cursor: Cursor[Any], *asked: tuple[str, Sequence[Any]]) -> list[list[tuple[Any, ...]]]:
    """The rows of several statements that are sent together and made in this order; each sees what was committed when
    its turn came. A statement without rows gives none."""
    own = [_RawCursor(cursor.connection) for _ in asked]
    with cursor.connection.pipeline():
        for one, (statement, parameters) in zip(own, asked, strict=True):
            one.execute(statement, parameters, prepare=True)
    return [one.fetchall() if one.description else [] for one in own]


@contextmanager
def held_cursor(name: str, wrapper: BaseDatabaseWrapper | None = None) -> Iterator[ServerCursor[Any]]:
    """The same for more rows than memory should hold: they stay with the server until they are asked for, and other
    statements may be made meanwhile."""
    wrapper = wrapper or connection
    wrapper.ensure_connection()
    with ServerCursor[Any](wrapper.connection, name, withhold=True) as cursor:
        cursor.format = Format.BINARY
        _adapt(cursor.adapters)
        yield cursor


def _adapt(adapters: AdaptersMap) -> None:
    adapters.register_loader("jsonb", _Jsonb)
    # By default numbers travel as the smallest type that holds them, and PostgreSQL compares a bigint column with
    # each number of a smallint array in turn instead of hashing the array.
    adapters.register_dumper(int, Int8BinaryDumper)
    adapters.register_dumper(list, PackedListDumper)
    # What is registered last is taken for `%s`, where lists may be of mixed types.
    adapters.register_dumper(list, ListDumper)


class _Jsonb(Loader):
    """jsonb decoded by orjson, three times as fast as by the standard library."""

    format = Format.BINARY

    def load(self, data: Buffer) -> Any:
        # The first byte is the format's version; there has only ever been version 1.
        return orjson.loads(memoryview(data)[1:])


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
