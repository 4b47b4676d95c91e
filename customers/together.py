"""Since when two profiles have been one customer without a break, whatever merges were undone in between."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

_MOVES = """
    SELECT profile_id, from_customer_id, was_since, at FROM customers_profilemove
    WHERE profile_id = ANY(%b) AND at <= %b ORDER BY profile_id, at DESC, id DESC
"""

_EVER: Final = datetime.max.replace(tzinfo=UTC)


class Stay(NamedTuple):
    """Where a profile was, and since when."""

    customer_id: UUID
    since: datetime


def stays(cursor: Cursor[Any], now: Mapping[UUID, Stay], by: datetime | None = None) -> dict[UUID, list[Stay]]:
    """Of each profile all its stays, from the present one backwards; `now` are the present ones, or, of a moment that
    is past, those of then, with the moment as `by`."""
    found: dict[UUID, list[Stay]] = defaultdict(list)
    for profile, stay in now.items():
        found[profile].append(stay)
    for profile, customer, since, _at in cursor.execute(_MOVES, [list(now), by or _EVER]).fetchall():
        found[profile].append(Stay(customer, since))
    return found


def together_since(one: Sequence[Stay], other: Sequence[Stay]) -> datetime | None:
    """Since when the two have been with the same customer; None if they are not now.

    Two that move to another customer at the same moment stay together: their customer only changed its name.
    """
    if one[0].customer_id != other[0].customer_id:
        return None
    last = min(len(one), len(other)) - 1
    for n in range(last):
        moved_as_one = one[n].since == other[n].since and one[n + 1].customer_id == other[n + 1].customer_id
        if not moved_as_one:
            return max(one[n].since, other[n].since)
    return max(one[last].since, other[last].since)
