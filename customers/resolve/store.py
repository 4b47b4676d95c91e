"""What a resolved batch leaves behind: events and payloads, brands, addresses, and events to be matched."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from customers.consumers import ResolvedEvent
from customers.ids import new_id
from customers.models.address import Channel
from customers.pg import copy_rows, raw_json
from customers.resolve.identify import Profiles
from customers.resolve.incoming import Batch, Incoming

_EVENT = (
    ("id", "int8"),
    ("received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("brand_id", "uuid"),
    ("source_id", "uuid"),
    ("profile_id", "uuid"),
    ("kind", "varchar"),
    ("name", "varchar"),
    ("message_id", "varchar"),
    ("schema_version_id", "int8"),
    ("historical", "bool"),
)
_PAYLOAD = (("event_id", "int8"), ("received_at", "timestamptz"), ("payload", "jsonb"))
_MATCH = (
    ("event_id", "int8"),
    ("received_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("profile_id", "uuid"),
    ("brand_id", "uuid"),
    ("name", "varchar"),
    ("message_id", "varchar"),
)


def write_events(cursor: Cursor[Any], messages: Sequence[Incoming], profiles: Profiles) -> list[ResolvedEvent]:
    """Append the batch's events and payloads, ids in the order of receipt."""
    ids = cursor.execute(
        "SELECT nextval('customers_event_id_seq') FROM generate_series(1, %s)", [len(messages)]
    ).fetchall()
    events = [_resolved(id_, message, profiles) for (id_,), message in zip(ids, messages, strict=True)]
    copy_rows(
        cursor,
        "customers_event",
        _EVENT,
        (
            (
                event.id,
                event.received_at,
                event.occurred_at,
                event.brand_id,
                event.source_id,
                event.profile_id,
                event.kind,
                event.name,
                event.message_id,
                message.schema_version_id,
                event.historical,
            )
            for event, message in zip(events, messages, strict=True)
        ),
    )
    copy_rows(
        cursor,
        "customers_eventpayload",
        _PAYLOAD,
        ((event.id, event.received_at, raw_json(event.payload_text)) for event in events),
    )
    return events


def _resolved(id_: int, message: Incoming, profiles: Profiles) -> ResolvedEvent:
    profile = profiles.of_message[message.id][0]
    return ResolvedEvent(
        id=id_,
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
        identifiers=tuple((one.kind, one.value) for one in message.named),
        payload_text=message.payload_text,
    )


def write_brands(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> None:
    """Note in which brand each profile was seen (DESIGN §2.15)."""
    pairs = sorted(
        {(profile, message.brand_id) for message in batch.messages for profile in profiles.of_message[message.id]}
    )
    cursor.execute(
        "INSERT INTO customers_profilebrand (profile_id, brand_id, first_seen_at)"
        " SELECT u.profile_id, u.brand_id, %b FROM unnest(%b::uuid[], %b::uuid[]) AS u(profile_id, brand_id)"
        " WHERE NOT EXISTS (SELECT 1 FROM customers_profilebrand b"
        "  WHERE b.profile_id = u.profile_id AND b.brand_id = u.brand_id) ON CONFLICT DO NOTHING",
        [now, *(list(column) for column in zip(*pairs, strict=True))],
    )


def write_addresses(cursor: Cursor[Any], batch: Batch, profiles: Profiles, now: datetime) -> None:
    """Every e-mail identity is an address of its own profile, and of the strongest that the message names.

    Two people may share it: it moves with its own profile to one of them, and reaches the other all the same.
    """
    seen = sorted(
        {
            (one.value, owner, batch.originals[one])
            for message in batch.messages
            for one, profile in zip(message.named, profiles.of_message[message.id], strict=True)
            if one.kind == "email"
            for owner in (profile, profiles.of_message[message.id][0])
        }
    )
    if not seen:
        return
    values, owners, originals = (list(column) for column in zip(*seen, strict=True))
    cursor.execute(
        "INSERT INTO customers_address (id, channel, value, original, created_at)"
        " SELECT u.id, %b, u.value, u.original, %b FROM unnest(%b::uuid[], %b::text[], %b::text[])"
        " AS u(id, value, original) WHERE NOT EXISTS (SELECT 1 FROM customers_address a"
        "  WHERE a.value = u.value AND a.channel = %b) ON CONFLICT (value, channel) DO NOTHING",
        [Channel.EMAIL.value, now, [new_id() for _value in values], values, originals, Channel.EMAIL.value],
    )
    cursor.execute(
        "INSERT INTO customers_addressprofile AS p (profile_id, address_id, first_seen_at, last_seen_at)"
        " SELECT u.profile_id, a.id, %b, %b FROM unnest(%b::uuid[], %b::text[]) AS u(profile_id, value)"
        " JOIN customers_address a ON a.value = u.value AND a.channel = %b ORDER BY 1, 2"
        " ON CONFLICT (profile_id, address_id) DO UPDATE SET last_seen_at = excluded.last_seen_at"
        " WHERE p.last_seen_at < excluded.last_seen_at",
        [now, now, owners, values, Channel.EMAIL.value],
    )


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
