"""Queueing: in the transaction that stores events, a delivery for each endpoint that asked for one of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from psycopg import Cursor

from customers import bells
from customers.ids import new_id
from customers.models import Scope, Source
from customers.pg import copy_rows
from customers.stored import Stored

# Whether a token `k` is good now, in this environment, for having systems told: asks for `good()`.
GOOD: Final = f"""
    k.revoked_at IS NULL AND k.expires_at > %b AND k.mode = %b AND '{Scope.WEBHOOKS_MANAGE.value}' = ANY(k.scopes)
"""
# What a partner's endpoint hears, of a row `t` with brand, source, profile: what its active sources told, and what
# happened here to those whom they named, by whichever of their profiles. Asks for `good()`.
HEARS: Final = f"""
    (w.token_id IS NULL OR EXISTS (
        SELECT 1 FROM customers_partnertoken k JOIN customers_partnertoken_sources o ON o.partnertoken_id = k.id
        JOIN customers_source a ON a.id = o.source_id AND a.is_active
        WHERE k.id = w.token_id AND {GOOD} AND (o.source_id = t.source_id OR (
            EXISTS (SELECT 1 FROM customers_profile p JOIN customers_profile q ON q.customer_id = p.customer_id
                    JOIN customers_profilesource n ON n.profile_id = q.id
                    WHERE p.id = t.profile_id AND n.source_id = o.source_id)
            AND EXISTS (SELECT 1 FROM customers_source s WHERE s.id = t.source_id AND s.key = '{Source.RESERVED_KEY}')
        ))
    ))
"""
_HEARD: Final = f"""
    SELECT t.n, w.id FROM unnest(%b::bigint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::bool[])
        AS t(n, brand_id, source_id, profile_id, name, is_past)
    JOIN channels_webhookendpoint w ON w.brand_id = t.brand_id AND w.is_active AND t.name = ANY(w.events)
    WHERE (w.tells_history OR NOT t.is_past) AND {HEARS} ORDER BY t.n, w.id
"""
COLUMNS: Final = (
    ("id", "uuid"),
    ("endpoint_id", "uuid"),
    ("event_id", "int8"),
    ("received_at", "timestamptz"),
    ("profile_id", "uuid"),
    ("name", "varchar"),
    ("state", "varchar"),
    ("queued_at", "timestamptz"),
    ("due_at", "timestamptz"),
    ("tries", "int2"),
    ("attempts", "int4"),
    ("crashes", "int2"),
    ("replays", "int2"),
    ("reason", "varchar"),
)


def good(now: datetime) -> list[Any]:
    return [now, str(settings.WRITE_KEY_MODE)]


def queue(cursor: Cursor[Any], events: Sequence[Stored], now: datetime) -> None:
    """An event is stored once, so this is called for it once: whatever is there already is no concern here."""
    columns = (
        [one.brand_id for one in events],
        [one.source_id for one in events],
        [one.profile_id for one in events],
        [one.name for one in events],
        [one.is_past for one in events],
    )
    heard = cursor.execute(_HEARD, [list(range(len(events))), *columns, *good(now)], prepare=True).fetchall()
    if heard:
        copy_rows(cursor, "channels_webhookdelivery", COLUMNS, [_row(events[n], to, now) for n, to in heard])
        bells.ring("webhooks")


def _row(event: Stored, endpoint_id: UUID, now: datetime) -> tuple[Any, ...]:
    return (
        new_id(), endpoint_id, event.id, event.received_at, event.profile_id, event.name, "waiting", now, now,
        0, 0, 0, 0, "",
    )  # fmt: skip
