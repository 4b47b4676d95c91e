"""When a broadcast goes: for all at one moment, or at a time of day by the clocks where each of them is."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from channels.models import Broadcast
from customers import moments
from customers.places import zones

# The day begins here first; zones are not asked before the broadcast begins, as people come from anywhere.
FIRST_ZONE: Final = "Pacific/Kiritimati"
# People are taken in before the first of them is to be written to.
_AHEAD: Final = timedelta(minutes=10)


def all_zones() -> list[str]:
    """As a broadcast keeps them: a recipient has the number of its zone among these."""
    return zones()


def begins_at(broadcast: Broadcast, now: datetime) -> datetime:
    """When people are to be taken in."""
    if broadcast.when == Broadcast.When.AT and broadcast.starts_at is not None:
        return max(broadcast.starts_at, now)
    if broadcast.when == Broadcast.When.LOCAL:
        return max(_local(broadcast, FIRST_ZONE, None) - _AHEAD, now)
    return now


def dues(broadcast: Broadcast, *, is_pilot: bool) -> list[datetime]:
    """By the number of its zone, when a recipient is due; worked out anew each time, since what clocks show may have
    been decided anew. Whoever is not in the pilot group is due once it was decided on them."""
    after = None if is_pilot else broadcast.decided_at
    if broadcast.when == Broadcast.When.LOCAL:
        return [_local(broadcast, zone, after) for zone in broadcast.zones]
    moment = after or broadcast.begins_at
    if moment is None:
        raise ValueError("a broadcast that was not started is due at no moment")
    return [moment]


def _local(broadcast: Broadcast, zone: str, after: datetime | None) -> datetime:
    if broadcast.local_day is None or broadcast.local_time is None:
        raise ValueError("a broadcast by the clocks of its people has a day and a time")
    first = moments.at(broadcast.local_day, broadcast.local_time, zone_of(zone))
    if after is None or first >= after:
        return first
    # The pilot group went on the day; the others get it at that time of the next day that has not gone by.
    return _next(broadcast.local_time, zone, after)


def _next(clock: time, zone: str, after: datetime) -> datetime:
    there = zone_of(zone)
    today = after.astimezone(there).date()
    found = (moments.at(today + timedelta(days=ahead), clock, there) for ahead in range(3))
    return next(moment for moment in found if moment >= after)


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        # Taken out of the lists since: nobody has been there for long.
        return ZoneInfo("UTC")


def due_numbers(dues: Sequence[datetime], now: datetime) -> list[int]:
    return [number for number, due in enumerate(dues) if due <= now]


def late_numbers(dues: Sequence[datetime], span: timedelta, now: datetime) -> list[int]:
    return [number for number, due in enumerate(dues) if due + span <= now]
