"""Stored events for a simulation, customer by customer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from customers.ids import NIL
from customers.pg import held_cursor, raw_cursor
from customers.registry import shapes
from journeys.engine.arrivals import Arrival

# What occurred counts when it occurred: a simulation knows of no delay on the way (DESIGN §4). A clock that was ahead
# is not believed here either.
_STORED: Final = """
    SELECT e.id, least(e.occurred_at, e.received_at), e.profile_id, e.brand_id, e.name, e.message_id, p.customer_id,
           coalesce(y.payload -> 'properties', y.payload -> 'traits'), e.schema_version_id
    FROM customers_event e JOIN customers_profile p ON p.id = e.profile_id
    LEFT JOIN customers_eventpayload y ON y.event_id = e.id AND y.received_at = e.received_at
    WHERE e.brand_id = %b AND e.name = ANY(%b) AND least(e.occurred_at, e.received_at) BETWEEN %b AND %b
      AND p.customer_id > %b
    ORDER BY p.customer_id, 2, e.message_id, e.id
"""
_COUNT: Final = """
    SELECT count(*) FROM customers_event e
    WHERE e.brand_id = %b AND e.name = ANY(%b) AND least(e.occurred_at, e.received_at) BETWEEN %b AND %b
"""
_AT_ONCE: Final = 2_000


def stored(
    brand_id: UUID, names: Iterable[str], since: datetime, until: datetime, after: UUID | None = None
) -> Iterator[list[Arrival]]:
    """The brand's events of these names, in either moment included, customer by customer in the order of time; of the
    customers behind `after`, where somebody has got so far."""
    with held_cursor("simulated_events") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_STORED, [brand_id, sorted(names), since, until, after or NIL])
        for _customer, own in groupby((_arrival(*row) for row in cursor), key=attrgetter("customer_id")):
            yield list(own)


def count_stored(brand_id: UUID, names: Iterable[str], since: datetime, until: datetime) -> int:
    with raw_cursor() as cursor:
        row = cursor.execute(_COUNT, [brand_id, sorted(names), since, until]).fetchone()
        return int(row[0]) if row else 0


def _arrival(
    id_: int, at: datetime, profile: UUID, brand: UUID, name: str, message: str, customer: UUID,
    properties: Mapping[str, Any] | None, schema: int | None,
) -> Arrival:  # fmt: skip
    said = shapes.said(properties, schema)
    return Arrival(0, id_, at, at, profile, brand, name, message, customer, said)


def together(lives: Iterable[Sequence[Arrival]], at_once: int = _AT_ONCE) -> Iterator[list[Sequence[Arrival]]]:
    """Some customers at a time, with about so many events."""
    held: list[Sequence[Arrival]] = []
    events = 0
    for one in lives:
        held.append(one)
        events += len(one)
        if events >= at_once:
            yield held
            held, events = [], 0
    if held:
        yield held
