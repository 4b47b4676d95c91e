"""The stage: people whose inputs have changed, or whose time has come, are looked at again for each segment."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from customers import awaited, internal
from customers.awaited import Awaited
from customers.internal import Cause, Internal
from customers.models import Segment, SegmentInput
from customers.pg import raw_cursor
from customers.segments.notice import Items
from customers.segments.standing import Changed, array, settle
from customers.work import Queue, not_alone, work_once

# What happened to people while their segment was being built waits until it stands.
_STANDS: Final = "segment_id NOT IN (SELECT id FROM customers_segment WHERE state IN ('building', 'stopped'))"
_ITEMS: Final = """
    SELECT id, segment_id, profile_id, event_id, hops, historical FROM customers_segment_queue
    WHERE id = ANY(%s::bigint[]) ORDER BY id
"""
_TURNS: Final = """
    SELECT id, segment_id, profile_id, NULL, 0, false FROM customers_segment_turn
    WHERE id = ANY(%s::bigint[]) ORDER BY id
"""
_LOCK: Final = """
    SELECT p.id, c.id FROM customers_profile p JOIN customers_customer c ON c.id = p.customer_id
    WHERE p.id = ANY(%s::uuid[]) ORDER BY c.id FOR NO KEY UPDATE OF c
"""
# Where they are now that they are locked, but for those whose memberships have yet to follow a merge.
_HOMES: Final = """
    SELECT p.id, p.customer_id FROM customers_profile p
    WHERE p.id = ANY(%s::uuid[]) AND p.customer_id NOT IN (
        SELECT from_customer_id FROM customers_merge_queue UNION ALL SELECT to_customer_id FROM customers_merge_queue
        UNION ALL SELECT m.customer_id FROM customers_merge_queue q JOIN customers_profile m ON m.id = q.profile_id
    )
"""


class Item(NamedTuple):
    id: int
    segment_id: UUID
    profile_id: UUID
    event_id: int | None
    hops: int
    historical: bool

    @property
    def cause(self) -> Cause:
        return Cause(self.event_id, self.hops, self.historical)


def look_again(ids: Sequence[int], now: datetime) -> int:
    with connection.cursor() as cursor:
        done = _settle(cursor, _read(cursor, _ITEMS, ids), now)
        cursor.execute("DELETE FROM customers_segment_queue WHERE id = ANY(%s::bigint[])", [array(done)])
    return len(done)


def let_time_pass(ids: Sequence[int], now: datetime) -> int:
    with connection.cursor() as cursor:
        done = _settle(cursor, _read(cursor, _TURNS, ids), now)
        # Those that were not given another moment: their customer has a turn under another profile by now, or none.
        passed = "DELETE FROM customers_segment_turn WHERE id = ANY(%s::bigint[]) AND due_at <= %s"
        cursor.execute(passed, [array(done), now])
    return len(done)


def _read(cursor: CursorWrapper, sql: str, ids: Sequence[int]) -> list[Item]:
    cursor.execute(sql, [array(ids)])
    return [Item(*row) for row in cursor.fetchall()]


def _settle(cursor: CursorWrapper, items: Sequence[Item], now: datetime) -> list[int]:
    """Look at all of the people for each of their segments, a statement for each segment; return the items done.

    Who is on the way to another customer stays queued: asked before the memberships have followed, one who was in the
    segment would be found to be there no more, or to come once more.
    """
    waited_for = awaited.under_lock()
    profiles = sorted({item.profile_id for item in items})
    # Locked first: a statement begun after the lock sees whatever others have found of these people.
    cursor.execute(_LOCK, [array(profiles)])
    locked = dict(cursor.fetchall())
    cursor.execute(_HOMES, [array(locked)])
    homes: dict[UUID, UUID] = {profile: home for profile, home in cursor.fetchall() if locked[profile] == home}
    by_segment: dict[UUID, dict[UUID, Cause]] = defaultdict(dict)
    for item in items:
        if (home := homes.get(item.profile_id)) is not None:
            known = by_segment[item.segment_id].get(home)
            if known is None or (known.historical and not item.historical):
                by_segment[item.segment_id][home] = item.cause
    live = Segment.objects.filter(pk__in=by_segment, state=Segment.State.LIVE, is_static=False)
    for segment in live.order_by("pk"):
        causes = by_segment[segment.pk]
        people = {customer: cause.historical for customer, cause in causes.items()}
        changed = settle(cursor, segment, people, now, names=_is_awaited(segment, waited_for))
        tell(segment, changed, causes, waited_for, now)
    return [item.id for item in items if item.profile_id in homes or item.profile_id not in locked]


def _is_awaited(segment: Segment, waited_for: Awaited) -> bool:
    told = not waited_for.names.isdisjoint((internal.SEGMENT_ENTERED, internal.SEGMENT_LEFT))
    return told or str(segment.pk) in waited_for.watchers(SegmentInput.Kind.SEGMENT)


def tell(segment: Segment, changed: Changed, causes: "dict[UUID, Cause]", waited_for: Awaited, now: datetime) -> None:
    """Tell who came and left as events, and have them looked at again by segments that look at this one."""
    if not changed.came and not changed.left:
        return
    items = Items()
    for watcher, _brand in waited_for.watchers(SegmentInput.Kind.SEGMENT).get(str(segment.pk), ()):
        for customer in (*changed.came, *changed.left):
            items.add(watcher, customer, causes.get(customer, Cause()))
    with raw_cursor() as cursor:
        internal.tell(cursor, _events(segment, changed, causes, now), waited_for.names, now)
        items.write(cursor, now)


def _events(segment: Segment, changed: Changed, causes: "dict[UUID, Cause]", now: datetime) -> Iterable[Internal]:
    for name, customers in (
        (internal.SEGMENT_ENTERED, changed.came),
        (internal.SEGMENT_LEFT, changed.left),
    ):
        for customer in customers:
            # One can enter and leave many times, but not twice at one moment.
            key = f"{segment.pk}-{name[8:9]}-{customer}-{int(now.timestamp() * 1_000_000)}"
            properties: dict[str, Any] = {"segment": segment.key}
            yield Internal(name, customer, key, properties, causes.get(customer, Cause()), segment.brand_id)


QUEUE = Queue(
    name="segment",
    table="customers_segment_queue",
    pick=(
        f"SELECT id FROM customers_segment_queue WHERE id >= %(floor)s AND {_STANDS}"
        f" AND {not_alone('segment', 'customers_segment_queue.id')} ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED"
    ),
    work=look_again,
    ready=_STANDS,
)
TURNS = Queue(
    name="segment_turn",
    table="customers_segment_turn",
    pick=(
        f"SELECT id FROM customers_segment_turn WHERE due_at <= %(now)s AND {_STANDS}"
        f" AND {not_alone('segment_turn', 'customers_segment_turn.id')}"
        " ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED"
    ),
    work=let_time_pass,
    ready=f"due_at <= %(now)s AND {_STANDS}",
    order="due_at",
)


def refresh_segments(now: datetime, limit: int = 1000) -> int:
    """Look at one batch of each kind; return how many units were done."""
    return work_once(QUEUE, now, limit) + work_once(TURNS, now, limit)
