"""The broadcasts' send guard: the last look before a message goes, for whether it is still to."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from channels.guards import Answer, GuardAsk, Refuse, Wait
from channels.models import Reason
from customers.pg import raw_cursor

# What was stopped is held back by its stop, and then taken back.
_STANDS: Final = """
    SELECT u.message_id, b.segment_id
    FROM unnest(%b::uuid[], %b::bigint[], %b::uuid[]) AS u(message_id, recipient_id, customer_id)
    JOIN channels_broadcastrecipient r ON r.id = u.recipient_id
    JOIN channels_broadcast b ON b.id = r.broadcast_id AND b.only_members
    WHERE NOT EXISTS (
        SELECT 1 FROM customers_segmentmembership m
        WHERE m.customer_id = u.customer_id AND m.segment_id = b.segment_id AND m.left_at IS NULL
    )
"""
# Two who were found to be one person after both were written to. What has gone counts, else who comes first: the other
# waits for what becomes of that.
_TWICE: Final = """
    SELECT DISTINCT ON (u.message_id) u.message_id, m.id, m.settled_at IS NOT NULL AS is_taken
    FROM unnest(%b::uuid[], %b::bigint[], %b::uuid[]) AS u(message_id, recipient_id, customer_id)
    JOIN channels_broadcastrecipient r ON r.id = u.recipient_id
    JOIN customers_profile p ON p.customer_id = u.customer_id AND p.id <> r.profile_id
    JOIN channels_broadcastrecipient t ON t.profile_id = p.id AND t.broadcast_id = r.broadcast_id
    JOIN channels_message m ON m.origin_kind = 'broadcast' AND m.origin_id = t.id::text
    WHERE m.state IN ('sent', 'delivered', 'opened', 'clicked', 'unknown')
       OR m.state IN ('queued', 'held', 'leased', 'dispatching') AND t.id < r.id
    ORDER BY u.message_id, is_taken DESC
"""
_UNDECIDED_SECONDS: Final = 60.0


def guard(ask: GuardAsk) -> Answer:
    return guard_all([ask])[0]


def guard_all(asks: Sequence[GuardAsk]) -> list[Answer]:
    """Refuse those who have left the segment, where the broadcast is for its members alone, and those who have it as
    another recipient; by two statements."""
    # A recipient's number; of what else is said to be broadcast nothing is known here.
    of_recipients = [ask for ask in asks if ask.origin_id.isdecimal()]
    if not of_recipients:
        return [None] * len(asks)
    given = [
        [ask.message_id for ask in of_recipients],
        [int(ask.origin_id) for ask in of_recipients],
        [ask.customer_id for ask in of_recipients],
    ]
    with raw_cursor() as cursor:
        left = dict(cursor.execute(_STANDS, given, prepare=True).fetchall())
        twice = cursor.execute(_TWICE, given, prepare=True).fetchall()
    others = {message_id: _had(other_id, is_taken=is_taken) for message_id, other_id, is_taken in twice}
    return [_left(left[ask.message_id]) if ask.message_id in left else others.get(ask.message_id) for ask in asks]


def _had(other_id: UUID, *, is_taken: bool) -> Answer:
    if not is_taken:
        return Wait(_UNDECIDED_SECONDS, Reason.ADDRESS_DUPLICATE)
    return Refuse(Reason.ADDRESS_DUPLICATE, "suppressed", because={"other_message": str(other_id)})


def _left(segment_id: UUID) -> Refuse:
    return Refuse(Reason.LEFT_SEGMENT, because={"segment": str(segment_id)})
