"""How many calls a connector may begin now: by its rate, its quota of the day, and what may be spent in a day.

Pure; the rows are `channels.care.state`'s. A rate is a bucket that fills steadily and holds one second's worth (at
least one call). Money is in minor units; a price is of a thousand messages, as most cost less than a unit.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import floor
from zoneinfo import ZoneInfo

from channels.models import Connector
from customers.moments import at


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` as of `at`; `begun` calls on `day`."""

    tokens: float = 0.0
    at: datetime | None = None
    day: date | None = None
    begun: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """`count` calls may begin; none before `next_at` where that is a time. `by_day` says that the day is used up."""

    count: int
    next_at: datetime | None = None
    by_day: bool = False


def most_a_day(connector: Connector) -> int | None:
    """The lesser of the quota and of what the money is enough for."""
    limits = [connector.most_per_day]
    if connector.spend_per_day is not None and connector.price_per_thousand:
        limits.append(connector.spend_per_day * 1000 // connector.price_per_thousand)
    known = [one for one in limits if one is not None]
    return min(known) if known else None


def is_limited(connector: Connector) -> bool:
    return connector.most_per_second is not None or most_a_day(connector) is not None


def filled(bucket: Bucket, connector: Connector, zone: ZoneInfo, now: datetime) -> Bucket:
    """The bucket as of `now`. A clock that steps back fills nothing."""
    today = now.astimezone(zone).date()
    if bucket.day is not None and bucket.day > today:
        # A host whose clock is a moment behind at midnight.
        today = bucket.day
    begun = bucket.begun if bucket.day == today else 0
    if connector.most_per_second is None:
        return Bucket(0.0, now, today, begun)
    rate = connector.most_per_second
    room = max(1.0, rate)
    passed = max((now - bucket.at).total_seconds(), 0.0) if bucket.at else room / rate
    return Bucket(min(room, bucket.tokens + passed * rate), max(now, bucket.at or now), today, begun)


def allowed(bucket: Bucket, connector: Connector, zone: ZoneInfo, now: datetime, wanted: int) -> Allowed:
    """Of `wanted` calls, by a bucket that was filled."""
    count, next_at = wanted, None
    if connector.most_per_second is not None:
        count = min(count, floor(bucket.tokens))
        if count < 1:
            next_at = now + timedelta(seconds=(1 - bucket.tokens) / connector.most_per_second)
    most = most_a_day(connector)
    if most is not None and most - bucket.begun < count:
        count = max(most - bucket.begun, 0)
        if count < 1:
            tomorrow = now.astimezone(zone).date() + timedelta(days=1)
            return Allowed(0, at(tomorrow, time(), zone), by_day=True)
    return Allowed(count, next_at)


def spent(connector: Connector, begun: int) -> int:
    """Minor units that so many calls cost, rounded up."""
    return -(-begun * connector.price_per_thousand // 1000) if connector.price_per_thousand else 0
