"""How many workers may use one connector at once, kept in the database for all hosts together."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from customers.ids import hash64
from customers.pg import raw_cursor


@contextmanager
def slot(connector_id: UUID, concurrency: int) -> Iterator[bool]:
    """Hold one of the connector's slots if one is free. A worker that dies frees it with its connection."""
    taken = _take(connector_id, concurrency)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            with raw_cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [taken])


def take_some(owner_id: UUID, numbers: Iterable[int], most: int) -> list[int]:
    """Up to so many of these slots, for as long as this session lasts or until they are freed. A session may take the
    same lock twice: ask for none that it holds."""
    taken: list[int] = []
    free = list(numbers)
    with raw_cursor() as cursor:
        for number in random.sample(free, len(free)):
            if len(taken) >= most:
                break
            row = cursor.execute("SELECT pg_try_advisory_lock(%b)", [slot_key(owner_id, number)]).fetchone()
            if row and row[0]:
                taken.append(number)
    return taken


def free_all(owner_id: UUID, numbers: Iterable[int]) -> None:
    with raw_cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_unlock(%b)", [slot_key(owner_id, number)])


def slot_key(connector_id: UUID, number: int) -> int:
    """The advisory lock that stands for one of a connector's slots."""
    return hash64("slot", str(connector_id), str(number))


def _take(connector_id: UUID, concurrency: int) -> int | None:
    with raw_cursor() as cursor:
        # In random order: workers that come together do not all ask for the first one.
        for number in random.sample(range(concurrency), concurrency):
            key = slot_key(connector_id, number)
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            if (row := cursor.fetchone()) is not None and row[0]:
                return key
    return None
