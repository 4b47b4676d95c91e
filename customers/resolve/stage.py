"""The stage itself: one claimed batch of the inbox, resolved in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from customers import consumers
from customers.awaited import names_under_lock
from customers.pg import raw_cursor
from customers.resolve.addresses import write_addresses
from customers.resolve.identify import profiles_of
from customers.resolve.incoming import read
from customers.resolve.join import join
from customers.resolve.store import queue_for_match, write_brands, write_events
from customers.resolve.traits import write_traits
from customers.work import Queue, first_in_line, work_once


def resolve(ids: Sequence[int], now: datetime) -> int:
    """Resolve these inbox items (those nobody else holds); return how many."""
    awaited = names_under_lock()
    with raw_cursor() as cursor:
        batch = read(cursor, ids)
        if not batch.messages:
            return 0
        profiles = profiles_of(cursor, batch, now)
        regrouped = join(cursor, batch, profiles, now)
        events = write_events(cursor, batch.messages, profiles)
        write_traits(cursor, events, regrouped)
        write_brands(cursor, batch, profiles, now)
        write_addresses(cursor, batch, profiles, now)
        consumers.tell(events)
        queue_for_match(cursor, events, awaited)
        cursor.execute("DELETE FROM customers_inbox WHERE id = ANY(%b)", [[message.id for message in batch.messages]])
    return len(batch.messages)


QUEUE = Queue(
    name="inbox",
    table="customers_inbox",
    pick=first_in_line("inbox", "customers_inbox"),
    work=resolve,
)


def resolve_inbox(now: datetime, limit: int = 1000) -> int:
    """Resolve one batch; return how many items were looked at."""
    return work_once(QUEUE, now, limit)
