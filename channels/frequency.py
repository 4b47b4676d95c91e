"""How often somebody wants marketing at most (their preference), counted over all journeys of the brand."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from customers.pg import raw_cursor

# What the provider took, or may have taken; what is just being handed over is decided under the address's lock. The
# states are written out, as in the condition of the index that answers this.
_LAST: Final = """
    SELECT max(m.settled_at)
    FROM channels_message m JOIN consent_purpose u ON u.id = m.purpose_id AND u.kind = 'marketing'
    WHERE m.address_id = %b AND m.settled_at > %b AND m.brand_id = %b AND m.id <> %b
      AND m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
"""


def next_at(message_id: UUID, address_id: UUID, brand_id: UUID, every_days: int, now: datetime) -> datetime | None:
    """From when on the address may have its next one; None: from now on. The caller holds the address's lock."""
    window = timedelta(days=every_days)
    with raw_cursor() as cursor:
        cursor.execute(_LAST, [address_id, now - window, brand_id, message_id])
        [last] = cursor.fetchone() or (None,)
    return None if last is None else last + window
