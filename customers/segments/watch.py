"""What the apps above tell segments: that something they look at has changed in somebody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from customers.awaited import Watcher
from customers.internal import Cause
from customers.segments.notice import Items

_READ: Final = """
    SELECT i.kind, i.name, s.brand_id, s.id
    FROM customers_segmentinput i JOIN customers_segment s ON s.id = i.segment_id WHERE i.kind = ANY(%b)
"""
# By (kind, name, brand).
Watchers = Mapping[tuple[str, str, UUID], Sequence[Watcher]]


class Change(NamedTuple):
    kind: str
    name: str
    brand_id: UUID
    profile_id: UUID
    cause: Cause


def watchers_of(cursor: Cursor[Any], kinds: Sequence[str]) -> Watchers:
    """Read by a transaction that has written already: a build waits for all that had before its segment was known.
    (A lock, as resolve holds it, could not be waited for by somebody who has locked people.)"""
    found: dict[tuple[str, str, UUID], list[Watcher]] = {}
    for kind, name, brand, segment in cursor.execute(_READ, [list(kinds)], prepare=True).fetchall():
        found.setdefault((kind, name, brand), []).append(Watcher(segment, brand))
    return found


def tell_watchers(cursor: Cursor[Any], watchers: Watchers, changes: Iterable[Change], now: datetime) -> int:
    """Queue whoever is to be looked at again; return how many rows that made."""
    items = Items()
    for one in changes:
        for watcher in watchers.get((one.kind, one.name, one.brand_id), ()):
            items.add(watcher.segment_id, one.profile_id, one.cause)
    return items.write(cursor, now)
