"""A brand's day so far: from midnight in its own zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from analytics.home.count import Count
from analytics.metrics.equation import Part
from analytics.metrics.query import rows
from channels.models import Message, Reason
from customers.models import Brand

EVENTS: Final = 50_000
QUARANTINED: Final = 10_000
MESSAGES: Final = 20_000

_State = Message.State
_SENT: Final = [state.value for state in (_State.SENT, _State.DELIVERED, _State.OPENED, _State.CLICKED)]
_NOT_SENT: Final = [state.value for state in (_State.SUPPRESSED, _State.CANCELLED, _State.EXPIRED, _State.FAILED)]

_DAYS = "unnest(%(brands)s::uuid[], %(since)s::timestamptz[]) AS day(brand_id, since)"
# Ids come from one sequence in the order of receipt, so the newest are found without an index on the time.
_EVENTS = f"""
    WITH newest AS MATERIALIZED (
        SELECT brand_id, received_at FROM customers_event
        WHERE id > (SELECT last_value FROM customers_event_id_seq) - %(bound)s
    )
    SELECT day.brand_id, count(n.brand_id),
           coalesce(count(n.brand_id) > 0 AND (SELECT last_value FROM customers_event_id_seq) > %(bound)s
                    AND (SELECT min(received_at) FROM newest) >= day.since, false)
    FROM {_DAYS} LEFT JOIN newest n ON n.brand_id = day.brand_id AND n.received_at >= day.since
    GROUP BY day.brand_id, day.since
"""
_QUARANTINED = f"""
    SELECT day.brand_id, count(q.id)
    FROM {_DAYS} LEFT JOIN (
        SELECT q.id, q.received_at, s.brand_id FROM customers_quarantinedevent q
        JOIN customers_source s ON s.id = q.source_id
        WHERE q.received_at >= %(first)s AND s.brand_id = ANY(%(brands)s)
        ORDER BY q.received_at DESC LIMIT %(bound)s + 1
    ) q ON q.brand_id = day.brand_id AND q.received_at >= day.since
    GROUP BY day.brand_id
"""
_NEWEST_MESSAGES = """
    newest AS MATERIALIZED (
        SELECT brand_id, created_at, state, reason FROM channels_message
        WHERE created_at >= %(first)s AND brand_id = ANY(%(brands)s) ORDER BY created_at DESC LIMIT %(bound)s + 1
    )
"""
_MESSAGES = f"""
    WITH {_NEWEST_MESSAGES}
    SELECT day.brand_id, count(m.brand_id), count(m.brand_id) FILTER (WHERE m.state = ANY(%(sent)s)),
           count(m.brand_id) FILTER (WHERE m.state = ANY(%(not_sent)s)), (SELECT count(*) FROM newest)
    FROM {_DAYS} LEFT JOIN newest m ON m.brand_id = day.brand_id AND m.created_at >= day.since
    GROUP BY day.brand_id
"""
_REASONS = f"""
    WITH {_NEWEST_MESSAGES}
    SELECT m.reason, count(*)
    FROM {_DAYS} JOIN newest m ON m.brand_id = day.brand_id AND m.created_at >= day.since
    WHERE m.state = ANY(%(not_sent)s) GROUP BY 1 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class BrandToday:
    brand: Brand
    since: datetime
    accepted: Count
    quarantined: Count
    asked: Count
    sent: Count
    not_sent: Count


@dataclass(frozen=True, slots=True)
class NotSent:
    """Settled and not handed over today, by reason, the most frequent first."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)


def midnight(brand: Brand, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(brand.zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def brands_today(brands: Sequence[Brand], now: datetime) -> list[BrandToday]:
    """One row a brand, in the order given."""
    if not brands:
        return []
    days = _days(brands, now)
    accepted = {brand: Count(count, more) for brand, count, more in rows(_EVENTS, days | {"bound": EVENTS})}
    refused = {
        brand: Count.within(count, QUARANTINED) for brand, count in rows(_QUARANTINED, days | {"bound": QUARANTINED})
    }
    messages = {
        brand: tuple(Count(min(count, MESSAGES), total > MESSAGES and count > 0) for count in counts)
        for brand, *counts, total in rows(_MESSAGES, days | _states() | {"bound": MESSAGES})
    }
    return [
        BrandToday(brand, since, accepted[brand.pk], refused[brand.pk], *messages[brand.pk])
        for brand, since in zip(brands, days["since"], strict=True)
    ]


def not_sent_today(brands: Sequence[Brand], now: datetime) -> NotSent:
    labels: dict[str, str | Promise] = dict(Reason.choices)
    found = rows(_REASONS, _days(brands, now) | _states() | {"bound": MESSAGES}) if brands else []
    return NotSent(tuple(Part(reason, labels.get(reason, reason), count) for reason, count in found))


def _days(brands: Sequence[Brand], now: datetime) -> dict[str, Any]:
    since = [midnight(brand, now) for brand in brands]
    ids: list[UUID] = [brand.pk for brand in brands]
    return {"brands": ids, "since": since, "first": min(since)}


def _states() -> dict[str, list[str]]:
    return {"sent": _SENT, "not_sent": _NOT_SENT}
