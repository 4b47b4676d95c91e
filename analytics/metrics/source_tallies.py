"""What sources sent, by the hour: read once, and all formulas of their health are pure functions of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from analytics.metrics.query import rows
from customers.models import Outcome
from customers.tally import COUNTED

HOUR: Final = timedelta(hours=1)
# What a sender did: the rest is how long it took.
SENT: Final = (Outcome.ACCEPTED.value, Outcome.DUPLICATE.value, Outcome.REFUSED.value)
_ALL: Final = f"""
    SELECT source_id, hour, outcome, code, name, sum(count)::bigint, max(last_at)
    FROM {COUNTED} t GROUP BY 1, 2, 3, 4, 5
"""
_SUMMED: Final = f"""
    SELECT source_id, date_trunc('hour', %(since)s::timestamptz, 'UTC'), outcome, '', '', sum(count)::bigint,
           max(last_at)
    FROM {COUNTED} t WHERE outcome = ANY(%(sent)s) GROUP BY source_id, outcome
"""
_HOURS: Final = f"""
    SELECT DISTINCT source_id, CASE WHEN %(by_name)s THEN name ELSE '' END, hour
    FROM {COUNTED} t WHERE outcome = ANY(%(sent)s) ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Counted:
    source_id: UUID
    hour: datetime
    outcome: str
    code: str
    name: str
    count: int
    last_at: datetime


def tallies(sources: Collection[UUID], since: datetime) -> list[Counted]:
    """Everything counted since the beginning of that hour."""
    return [Counted(*row) for row in rows(_ALL, _asked(sources, since))]


def totals(sources: Collection[UUID], since: datetime) -> list[Counted]:
    """By source and outcome only, whatever the name."""
    return [Counted(*row) for row in rows(_SUMMED, _asked(sources, since))]


def hours_with_messages(
    sources: Collection[UUID], since: datetime, *, by_name: bool = False
) -> dict[tuple[UUID, str], list[datetime]]:
    """The hours in which anything came, in order, by source and, if wanted, event name."""
    found: dict[tuple[UUID, str], list[datetime]] = {}
    for source, name, hour in rows(_HOURS, _asked(sources, since) | {"by_name": by_name}):
        found.setdefault((source, name), []).append(hour)
    return found


def _asked(sources: Collection[UUID], since: datetime) -> dict[str, object]:
    first = since.replace(minute=0, second=0, microsecond=0)
    return {"sources": list(sources), "since": first, "sent": list(SENT)}
