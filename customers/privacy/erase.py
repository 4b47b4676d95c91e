"""Erasing one person: first who they were is turned into keyed hashes, then every store is gone through, twice.

Nothing that occurred before may come in once the hashes are committed and the resolves begun earlier have ended. Work
that was under way somewhere else (a letter being handed over, a call being answered) may still write a trace, so after
a while all stores are gone through once more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from customers import awaited, erased
from customers.accept import erased as at_the_door
from customers.pg import raw_cursor
from customers.privacy import listing, rows
from customers.privacy.masking import Key, mask_some
from customers.privacy.stores import DELETE, Spoken, Store, Table, stores
from customers.privacy.subject import Subject, find

_LOCK: Final = (
    "SELECT 1 FROM customers_profile WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
    "SELECT 1 FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
)
# What leads to a profile goes with its names: whoever is grouped along an edge needs a name at both ends.
_FORGET: Final = (
    ("evidence", "DELETE FROM customers_edge WHERE low_id = ANY(%(own)s) OR high_id = ANY(%(own)s)"),
    ("evidence", "DELETE FROM customers_duplicatepair WHERE low_id = ANY(%(own)s) OR high_id = ANY(%(own)s)"),
    ("people", "DELETE FROM customers_identifier WHERE profile_id = ANY(%(own)s)"),
)


# Under which rows of others are counted.
OF_OTHERS: Final = "of_others"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be done to a store: what it does first, one of its tables, or one where others name the subject."""

    store: Store
    table: Table | None
    spoken: Spoken | None = None


class GrewMeanwhile(Exception):
    """More is known to be theirs than when the person was looked for; look again."""


def begin(
    subject: Subject, now: datetime, *, is_listed: bool = False, tell: Callable[[str, int], object] | None = None
) -> Subject:
    """From here on nobody is known by their names, and what occurred by now is dropped wherever it comes in.

    Must not be called within a transaction that resolve could wait for. Again is the same as once. `tell` is called in
    the transaction that forgets them, with a store and how many of its rows went.
    """
    begun = replace(subject, at=subject.at or now)
    with transaction.atomic():
        with connection.cursor() as cursor:
            for lock, ids in zip(_LOCK, (begun.profiles, begun.customers), strict=True):
                cursor.execute(lock, [list(ids)])
            if not set(find((), begun.customers).profiles) <= set(begun.profiles):
                raise GrewMeanwhile
        with raw_cursor() as raw:
            erased.record(raw, digests(begun), begun.at or now)
            erased.record_addresses(raw, address_digests(begun), begun.at or now)
        with connection.cursor() as cursor:
            for store, forget in _FORGET:
                cursor.execute(forget, {"own": list(begun.profiles)})
                if tell is not None and cursor.rowcount:
                    tell(store, int(cursor.rowcount))
    if not is_listed:
        listing.add(digests(begun), list(address_digests(begun)), begun.at or now)
    at_the_door.forget()
    awaited.settle()
    return begun


def digests(subject: Subject) -> list[bytes]:
    return sorted({erased.digest(one.namespace, one.kind, one.value) for one in subject.names})


def address_digests(subject: Subject) -> dict[bytes, Any]:
    return {erased.address_digest(channel, value): id_ for id_, channel, value in subject.reached}


def steps() -> list[Step]:
    """All that is done, in the order of locks; what a table leads to is erased before it."""
    return [step for store in stores() for step in _steps_of(store)]


def _steps_of(store: Store) -> Iterator[Step]:
    if store.act is not None:
        yield Step(store, None)
    yield from (Step(store, table) for table in store.tables if table.fate == DELETE or table.fate)
    yield from (Step(store, None, spoken) for spoken in store.spoken)


def take(step: Step, subject: Subject, now: datetime) -> int:
    """Do the next piece of a step; how many rows it was, 0 when nothing is left of it."""
    if step.table is not None:
        return rows.erase_some(step.table, subject)
    if step.spoken is not None:
        raise ValueError("What others say is walked through by mask.")
    assert step.store.act is not None
    step.store.act(subject, now)
    return 0


def mask(step: Step, subject: Subject, after: Key | None) -> tuple[int, Key | None]:
    """Do the next piece of a step through what others say; how many rows it was, and where to go on if anywhere."""
    assert step.spoken is not None
    return mask_some(step.spoken, subject, after)


def held_up(subject: Subject) -> int:
    """How many rows others are at work with, for which the erasure must wait."""
    return sum(rows.blocked(step.table, subject) for step in steps() if step.table is not None)


def preview(subject: Subject) -> Sequence[tuple[Store, int]]:
    """What would go, store by store."""
    return [(store, sum(rows.count(table, subject) for table in store.tables)) for store in stores()]


def whole(subject: Subject, now: datetime) -> dict[str, int]:
    """All of it at once, of somebody whom the list names: after a restore, when nothing else runs. Rows by store."""
    counts: dict[str, int] = {}

    def note(key: str, count: int) -> None:
        counts[key] = counts.get(key, 0) + count

    begun = begin(subject, now, is_listed=True, tell=note)
    for store in stores():
        if store.stop is not None:
            store.stop(begun, now)
    for step in steps():
        if step.spoken is not None:
            _mask_all(step, begun, note)
            continue
        while count := take(step, begun, now):
            note(step.store.key, count)
    return counts


def _mask_all(step: Step, subject: Subject, note: Callable[[str, int], object]) -> None:
    count, after = mask(step, subject, None)
    while True:
        if count:
            note(OF_OTHERS, count)
        if after is None:
            return
        count, after = mask(step, subject, after)
