"""Memberships follow their profile to its customer, and whoever moved is looked at again for every segment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

# A copy of customer_id, which nobody but merges changes.
_MOVE: Final = """
    UPDATE customers_segmentmembership m SET customer_id = p.customer_id FROM customers_profile p
    WHERE p.id = m.profile_id AND m.profile_id = ANY(%b) AND m.customer_id <> p.customer_id
"""
# Taking people apart mends what was wrong, and is history; what a merge makes true has come true just now.
_LOOK_AGAIN: Final = """
    INSERT INTO customers_segment_queue (segment_id, profile_id, hops, historical, queued_at)
    SELECT s.id, p.customer_id, 0, bool_and(u.apart), %b
    FROM unnest(%b::uuid[], %b::boolean[]) AS u(profile_id, apart) JOIN customers_profile p ON p.id = u.profile_id
    JOIN customers_segment s ON s.state NOT IN ('draft', 'archived') AND NOT s.is_static
    GROUP BY s.id, p.customer_id
"""
_STRAY: Final = """
    UPDATE customers_segmentmembership m SET customer_id = p.customer_id FROM customers_profile p
    WHERE p.id = m.profile_id AND m.segment_id = %s AND m.customer_id <> p.customer_id
"""

# (profile, from customer, to customer)
Moved = tuple[UUID, UUID, UUID]


def follow(cursor: Cursor[Any], moved: Sequence[Moved], now: datetime) -> None:
    """The customers concerned are locked by the caller."""
    cursor.execute(_MOVE, [[profile for profile, _from, _to in moved]])
    # The customer that was left, too, is known by a profile of the same key, whosever that is now.
    apart = {one: to > from_ for profile, from_, to in moved for one in (profile, from_)}
    cursor.execute(_LOOK_AGAIN, [now, list(apart), list(apart.values())])


def look_again(cursor: Cursor[Any], profiles: Sequence[UUID], now: datetime) -> None:
    """Have these people asked anew for every segment; whoever comes or leaves by it starts nothing."""
    cursor.execute(_LOOK_AGAIN, [now, list(profiles), [True] * len(profiles)])


def gather_strays(cursor: Any, segment: UUID) -> None:
    """Those whom a build found with a customer they were leaving at the same time."""
    cursor.execute(_STRAY, [segment])
