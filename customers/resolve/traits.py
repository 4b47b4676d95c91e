"""Traits of a batch: kept with their time per profile, and the winners cached on the customer."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor

from customers.consumers import ResolvedEvent

# Repeated values are kept too: a late arrival between two equal ones would else seem to be the last word.
_ADD = """
    INSERT INTO customers_trait (profile_id, name, value, valid_from, recorded_at, event_id)
    SELECT u.profile_id, u.name, u.value::jsonb, u.valid_from, u.recorded_at, u.event_id
    FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::bigint[])
        AS u(profile_id, name, value, valid_from, recorded_at, event_id)
    ON CONFLICT DO NOTHING
"""

_LOCK = "SELECT 1 FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR UPDATE"

# The latest word of any of the customer's profiles wins; at one instant, the later event.
_CACHE = """
    UPDATE customers_customer c
    SET traits = w.traits,
        zone = CASE jsonb_typeof(w.traits -> 'timezone')
            WHEN 'string' THEN left(w.traits ->> 'timezone', 64) ELSE '' END,
        locale = CASE jsonb_typeof(w.traits -> 'locale')
            WHEN 'string' THEN left(w.traits ->> 'locale', 20) ELSE '' END
    FROM (
        SELECT u.id, coalesce(jsonb_object_agg(t.name, t.value) FILTER (WHERE t.name IS NOT NULL), '{}') AS traits
        FROM unnest(%b::uuid[]) AS u(id)
        LEFT JOIN LATERAL (
            SELECT DISTINCT ON (t.name) t.name, t.value
            FROM customers_profile p JOIN customers_trait t ON t.profile_id = p.id
            WHERE p.customer_id = u.id
            ORDER BY t.name, t.valid_from DESC, t.event_id DESC
        ) t ON true
        GROUP BY u.id
    ) w
    WHERE c.id = w.id AND c.traits IS DISTINCT FROM w.traits
"""


def write_traits(cursor: Cursor[Any], events: Sequence[ResolvedEvent], regrouped: Collection[UUID]) -> None:
    """Record what identify messages say, and refresh the cached traits of everybody concerned."""
    rows, concerned = [], set(regrouped)
    for event in events:
        if event.kind == "identify":
            traits = event.payload().get("traits", {})
            concerned.add(event.customer_id)
            rows += [
                (
                    event.profile_id,
                    name[:120],
                    orjson.dumps(value).decode(),
                    # A clock that is ahead must not outlast what is said later.
                    min(event.occurred_at, event.received_at),
                    event.received_at,
                    event.id,
                )
                for name, value in traits.items()
            ]
    if rows:
        cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
    if concerned:
        # Locked first: a statement begun after the lock sees the traits of whoever held it before.
        ordered = sorted(concerned)
        cursor.execute(_LOCK, [ordered])
        cursor.execute(_CACHE, [ordered])
