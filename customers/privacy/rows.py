"""A table of a store in the database: counted, read out and erased for one subject."""

from collections.abc import Iterator
from typing import Any, Final

import orjson
from django.db import connection, transaction

from customers.privacy.stores import DELETE, Table
from customers.privacy.subject import Subject

_PIECE: Final = 500


def count(table: Table, subject: Subject) -> int:
    """How many rows an erasure would touch."""
    return _count(f"SELECT count(*) FROM {table.name} t WHERE {_pending(table)}", subject)


def blocked(table: Table, subject: Subject) -> int:
    """How many of them somebody is at work with."""
    if not table.blocked:
        return 0
    return _count(f"SELECT count(*) FROM {table.name} t WHERE ({table.where}) AND ({table.blocked})", subject)


def read(table: Table, subject: Subject) -> Iterator[dict[str, Any]]:
    """What an export tells of the rows, in the order of their keys."""
    if not table.shown:
        return
    parts = ", ".join(f"'{name}', {sql}" for name, sql in table.shown.items())
    order = ", ".join(f"t.{column}" for column in table.key)
    with connection.cursor() as cursor:
        query = f"SELECT jsonb_build_object({parts}) FROM {table.name} t WHERE {table.where} ORDER BY {order}"
        cursor.execute(query, subject.values())
        while rows := cursor.fetchmany(_PIECE):
            for (row,) in rows:
                # Django has jsonb come as text.
                yield orjson.loads(row)


def erase_some(table: Table, subject: Subject) -> int:
    """Erase the next rows, in the order of their keys; how many, none when nothing is left."""
    if table.fate != DELETE and not table.fate:
        return 0
    keys = ", ".join(f"t.{column}" for column in table.key)
    chosen = f"SELECT {keys} FROM {table.name} t WHERE {_pending(table)} ORDER BY {keys} LIMIT {_PIECE} FOR UPDATE OF t"
    with transaction.atomic(), connection.cursor() as cursor:
        change = f"{_change(table)} WHERE ({keys}) IN ({chosen})"
        if table.remains:
            change = f"WITH gone AS ({change} RETURNING {keys}) {table.remains}"
        cursor.execute(change, subject.values())
        return int(cursor.rowcount)


def _change(table: Table) -> str:
    if isinstance(table.fate, str):
        return f"DELETE FROM {table.name} t"
    return f"UPDATE {table.name} t SET {', '.join(f'{name} = {sql}' for name, sql in table.fate.items())}"


def _pending(table: Table) -> str:
    """The subject's rows that erasure has not been at yet, and nobody is at work with."""
    where = f"({table.where})"
    if table.blocked:
        where += f" AND NOT ({table.blocked})"
    if isinstance(table.fate, str):
        return where
    if not table.fate:
        return "false"
    names, values = ", ".join(f"t.{name}" for name in table.fate), ", ".join(table.fate.values())
    return f"{where} AND ROW({names}) IS DISTINCT FROM ROW({values})"


def _count(query: str, subject: Subject) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, subject.values())
        return int(cursor.fetchone()[0])
