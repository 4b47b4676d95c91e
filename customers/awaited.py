"""Names that something live waits for, and how a new waiter misses no event (DESIGN §3, resolve)."""

from collections.abc import Iterable

from django.db import connection, transaction

from customers.ids import hash64
from customers.models import AwaitedName

# Held shared by every resolve from before it reads the names until it commits.
_LOCK = hash64("awaited names")


def names_under_lock() -> frozenset[str]:
    """The awaited names, read inside a resolve; publishers wait for this transaction to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])
    return frozenset(AwaitedName.objects.values_list("name", flat=True))


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


def settle() -> None:
    """Wait until every resolve begun before now has ended."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
