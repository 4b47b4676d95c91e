"""Stops: once `stop` has returned, no call to a provider within its scope begins.

Senders hold a shared advisory lock on each of their scopes while they check and call. A stop is committed first, so
that whoever looks from then on begins nothing, and then takes the same lock alone for a moment: so it waits for those
who looked before it stood (a provider's deadline at most). It cannot ask for the lock first: a session that holds it
for one call gets it for the next whoever waits, and under steady calls the stop would not come to stand.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from customers.ids import hash64
from customers.pg import raw_cursor

# True where a stop stands over one of the scopes given as an array.
STANDING: Final = (
    "EXISTS (SELECT 1 FROM channels_sendstop s WHERE s.released_at IS NULL AND s.scope_id = ANY({scopes}))"
)


def _key(scope_id: UUID) -> int:
    return hash64("stop", str(scope_id))


def stop(scope_id: UUID, by: int | None, reason: str, now: datetime) -> bool:
    """Stop a journey, broadcast, campaign, connector or brand; False if it was stopped already. Within a transaction of
    the caller's it holds once that is committed."""
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(
            "INSERT INTO channels_sendstop (scope_id, stopped_by_id, reason, stopped_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (scope_id) WHERE released_at IS NULL DO NOTHING",
            [scope_id, by, reason, now],
        )
        is_new = cursor.rowcount == 1
        transaction.on_commit(partial(_outwait, scope_id))
    return is_new


def _outwait(scope_id: UUID) -> None:
    """Wait for all who hold the scope: they may have looked before the stop stood."""
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(scope_id)])


def release(scope_id: UUID, now: datetime) -> bool:
    """Let it go on; what was held meanwhile is looked at again within a minute. False if nothing stood."""
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(
            "UPDATE channels_sendstop SET released_at = %s WHERE scope_id = %s AND released_at IS NULL",
            [now, scope_id],
        )
        return cursor.rowcount == 1


def share(cursor: Cursor[Any], scope_ids: Sequence[UUID], patience: float = 0) -> None:
    """Hold the scopes against new stops until the transaction ends, waiting `patience` seconds at most for
    this and every later lock of it (0: for ever). What stands must be read afterwards, by another statement:
    this one's snapshot is older than the lock."""
    cursor.execute(
        "SELECT set_config('lock_timeout', %s, true), pg_advisory_xact_lock_shared(key)"
        " FROM unnest(%s::bigint[]) AS key",
        [f"{int(patience * 1000)}ms", [_key(scope_id) for scope_id in scope_ids]],
        prepare=True,
    )


def try_share(cursor: Cursor[Any], scope_id: UUID) -> bool:
    """Hold a scope against new stops until `unshare`, without a transaction; False if a stop waits for it."""
    row = cursor.execute("SELECT pg_try_advisory_lock_shared(%s)", [_key(scope_id)]).fetchone()
    return row is not None and bool(row[0])


def unshare(cursor: Cursor[Any], scope_id: UUID) -> None:
    cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [_key(scope_id)])


def is_stopped(cursor: Cursor[Any], scope_ids: Sequence[UUID], patience: float = 0) -> bool:
    """Whether a stop stands over any scope; the answer holds until the transaction ends."""
    share(cursor, scope_ids, patience)
    cursor.execute(f"SELECT {STANDING.format(scopes='%s')}", [list(scope_ids)])
    row = cursor.fetchone()
    return row is not None and bool(row[0])
