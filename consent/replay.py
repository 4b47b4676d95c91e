"""Replay of refused consent: what could not be applied is queued again, what could not be read is read again."""

from datetime import datetime

from consent import events, queue, stage
from consent.queue import Item, Told
from customers.accept.refusal import Refusal
from customers.models import QuarantinedEvent
from customers.pg import raw_cursor


def replay(row: QuarantinedEvent, _now: datetime) -> Refusal | None:
    """Queue the row's consent with the times it came with, or say why it would be refused again."""
    kept = queue.unpack(row.raw)
    if kept is None:
        return Refusal("unreadable", "Not all of it was kept.", "Have the consent told again.")
    return _queue_again(kept) if isinstance(kept, Item) else _read_again(kept)


def _queue_again(item: Item) -> Refusal | None:
    with raw_cursor() as cursor:
        cursor.execute("SELECT 1 FROM customers_address WHERE id = %b", [item.address_id])
        if cursor.fetchone() is None:
            return Refusal("erased_subject", "The address it was told of is no longer known.")
        trouble = stage.trouble_of(cursor, item)
        if trouble is not None:
            return Refusal(trouble.code, trouble.detail, "Create what it names in the brand.", trouble.pointer)
        queue.put(cursor, [item])
    return None


def _read_again(told: Told) -> Refusal | None:
    found, problems = events.read(told)
    if problems:
        first = problems[0]
        return Refusal(first.code, first.detail, "Have the consent told again.", first.pointer)
    with raw_cursor() as cursor:
        events.queue_found(cursor, found)
    return None
