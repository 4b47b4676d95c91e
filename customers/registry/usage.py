"""What became of an event type: how many events came by version, source and day, what was refused, who waits for it.

Every question is bounded, since a page is not worth a scan of millions: the newest events are counted, and the
page says of how many.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from customers.models import EventType

DAYS: Final = 30
MOST: Final = 50_000
MOST_NAMES: Final = 200
SAMPLES: Final = 100
_USED: Final = """
    WITH newest AS MATERIALIZED (
        SELECT schema_version_id, source_id, received_at FROM customers_event
        WHERE name = %(name)s AND brand_id = %(brand)s AND received_at >= %(since)s AND occurred_at >= %(long_ago)s
        ORDER BY occurred_at DESC LIMIT %(most)s
    )
    SELECT n.schema_version_id, s.name, (n.received_at AT TIME ZONE b.zone)::date, count(*)
    FROM newest n JOIN customers_source s ON s.id = n.source_id JOIN customers_brand b ON b.id = s.brand_id
    GROUP BY 1, 2, 3 ORDER BY 3 DESC, 1 DESC NULLS LAST, 2
"""
_REFUSED: Final = """
    SELECT code, count(*) FROM (
        SELECT q.code FROM customers_quarantinedevent q JOIN customers_source s ON s.id = q.source_id
        WHERE q.name = %(name)s AND s.brand_id = %(brand)s AND q.status = 'open' AND q.received_at >= %(since)s
        LIMIT %(most)s
    ) refused GROUP BY 1 ORDER BY 2 DESC, 1
"""
_WAITING: Final = "SELECT waiter FROM customers_awaitedname WHERE name = %s ORDER BY waiter LIMIT 100"
# Each next name is one step down the index, however many events have it.
_UNPLANNED: Final = """
    WITH RECURSIVE named AS (
        (SELECT name FROM customers_event ORDER BY name LIMIT 1)
        UNION ALL
        SELECT (SELECT e.name FROM customers_event e WHERE e.name > named.name ORDER BY e.name LIMIT 1)
        FROM named WHERE named.name IS NOT NULL
    )
    SELECT n.name, b.id, b.name, seen.count, seen.newest, seen.marked
    FROM (SELECT name FROM named WHERE name IS NOT NULL LIMIT 2000) n
    CROSS JOIN customers_brand b
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, max(e.received_at) AS newest, bool_or(e.unplanned) AS marked FROM (
            SELECT received_at, unplanned FROM customers_event
            WHERE name = n.name AND brand_id = b.id AND received_at >= %(since)s AND occurred_at >= %(long_ago)s
              AND source_id NOT IN (SELECT id FROM customers_source WHERE key = 'trilha')
            LIMIT 1000
        ) e
    ) seen
    WHERE seen.count > 0 AND b.id = ANY(%(brands)s::uuid[])
      AND NOT EXISTS (SELECT 1 FROM customers_eventtype t WHERE t.brand_id = b.id AND t.name = n.name)
    ORDER BY seen.count DESC, n.name LIMIT %(most)s
"""
_SAMPLE: Final = """
    SELECT coalesce(p.payload -> 'properties', p.payload -> 'traits', '{}')::text FROM (
        SELECT id, received_at FROM customers_event
        WHERE name = %(name)s AND brand_id = %(brand)s AND received_at >= %(since)s AND occurred_at >= %(long_ago)s
        ORDER BY occurred_at DESC LIMIT %(most)s
    ) e JOIN customers_eventpayload p ON p.event_id = e.id AND p.received_at = e.received_at
"""
_LONG_AGO: Final = timedelta(days=365)


@dataclass(slots=True)
class Usage:
    """Counts by (version id or None, source's name) and day; `is_part` when there were more than were counted."""

    days: list[date] = field(default_factory=list)
    rows: dict[tuple[int | None, str], dict[date, int]] = field(default_factory=dict)
    refused: list[tuple[str, int]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    total: int = 0

    @property
    def is_part(self) -> bool:
        return self.total >= MOST


@dataclass(frozen=True, slots=True)
class Seen:
    """A name without an event type; counted up to a thousand."""

    name: str
    brand_id: UUID
    brand: str
    count: int
    newest: datetime
    marked: bool


def usage(event_type: EventType, now: datetime) -> Usage:
    made = Usage()
    asked = _asked(event_type.name, event_type.brand_id, now, MOST)
    with connection.cursor() as cursor:
        cursor.execute(_USED, asked)
        for version, source, day, count in cursor.fetchall():
            made.rows.setdefault((version, source), {})[day] = count
            made.total += count
        cursor.execute(_REFUSED, asked)
        made.refused = cursor.fetchall()
        cursor.execute(_WAITING, [event_type.name])
        made.waiting = [waiter for (waiter,) in cursor.fetchall()]
    made.days = sorted({day for counts in made.rows.values() for day in counts}, reverse=True)
    return made


def unplanned(brands: list[UUID], now: datetime) -> list[Seen]:
    """Names that came in these brands lately and have no event type, the most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNPLANNED, _asked("", None, now, MOST_NAMES) | {"brands": brands})
        return [Seen(*row) for row in cursor.fetchall()]


def samples(name: str, brand_id: UUID, now: datetime) -> list[str]:
    """What the newest of these events said, as JSON."""
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLE, _asked(name, brand_id, now, SAMPLES))
        return [said for (said,) in cursor.fetchall()]


def _asked(name: str, brand_id: UUID | None, now: datetime, most: int) -> dict[str, Any]:
    since = now - timedelta(days=DAYS)
    # Imports tell of long ago; they are counted up to a year back.
    return {"name": name, "brand": brand_id, "since": since, "long_ago": since - _LONG_AGO, "most": most}
