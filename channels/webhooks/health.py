"""How endpoints are: since when something waits, how much succeeded in a day, and what failed last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from customers.pg import raw_cursor

DAY: Final = timedelta(hours=24)
# Attempts are counted to this bound and no further: a page is no report.
BOUND: Final = 10_000

_HEALTH: Final = f"""
    SELECT w.id, q.waiting, q.oldest, coalesce(a.made, 0), coalesce(a.well, 0), f.at, coalesce(f.reason, '')
    FROM unnest(%b::uuid[]) AS w(id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS waiting, min(o.queued_at) AS oldest FROM (
            SELECT queued_at FROM channels_webhookdelivery d
            WHERE d.endpoint_id = w.id AND d.state IN ('waiting', 'sending') LIMIT {BOUND}
        ) o
    ) q
    LEFT JOIN LATERAL (
        SELECT count(*) AS made, count(*) FILTER (WHERE n.reason = '') AS well FROM (
            SELECT t.reason FROM channels_webhookattempt t
            WHERE t.endpoint_id = w.id AND t.at >= %b LIMIT {BOUND}
        ) n
    ) a ON true
    LEFT JOIN LATERAL (
        SELECT t.at, t.reason FROM channels_webhookattempt t
        WHERE t.endpoint_id = w.id AND t.reason <> '' ORDER BY t.at DESC LIMIT 1
    ) f ON true
"""


@dataclass(frozen=True, slots=True)
class Health:
    """`waiting` and `attempts` count no further than the bound."""

    waiting: int = 0
    oldest: datetime | None = None
    attempts: int = 0
    succeeded: int = 0
    failed_at: datetime | None = None
    failed_by: str = ""

    @property
    def percent(self) -> float | None:
        return 100 * self.succeeded / self.attempts if self.attempts else None


def health(endpoints: Iterable[UUID], now: datetime) -> Mapping[UUID, Health]:
    with raw_cursor() as cursor:
        rows = cursor.execute(_HEALTH, [list(endpoints), now - DAY]).fetchall()
    return {row[0]: Health(*row[1:]) for row in rows}
