"""What something live waits for, and how a new waiter misses no event (DESIGN §3, resolve)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from psycopg import Cursor

from customers.ids import hash64
from customers.models import AwaitedName
from customers.pg import raw_cursor

# Who only wants to be told, outside: as waiters, subscriber:id.
SUBSCRIBER: Final = "subscriber:"
# Held shared by every resolve from before it reads what is awaited until it commits.
_LOCK = hash64("awaited names")
_READ = f"""
    SELECT CASE WHEN starts_with(waiter, '{SUBSCRIBER}') THEN '{SUBSCRIBER}' ELSE '' END, name, NULL::uuid, NULL::uuid
    FROM customers_awaitedname
    UNION SELECT i.kind, i.name, i.segment_id, s.brand_id
    FROM customers_segmentinput i JOIN customers_segment s ON s.id = i.segment_id
"""
_NOBODY: Mapping[str, Sequence["Watcher"]] = {}


class Watcher(NamedTuple):
    """A segment that looks at something, of what happens in its brand."""

    segment_id: UUID
    brand_id: UUID


@dataclass(frozen=True, slots=True)
class Awaited:
    """`inside` are the names of events that something here waits for, `subscribed` those that other systems are told;
    `watched`, by kind of input and name, the segments that look at it."""

    inside: frozenset[str]
    watched: Mapping[str, Mapping[str, Sequence[Watcher]]]
    subscribed: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Of events that anybody waits for."""
        return self.inside | self.subscribed

    def watchers(self, kind: str) -> Mapping[str, Sequence[Watcher]]:
        return self.watched.get(kind, _NOBODY)


# A snapshot knows whoever writes anywhere on the server. Of whom it is certain that they write in another database,
# nobody here has to wait; whose activity this role may not see counts as ours.
_OVER: Final = """
    SELECT NOT EXISTS (
        SELECT 1 FROM pg_snapshot_xip(pg_current_snapshot()) x
        WHERE x < %s::xid8 AND NOT EXISTS (
            SELECT 1 FROM pg_stat_activity a
            WHERE a.backend_xid = x::xid AND a.datname IS NOT NULL AND a.datname <> current_database()
        )
    )
"""


def under_lock() -> Awaited:
    """What is awaited, read inside a resolve; publishers wait for this transaction to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])
        cursor.execute(_READ)
        rows = cursor.fetchall()
    watched: dict[str, dict[str, list[Watcher]]] = defaultdict(lambda: defaultdict(list))
    for kind, name, segment, brand in rows:
        if segment is not None:
            watched[kind][name].append(Watcher(segment, brand))
    inside, subscribed = (
        frozenset(name for one, name, segment, _brand in rows if one == kind and segment is None)
        for kind in ("", SUBSCRIBER)
    )
    return Awaited(inside, watched, subscribed)


def names_under_lock() -> frozenset[str]:
    return under_lock().names


def is_awaited(name: str) -> bool:
    """Whether anybody waits for events of this name, asked in a transaction by whoever has locked something already.

    Who comes to wait waits for this transaction. While somebody is just at that the lock could not be had without
    waiting behind them, and so for others who wait for what is locked here: then the name counts as awaited.
    """
    with raw_cursor() as cursor:
        if not _one(cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%b)", [_LOCK])):
            return True
        return _one(cursor.execute("SELECT EXISTS (SELECT 1 FROM customers_awaitedname WHERE name = %b)", [name]))


def _one(cursor: Cursor[Any]) -> bool:
    row = cursor.fetchone()
    return row is not None and bool(row[0])


def await_names(waiter: str, names: Iterable[str]) -> None:
    """Have events of these names queued for `waiter`; returns once every resolve queues them.

    The names are committed first; then the lock is taken alone, which waits for every resolve that may have
    read the names before. Must not be called inside a transaction.
    """
    with transaction.atomic(durable=True):
        AwaitedName.objects.bulk_create(
            [AwaitedName(name=name, waiter=waiter) for name in sorted(set(names))], ignore_conflicts=True
        )
    settle()


def subscribe(subscriber: str, names: Iterable[str]) -> None:
    """Have a subscriber told of events of these names and no others. Nothing has to be waited for: an event that is
    accepted after the caller's commit is resolved by somebody who reads these names."""
    waiter = f"{SUBSCRIBER}{subscriber}"
    AwaitedName.objects.filter(waiter=waiter).exclude(name__in=set(names)).delete()
    AwaitedName.objects.bulk_create(
        [AwaitedName(name=name, waiter=waiter) for name in sorted(set(names))], ignore_conflicts=True
    )


def mark() -> str:
    """A moment among transactions: who writes without the lock, and began before, is not past `have_ended`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (xid,) = cursor.fetchone()
    return str(xid)


def have_ended(since: str) -> bool:
    """Whether every transaction that had written anything before the mark is over."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, [since])
        (is_over,) = cursor.fetchone()
    return bool(is_over)


def settle() -> None:
    """Wait until every resolve begun before now has ended."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
