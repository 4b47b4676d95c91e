"""How often somebody wants marketing at most (their preference), counted over all journeys of the brand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from customers.pg import raw_cursor

# What is being handed over, or may have been and is to be tried again, counts as sent; when to ask again what became
# of it.
_UNDECIDED_FOR: Final = timedelta(minutes=1)

# What the provider took, or may have taken. The states are written out, as in the condition of the index that answers
# this.
_LAST: Final = """
    SELECT max(m.settled_at)
    FROM channels_message m JOIN consent_purpose u ON u.id = m.purpose_id AND u.kind = 'marketing'
    WHERE m.address_id = %b AND m.settled_at > %b AND m.brand_id = %b AND m.id <> %b
      AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
"""
# By the copies that the address has lately: each message in hand has one, and keeps it while it waits for another try
# unless the provider certainly has nothing.
_IN_HAND: Final = """
    SELECT EXISTS (
        SELECT 1 FROM channels_recentsend r JOIN channels_message m ON m.id = r.message_id
        JOIN consent_purpose u ON u.id = m.purpose_id AND u.kind = 'marketing'
        WHERE r.address_id = %b AND m.brand_id = %b AND m.id <> %b
          AND m.state IN ('queued', 'held', 'leased', 'dispatching')
    )
"""


@dataclass(frozen=True, slots=True)
class Next:
    """When an address may have its next one; where that is not known yet, when to ask again."""

    at: datetime
    is_known: bool


def next_one(message_id: UUID, address_id: UUID, brand_id: UUID, every_days: int, now: datetime) -> Next | None:
    """None: from now on. The caller holds the address's lock, so that of two in hand the last to get it goes."""
    window = timedelta(days=every_days)
    with raw_cursor() as cursor:
        cursor.execute(_LAST, [address_id, now - window, brand_id, message_id])
        last: datetime | None = (cursor.fetchone() or (None,))[0]
        if last is not None:
            return Next(last + window, is_known=True)
        [[in_hand]] = cursor.execute(_IN_HAND, [address_id, brand_id, message_id]).fetchall()
    return Next(now + _UNDECIDED_FOR, is_known=False) if in_hand else None
