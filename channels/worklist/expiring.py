"""Tasks nobody does: those in the hand of who is gone are given back, and those nobody claimed in time expire."""

from datetime import datetime
from typing import Final

from django.db import transaction

from channels.worklist.telling import EXPIRED, tell
from customers.pg import raw_cursor

_BATCH: Final = 500
_EXPIRE: Final = """
    WITH late AS (
        SELECT id FROM channels_task WHERE state = 'open' AND due_at <= %b
        ORDER BY due_at, id LIMIT %b FOR UPDATE SKIP LOCKED
    )
    UPDATE channels_task t SET state = 'expired', reason = 'late', not_before = NULL, ended_at = %b
    FROM late l WHERE t.id = l.id
    RETURNING t.id
"""
# Of who may no longer come in, be it one of the staff or a partner by its token.
_GIVE_BACK: Final = """
    WITH left_alone AS (
        SELECT t.id FROM channels_task t
        WHERE t.state = 'claimed' AND NOT EXISTS (
            SELECT 1 FROM auth_user u WHERE u.id = t.assignee_id AND u.is_active
            UNION ALL
            SELECT 1 FROM customers_partnertoken k
            WHERE k.id = t.token_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %b)
        )
        ORDER BY t.id LIMIT %b FOR UPDATE OF t SKIP LOCKED
    )
    UPDATE channels_task t SET state = 'open', claimed_at = NULL, assignee_id = NULL, token_id = NULL
    FROM left_alone l WHERE t.id = l.id
"""


def give_back(now: datetime) -> int:
    """Have a batch of those open again; return how many."""
    with raw_cursor() as cursor:
        return cursor.execute(_GIVE_BACK, [now, _BATCH]).rowcount


def expire_tasks(now: datetime) -> int:
    """Expire a batch; return how many."""
    with transaction.atomic(), raw_cursor() as cursor:
        ids = [row[0] for row in cursor.execute(_EXPIRE, [now, _BATCH, now]).fetchall()]
        if ids:
            tell(cursor, EXPIRED, sorted(ids), now)
    return len(ids)
