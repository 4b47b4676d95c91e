"""Stored events for a simulation, customer by customer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from customers.ids import NIL
from customers.models import Segment
from customers.pg import held_cursor, raw_cursor
from customers.registry import shapes
from journeys.compiling import awaited_names
from journeys.engine.arrivals import Arrival
from journeys.entry.names import CALLED
from journeys.version import Version

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
# Who was in the segment at each moment of a schedule, called by the first of their profiles in it; beside what is
# stored, by ids that no event has.
_CALLED_IN: Final = """
    SELECT -o.number, o.at, m.profile_id, %b::uuid, %b::text, o.number::text, m.customer_id,
           jsonb_build_object('journey', %b::text), NULL::integer
    FROM unnest(%b::timestamptz[]) WITH ORDINALITY AS o(at, number), LATERAL (
        SELECT DISTINCT ON (s.customer_id) s.customer_id, s.profile_id FROM customers_segmentmembership s
        WHERE s.segment_id = %b AND s.entered_at <= o.at AND (s.left_at IS NULL OR s.left_at > o.at)
        ORDER BY s.customer_id, s.profile_id
    ) m
    WHERE m.customer_id > %b
"""
_WITH_CALLS: Final = """
    SELECT * FROM (({stored}) UNION ALL ({called})) e (id, at, profile_id, brand_id, name, message_id, customer_id,
        said, schema_version_id)
    ORDER BY customer_id, at, message_id, id
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
    yield from _read_stored(_STORED, [brand_id, sorted(names), since, until, after or NIL])


def heard(version: Version, since: datetime, until: datetime, after: UUID | None = None) -> Iterator[list[Arrival]]:
    """All that a version would have heard of, in the same order: what is stored, and where it goes by a schedule, the
    calls of that instead of those that were made."""
    schedule = version.definition.entry.schedule
    names = names_heard(version)
    if schedule is None:
        yield from stored(version.brand_id, names, since, until, after)
        return
    moments = list(schedule.between(since, until))
    told = [version.brand_id, sorted(names), since, until, after or NIL]
    told += [version.brand_id, CALLED, str(version.journey_id), moments, _segment(version), after or NIL]
    yield from _read_stored(_WITH_CALLS.format(stored=_STORED, called=_CALLED_IN), told)


def names_heard(version: Version) -> set[str]:
    """Those it awaits, and the calls by which people were let in."""
    names = awaited_names(version.definition, version.steps)
    return names - {CALLED} if version.definition.entry.schedule else names | {CALLED}


def _segment(version: Version) -> UUID | None:
    segments = Segment.objects.filter(brand_id=version.brand_id, key=version.definition.entry.segment)
    return segments.values_list("pk", flat=True).first()


def _read_stored(sql: str, told: list[Any]) -> Iterator[list[Arrival]]:
    with held_cursor("simulated_events") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(sql, told)
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
