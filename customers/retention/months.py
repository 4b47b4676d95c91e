"""Partitions by the month: which there are, which are over, and which are missing ahead."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

from customers.sql import PARTITIONED

# So far ahead there should be partitions; what falls outside lies in one that is never dropped.
AHEAD: Final = timedelta(days=31)
_FIND: Final = """
    SELECT i.inhparent::regclass::text, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = ANY(%s::regclass[]) AND c.relname ~ '_[0-9]{4}_[0-9]{2}$' ORDER BY c.relname
"""


@dataclass(frozen=True, slots=True)
class Month:
    """One partition; `end` is no longer in it."""

    table: str
    name: str
    begin: datetime
    end: datetime


def months(*tables: str) -> list[Month]:
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [list(tables)])
        return [_month(table, name) for table, name in cursor.fetchall()]


def over(tables: Iterable[str], before: datetime) -> list[Month]:
    """Partitions that end by that moment, the oldest first."""
    found = [month for month in months(*tables) if month.end <= before]
    return sorted(found, key=lambda month: month.begin)


def missing(now: datetime) -> list[str]:
    """Tables that have no partition for now, or for a month from now."""
    found = months(*PARTITIONED)
    return [table for table in PARTITIONED if _lacks([one for one in found if one.table == table], now)]


def running_out(now: datetime) -> list[str]:
    """Tables that had partitions made and have none ahead: whoever made them has stopped."""
    found = months(*PARTITIONED)
    by_table = [(table, [one for one in found if one.table == table]) for table in PARTITIONED]
    return [table for table, of in by_table if of and _lacks(of, now)]


def _lacks(there: Iterable[Month], now: datetime) -> bool:
    known = list(there)
    return not all(any(one.begin <= at < one.end for one in known) for at in (now, now + AHEAD))


def _month(table: str, name: str) -> Month:
    year, month = int(name[-7:-3]), int(name[-2:])
    begin = datetime(year, month, 1, tzinfo=UTC)
    return Month(table, name, begin, begin + timedelta(days=monthrange(year, month)[1]))
