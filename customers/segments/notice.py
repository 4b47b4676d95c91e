"""Who has to be looked at again after a batch was resolved, and for which segments: noted in resolve's transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from customers.awaited import Awaited
from customers.consumers import ResolvedEvent
from customers.internal import Cause
from customers.models import SegmentInput
from customers.pg import copy_rows

_ITEM: Final = (
    ("segment_id", "uuid"),
    ("profile_id", "uuid"),
    ("event_id", "int8"),
    ("hops", "int2"),
    ("historical", "bool"),
    ("queued_at", "timestamptz"),
)
# Of profiles that are new to a brand, those whose customer was not new to it.
_KNOWN: Final = """
    SELECT u.profile_id, u.brand_id FROM unnest(%b::uuid[], %b::uuid[]) AS u(profile_id, brand_id)
    JOIN customers_profile p ON p.id = u.profile_id
    WHERE EXISTS (
        SELECT 1 FROM customers_profile o JOIN customers_profilebrand b ON b.profile_id = o.id
        WHERE o.customer_id = p.customer_id AND b.brand_id = u.brand_id
          AND (o.id, b.brand_id) NOT IN (SELECT * FROM unnest(%b::uuid[], %b::uuid[]))
    )
"""
_NO_CAUSE: Final = Cause()

# Whom a profile stands for, in a brand.
Newcomer = tuple[UUID, UUID]


class Seen(NamedTuple):
    """What a batch has changed beside its events: the names of the traits of each customer, the kind of identifier of
    each new profile, (profile, brand) of those who are new to a brand; and whose the profiles are."""

    traits: Mapping[UUID, Iterable[str]]
    made: Mapping[UUID, str]
    fresh: Sequence[Newcomer]
    customer: Mapping[UUID, UUID]


class Items:
    """Rows of the queue, one for each segment and profile; who is there for something new is not there as history."""

    def __init__(self) -> None:
        self.causes: dict[tuple[UUID, UUID], Cause] = {}

    def add(self, segment: UUID, profile: UUID, cause: Cause) -> None:
        known = self.causes.get((segment, profile))
        if known is None or (known.historical and not cause.historical):
            self.causes[segment, profile] = cause

    def write(self, cursor: Cursor[Any], now: datetime) -> int:
        if self.causes:
            rows = (
                (segment, profile, cause.event_id, cause.hops, cause.historical, now)
                for (segment, profile), cause in self.causes.items()
            )
            copy_rows(cursor, "customers_segment_queue", _ITEM, rows)
        return len(self.causes)


def notice(cursor: Cursor[Any], awaited: Awaited, events: Sequence[ResolvedEvent], seen: Seen, now: datetime) -> int:
    """Queue whoever a segment has to look at again; return how many rows that made."""
    if not awaited.watched:
        return 0
    items = Items()
    _by_event(items, awaited, events)
    last = {event.customer_id: event for event in events}
    by_profile = {event.profile_id: event for event in events}
    _by_trait(items, awaited, seen.traits, last)
    if seen.made or seen.fresh:
        # A profile that is not its event's own came with an event of the same customer.
        causes = {
            profile: _cause(event)
            for profile in {*seen.made, *(profile for profile, _brand in seen.fresh)}
            if (event := by_profile.get(profile) or last.get(seen.customer[profile])) is not None
        }
        _by_identifier(items, awaited, seen.made, causes)
        _newcomers(cursor, items, awaited, seen, causes)
    return items.write(cursor, now)


def traits_changed(cursor: Cursor[Any], awaited: Awaited, changed: Mapping[UUID, Iterable[str]], now: datetime) -> int:
    """The same where traits were chosen anew, and nothing has happened."""
    items = Items()
    _by_trait(items, awaited, changed, {})
    return items.write(cursor, now)


def _cause(event: ResolvedEvent) -> Cause:
    return Cause(event.id, event.hops, event.historical)


def _by_event(items: Items, awaited: Awaited, events: Sequence[ResolvedEvent]) -> None:
    watchers = awaited.watchers(SegmentInput.Kind.EVENT)
    if not watchers:
        return
    for event in events:
        for segment, brand in watchers.get(event.name, ()):
            if brand == event.brand_id:
                items.add(segment, event.profile_id, _cause(event))


def _by_trait(
    items: Items, awaited: Awaited, changed: Mapping[UUID, Iterable[str]], last: Mapping[UUID, ResolvedEvent]
) -> None:
    watchers = awaited.watchers(SegmentInput.Kind.TRAIT)
    for customer, names in changed.items():
        # What changed without an event was chosen anew, or came with a merge, which has everybody looked at.
        cause = _cause(last[customer]) if customer in last else Cause(historical=True)
        for name in names:
            for segment, _brand in watchers.get(name, ()):
                items.add(segment, customer, cause)


def _by_identifier(items: Items, awaited: Awaited, made: Mapping[UUID, str], causes: Mapping[UUID, Cause]) -> None:
    watchers = awaited.watchers(SegmentInput.Kind.IDENTIFIER)
    for profile, kind in made.items() if watchers else ():
        for segment, _brand in watchers.get(kind, ()):
            items.add(segment, profile, causes.get(profile, _NO_CAUSE))


def _newcomers(cursor: Cursor[Any], items: Items, awaited: Awaited, seen: Seen, causes: Mapping[UUID, Cause]) -> None:
    """Who is new altogether is in the segments that hold for somebody of whom nothing is known; who is new to a brand
    only may be in any of them, by what is known elsewhere."""
    blank = awaited.watchers(SegmentInput.Kind.NEW).get("", ())
    elsewhere = []
    for profile, brand in seen.fresh:
        if seen.customer[profile] not in seen.made:
            elsewhere.append((profile, brand))
            continue
        for watcher in blank:
            if watcher.brand_id == brand:
                items.add(watcher.segment_id, profile, causes.get(profile, _NO_CAUSE))
    if not elsewhere:
        return
    by_brand: dict[UUID, set[UUID]] = defaultdict(set)
    for names in awaited.watched.values():
        for watchers in names.values():
            for segment, brand in watchers:
                by_brand[brand].add(segment)
    columns = [list(column) for column in zip(*elsewhere, strict=True)]
    known = set(cursor.execute(_KNOWN, [*columns, *columns]).fetchall())
    for profile, brand in elsewhere:
        if (profile, brand) not in known:
            for segment in by_brand[brand]:
                items.add(segment, profile, causes.get(profile, _NO_CAUSE))
