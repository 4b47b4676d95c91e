"""What a resolved batch leaves behind: events and payloads, brands, and events to be matched."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.consumers import ResolvedEvent
from customers.pg import copy_rows
from customers.resolve.identify import Profiles
from customers.resolve.incoming import Batch, Incoming

# What was said goes from the inbox to the events within the database.
_STORE = """
    WITH message AS MATERIALIZED (
        SELECT i.*, s.brand_id, u.profile_id
        FROM unnest(%b::bigint[], %b::uuid[]) AS u(id, profile_id)
        JOIN customers_inbox i ON i.id = u.id JOIN customers_source s ON s.id = i.source_id
    ), said AS (
        INSERT INTO customers_eventpayload (event_id, received_at, payload)
        SELECT id, received_at, payload::jsonb FROM message
    )
    INSERT INTO customers_event (
        id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id, schema_version_id,
        historical, unplanned, time_source
    )
    SELECT id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id, schema_version_id,
           historical, unplanned, time_source
    FROM message
"""
_MATCH = (
    ("event_id", "int8"),
    ("received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("profile_id", "uuid"),
    ("brand_id", "uuid"),
    ("name", "varchar"),
    ("message_id", "varchar"),
)

# A profile that is new to a brand is new to the source that names it there: only those are looked at.
_NAMED = """
    WITH fresh AS (
        INSERT INTO customers_profilesource AS p (profile_id, source_id, first_seen_at, assurance)
        SELECT u.profile_id, u.source_id, %b, u.assurance
        FROM unnest(%b::uuid[], %b::uuid[], %b::smallint[]) AS u(profile_id, source_id, assurance)
        WHERE NOT EXISTS (
            SELECT 1 FROM customers_profilesource n
            WHERE n.profile_id = u.profile_id AND n.source_id = u.source_id AND n.assurance >= u.assurance
        )
        ON CONFLICT (profile_id, source_id) DO UPDATE SET assurance = excluded.assurance
            WHERE p.assurance < excluded.assurance
        RETURNING profile_id, source_id
    )
    INSERT INTO customers_profilebrand (profile_id, brand_id, first_seen_at)
    SELECT DISTINCT fresh.profile_id, s.brand_id, %b::timestamptz
    FROM fresh JOIN customers_source s ON s.id = fresh.source_id ORDER BY 1, 2 ON CONFLICT DO NOTHING
    RETURNING profile_id, brand_id
"""


def write_events(cursor: Cursor[Any], messages: Sequence[Incoming], profiles: Profiles) -> list[ResolvedEvent]:
    """Append the batch's events and payloads; an event keeps the id of its message."""
    events = [_resolved(message, profiles) for message in messages]
    cursor.execute(_STORE, [[event.id for event in events], [event.profile_id for event in events]], prepare=True)
    return events


def _resolved(message: Incoming, profiles: Profiles) -> ResolvedEvent:
    profile = profiles.of_message[message.id][0]
    return ResolvedEvent(
        id=message.id,
        received_at=message.received_at,
        occurred_at=message.occurred_at,
        brand_id=message.brand_id,
        source_id=message.source_id,
        profile_id=profile,
        customer_id=profiles.customer[profile],
        kind=message.kind,
        name=message.name,
        message_id=message.message_id,
        historical=message.historical,
        schema_version_id=message.schema_version_id,
        identifiers=tuple((one.kind, one.value) for one in message.named),
        payload_text=message.payload_text,
        assurance=message.assurance,
    )


def write_brands(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> list[tuple[UUID, UUID]]:
    """Note by which source, and so in which brand, each profile was named (DESIGN §2.15); return (profile, brand) of
    those who are new to the brand."""
    named: dict[tuple[UUID, UUID], int] = {}
    for message in batch.messages:
        surely = message.sureness
        for profile in (*profiles.of_message[message.id], *profiles.of_former.get(message.id, ())):
            pair = profile, message.source_id
            if named.get(pair, 0) < surely:
                named[pair] = surely
    # In an order of which there is one, so that two batches never wait for each other in a circle.
    ordered = sorted(named, key=lambda pair: (pair[0].int, pair[1].int))
    columns = (*(list(column) for column in zip(*ordered, strict=True)), [named[pair] for pair in ordered])
    return cursor.execute(_NAMED, [now, *columns, now], prepare=True).fetchall()


def queue_for_match(cursor: Cursor[Any], events: Iterable[ResolvedEvent], awaited: frozenset[str]) -> int:
    """Queue the events somebody live awaits; imports fill history, they start and resume nothing."""
    rows = [
        (
            event.id,
            event.received_at,
            event.occurred_at,
            event.profile_id,
            event.brand_id,
            event.name,
            event.message_id,
        )
        for event in events
        if event.name in awaited and not event.historical
    ]
    if rows:
        copy_rows(cursor, "customers_match_queue", _MATCH, rows)
    return len(rows)
