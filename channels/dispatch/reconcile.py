"""What a person says of messages of which nobody knew: they arrived, they did not, or they are to go once more.

Only of `unknown` ones; a receipt that came meanwhile is the better witness, and leaves nothing to be said.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from customers import bells
from customers.pg import raw_cursor


class Said(StrEnum):
    SENT = "sent"
    LOST = "lost"
    AGAIN = "again"


_LOCK: Final = """
    SELECT id FROM channels_message WHERE id = ANY(%s) AND state = 'unknown'
      AND (%s OR expires_at > %s) ORDER BY id FOR UPDATE
"""
# When it was handed over it was settled: that stays, as it may have been then that it arrived.
_SENT: Final = "UPDATE channels_message SET state = 'sent', reason = '' WHERE id = ANY(%s)"
_LOST: Final = """
    UPDATE channels_message SET state = 'failed', reason = 'interrupted', settled_at = %s WHERE id = ANY(%s)
"""
# Whoever else is to get a copy at this address may, as it has none.
_FORGET: Final = """
    DELETE FROM channels_recentsend r USING channels_message m
    WHERE m.id = ANY(%s) AND r.address_id = m.address_id AND r.copy_key = m.copy_key AND r.message_id = m.id
"""
_AGAIN: Final = """
    UPDATE channels_message SET state = 'queued', reason = '', settled_at = NULL, due_at = %s, crashes = 0
    WHERE id = ANY(%s)
"""


def reconcile(ids: Sequence[UUID], said: Said, now: datetime) -> list[UUID]:
    """Settle those that are unknown still; return which. What is too late to go is not queued again."""
    with transaction.atomic(), raw_cursor() as cursor:
        found = [row[0] for row in cursor.execute(_LOCK, [list(ids), said is not Said.AGAIN, now])]
        if not found:
            return []
        if said is Said.SENT:
            cursor.execute(_SENT, [found])
            return found
        cursor.execute(_FORGET, [found])
        cursor.execute(_LOST if said is Said.LOST else _AGAIN, [now, found])
        if said is Said.AGAIN:
            bells.ring("dispatch")
    return found
