"""The source that receives the traffic, and the tables a round fills."""

from typing import Any

from psycopg import Connection, sql

from bench.database import empty
from bench.ingest.traffic import plan_events
from bench.journey import make_journey
from customers.clock import utcnow
from customers.models import EventType, Source
from customers.sql import ensure_partitions

ACCEPTED = ("customers_inbox", "customers_messagekey")
Row = tuple[Any, ...]
Columns = tuple[tuple[str, str], ...]


def make_source() -> Source:
    """The brand's source with planned events; made once."""
    make_journey()
    ensure_partitions(utcnow())
    source = Source.objects.get()
    if not EventType.objects.exists():
        plan_events(source)
    return source


def forget_accepted(connection: "Connection[Any]") -> None:
    empty(connection, *ACCEPTED, "customers_quarantinedevent")


def read_rows(connection: "Connection[Any]", table: str, columns: Columns) -> list[Row]:
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _type in columns)
    query = sql.SQL("SELECT {} FROM {} ORDER BY ctid").format(names, sql.Identifier(table))
    rows = connection.execute(query).fetchall()
    return rows


def count(connection: "Connection[Any]", table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0


def copy_in(connection: "Connection[Any]", table: str, columns: Columns, rows: list[Row]) -> None:
    """Binary COPY, as `customers.pg` does it."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _type in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([type_ for _name, type_ in columns])
        for row in rows:
            copy.write_row(row)
