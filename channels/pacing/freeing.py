"""What a policy held is asked about again once that policy, or that version of it, holds no more."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from customers import bells
from customers.pg import raw_cursor

_SLICE: Final = 1_000
# Within the request of whoever ends a policy; what is left then is the sweep's, and so is what was being judged by the
# old version as the new one came to hold.
_AT_ONCE_SECONDS: Final = 1.0
_LATELY: Final = timedelta(minutes=10)

_ENDED: Final = "SELECT id FROM channels_pacingpolicy WHERE valid_to > %b AND valid_to <= %b"
# In the order in which they were written, a little apart, so that they are looked at in it.
_FREE: Final = """
    WITH held AS MATERIALIZED (
        SELECT id, created_at FROM channels_message
        WHERE state = 'held' AND reason IN ('capped', 'quiet_hours') AND due_at > %(now)s
          AND decision -> 'pacing' ->> 'policy' = ANY(%(versions)s)
          AND (created_at, id) > (%(created_at)s, %(id)s)
        ORDER BY created_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), freed AS (
        UPDATE channels_message m SET due_at = %(now)s - (%(limit)s - h.place) * interval '1 us'
        FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM held) h WHERE m.id = h.id
    )
    SELECT count(*), max(created_at), (array_agg(id ORDER BY created_at DESC, id DESC))[1] FROM held
"""
_FIRST: Final = (datetime.fromisoformat("1970-01-01T00:00:00+00:00"), UUID(int=0))


def free(versions: Sequence[UUID], now: datetime, seconds: float = _AT_ONCE_SECONDS) -> int:
    """Have what these versions hold looked at now, in slices, for so long at most; return how many."""
    if not versions:
        return 0
    until, after, total = time.monotonic() + seconds, _FIRST, 0
    values = {"versions": [str(one) for one in versions], "limit": _SLICE, "now": now}
    while time.monotonic() < until:
        with transaction.atomic(), raw_cursor() as cursor:
            cursor.execute(_FREE, values | {"created_at": after[0], "id": after[1]})
            [[count, *last]] = cursor.fetchall()
        total += count
        if count < _SLICE:
            break
        after = (last[0], last[1])
    if total:
        bells.ring("dispatch")
    return total


def free_lately_ended(now: datetime, seconds: float) -> int:
    """The same for every version that ended a moment ago."""
    with raw_cursor() as cursor:
        ended = [row[0] for row in cursor.execute(_ENDED, [now - _LATELY, now])]
    return free(ended, now, seconds)
