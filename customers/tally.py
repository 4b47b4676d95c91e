"""Counting what sources send: rows beside the work, which beat folds into one row an hour.

A count that all senders raised would be a row they all wait for, so every batch adds rows of its own, in the
statement that stores it. Whoever reads adds up what is folded and what is not yet: `counted` has both.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from psycopg import Cursor

from customers.models import Outcome
from customers.pg import raw_cursor

# Limits of time in milliseconds; what took longer than the last is `OVER`.
LIMITS: Final = (100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000)
OVER: Final = "over"
_SPANS: Final = tuple(timedelta(milliseconds=limit) for limit in LIMITS)
_CODES: Final = (*map(str, LIMITS), OVER)
# So many names a source may bring up in an hour; what a broken sender makes up beyond is counted under one.
MOST_NAMES: Final = 300
OTHER_NAMES: Final = "…"
_FOLD_AT_ONCE: Final = 50_000
_FOLDING: Final = 7_411_001

_ADD: Final = """
    INSERT INTO customers_tally (source_id, at, outcome, code, name, count)
    SELECT u.source_id, %b::timestamptz, u.outcome, u.code, u.name, u.count
    FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::int[]) AS u(source_id, outcome, code, name, count)
"""
_FOLD: Final = f"""
    WITH taken AS (
        DELETE FROM customers_tally WHERE id IN (
            SELECT id FROM customers_tally ORDER BY id LIMIT {_FOLD_AT_ONCE} FOR UPDATE SKIP LOCKED
        ) RETURNING source_id, at, outcome, code, name, count
    ), summed AS (
        SELECT source_id, date_trunc('hour', at, 'UTC') AS hour, outcome, code, name, sum(count) AS count,
               max(at) AS last_at
        FROM taken GROUP BY 1, 2, 3, 4, 5
    ), known AS (
        SELECT DISTINCT h.source_id, h.hour, h.name FROM customers_hourtally h
        WHERE (h.source_id, h.hour) IN (SELECT source_id, hour FROM summed)
    ), ranked AS (
        SELECT s.*, k.name IS NOT NULL AS is_known,
               dense_rank() OVER (PARTITION BY s.source_id, s.hour, k.name IS NOT NULL ORDER BY s.name) AS place
        FROM summed s LEFT JOIN known k USING (source_id, hour, name)
    ), named AS (
        SELECT r.source_id, r.hour, r.outcome, r.code, r.count, r.last_at,
               CASE WHEN is_known OR place + (
                   SELECT count(*) FROM known k WHERE k.source_id = r.source_id AND k.hour = r.hour
               ) <= {MOST_NAMES} THEN r.name ELSE '{OTHER_NAMES}' END AS name
        FROM ranked r
    ), folded AS (
        INSERT INTO customers_hourtally (source_id, hour, outcome, code, name, count, last_at)
        SELECT source_id, hour, outcome, code, name, sum(count), max(last_at) FROM named
        WHERE EXISTS (SELECT 1 FROM customers_source s WHERE s.id = named.source_id)
        GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (source_id, hour, outcome, code, name) DO UPDATE SET
            count = customers_hourtally.count + excluded.count,
            last_at = greatest(customers_hourtally.last_at, excluded.last_at)
    )
    SELECT count(*) FROM taken
"""
# What is folded and what is not; asked with `sources` and `since`, which is the beginning of an hour.
COUNTED: Final = """(
    SELECT source_id, hour, outcome, code, name, count, last_at FROM customers_hourtally
    WHERE source_id = ANY(%(sources)s::uuid[]) AND hour >= %(since)s
    UNION ALL
    SELECT source_id, date_trunc('hour', at, 'UTC'), outcome, code, name, count, at FROM customers_tally
    WHERE source_id = ANY(%(sources)s::uuid[]) AND at >= %(since)s
)"""

# (source, outcome, code, name)
Counted = tuple[UUID, str, str, str]


def add(cursor: Cursor[Any], counts: Mapping[Counted, int], now: datetime) -> None:
    """Write one row for each of these counts."""
    if counts:
        keys = list(zip(*counts, strict=True))
        cursor.execute(_ADD, [now, *map(list, keys), list(counts.values())], prepare=True)


def note(source_id: UUID, outcome: Outcome, names: Iterable[str], now: datetime, code: str = "") -> None:
    """Count what was neither stored nor kept, by its names."""
    counts = Counter((source_id, outcome.value, code, name) for name in names)
    with connection.wrap_database_errors, raw_cursor() as cursor:
        add(cursor, counts, now)


def within(span: timedelta) -> str:
    """The limit that a span of time kept within, as the code of its tally."""
    return _CODES[bisect_left(_SPANS, span)]


@transaction.atomic
def fold() -> int:
    """Fold what was counted since the last time; return how many rows were. One process folds, others let it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_FOLDING])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_FOLD)
        return int(cursor.fetchone()[0])


def fold_all() -> int:
    """Fold until nothing is left to fold."""
    folded = 0
    while count := fold():
        folded += count
    return folded
