"""The stage itself: one claimed batch of the inbox, resolved in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from customers import awaited, consumers, internal, stored
from customers.consumers import Resolved, ResolvedEvent
from customers.internal import Cause, Internal
from customers.models import SegmentInput
from customers.pg import raw_cursor
from customers.resolve import erased
from customers.resolve.addresses import write_addresses
from customers.resolve.component import Move
from customers.resolve.identify import profiles_of
from customers.resolve.incoming import TELLING, read
from customers.resolve.join import join
from customers.resolve.store import queue_for_match, write_brands, write_events
from customers.resolve.times import count_times
from customers.resolve.traits import Changed, write_traits
from customers.segments.notice import Seen, notice
from customers.stored import Stored
from customers.work import Queue, first_in_line, work_once


def resolve(ids: Sequence[int], now: datetime) -> int:
    """Resolve these inbox items (those nobody else holds); return how many."""
    waited_for = awaited.under_lock()
    names, by_trait = waited_for.names, waited_for.watchers(SegmentInput.Kind.TRAIT)
    with raw_cursor() as cursor:
        batch = read(cursor, ids, now)
        taken = [message.id for message in batch.messages]
        if not taken:
            return 0
        erased.drop(cursor, batch)
        if batch.messages:
            profiles = profiles_of(cursor, batch, now)
            moves = join(cursor, batch, profiles, now)
            events = write_events(cursor, batch.messages, profiles)
            regrouped = {one for move in moves for one in (move.from_id, move.to_id)}
            changed = write_traits(cursor, events, regrouped, compare=bool(by_trait) or internal.TRAIT_CHANGED in names)
            fresh = write_brands(cursor, batch, profiles, now)
            write_addresses(cursor, batch, profiles, now)
            consumers.tell(Resolved(events, moves, now))
            queue_for_match(cursor, events, waited_for.inside)
            if waited_for.subscribed:
                stored.tell(cursor, (_stored(one) for one in events if one.name in waited_for.subscribed), now)
            count_times(cursor, batch.messages, now)
            internal.tell(cursor, (*_of_traits(events, changed), *of_moves(moves)), names, now)
            if waited_for.watched:
                traits = {customer: change.names for customer, change in changed.items()}
                made = {profile: named.kind for profile, named in profiles.made.items()}
                notice(cursor, waited_for, events, Seen(traits, made, fresh, profiles.customer), now)
        cursor.execute("DELETE FROM customers_inbox WHERE id = ANY(%b)", [taken], prepare=True)
    return len(taken)


def _of_traits(events: Iterable[ResolvedEvent], changed: dict[UUID, Changed]) -> Iterable[Internal]:
    """What the last telling of each customer changed; a change that came with a merge has no event of its own."""
    last = {event.customer_id: event for event in events if event.kind in TELLING}
    for customer, change in changed.items():
        event = last.get(customer)
        if event is None:
            continue
        for name in change.names:
            yield Internal(
                internal.TRAIT_CHANGED,
                event.profile_id,
                f"trait-{event.id}-{name}",
                {"name": name, "before": change.before.get(name), "after": change.after.get(name)},
                Cause(event.id, event.hops, event.historical),
            )


def _stored(event: ResolvedEvent) -> Stored:
    return Stored(
        event.id,
        event.received_at,
        event.brand_id,
        event.source_id,
        event.profile_id,
        event.name,
        event.historical,
    )


def of_moves(moves: Sequence[Move]) -> Iterable[Internal]:
    """Who was found to be somebody else's, or taken out again: customers are named by their least profile, so who
    moves to a lesser one is merged."""
    for move in moves:
        name = internal.CUSTOMER_MERGED if move.to_id < move.from_id else internal.CUSTOMER_SPLIT
        properties = {"from": str(move.from_id), "to": str(move.to_id)}
        yield Internal(
            name, move.profile_id, f"move-{move.profile_id}-{move.to_id}", properties, Cause(historical=True)
        )


QUEUE = Queue(
    name="inbox",
    table="customers_inbox",
    pick=first_in_line("inbox", "customers_inbox"),
    work=resolve,
)


def resolve_inbox(now: datetime, limit: int = 1000) -> int:
    """Resolve one batch; return how many items were looked at."""
    return work_once(QUEUE, now, limit)
