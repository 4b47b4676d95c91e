"""Grants whose time is over: entered in the ledger and told; they were good for nothing from that moment on."""

from datetime import datetime
from typing import Final

from django.db import transaction

from channels.entitlements.ledger import Act, Kind, write
from channels.entitlements.telling import EXPIRED
from channels.models import Origin
from customers.pg import raw_cursor

_BATCH: Final = 1000
# One in use is passed over, and comes with the next sweep.
_EXPIRE: Final = """
    WITH due AS (
        SELECT id, remaining FROM channels_entitlement WHERE state = 'open' AND expires_at <= %b
        ORDER BY expires_at, id LIMIT %b FOR UPDATE SKIP LOCKED
    )
    UPDATE channels_entitlement e SET state = 'expired', ended_at = e.expires_at,
        remaining = CASE WHEN e.quantity IS NOT NULL THEN 0 END
    FROM due d WHERE e.id = d.id RETURNING e.id, d.remaining, e.quantity IS NOT NULL
"""


def expire_due(now: datetime, limit: int = _BATCH) -> int:
    """Expire a batch of those whose time is over; return how many."""
    act = Act(Origin.TIME, "", "expiry")
    with transaction.atomic(), raw_cursor() as cursor:
        rows = cursor.execute(_EXPIRE, [now, limit]).fetchall()
        write(
            cursor, [(id_, Kind.EXPIRE, left, 0 if counted else None, act) for id_, left, counted in rows], EXPIRED, now
        )
    return len(rows)


def expire_all(now: datetime, batches: int = 20) -> bool:
    """Expire what is due, batch by batch; whether nothing is left."""
    return any(expire_due(now) < _BATCH for _batch in range(batches))
