"""Moments as people name them: a time of day in somebody's zone, months on, the hours that somebody is open."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY: Final = frozenset(range(7))
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_RANGE: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")


class NoSuchMoment(ValueError):
    """A text that names no days or no time of day."""


def months_on(day: date, months: int) -> date:
    """The day of the same number so many months later, or the last one of a month that is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """That time of that day in the zone. One that the clocks leap over is as long after the leap as it is written
    after its beginning; of one that there is twice, the first is meant."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def days_of(text: str) -> frozenset[int]:
    """The days of the week, Monday is 0, that `mon-fri` or `sat,sun` names; all of them by nothing."""
    if not text.strip():
        return EVERY_DAY
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        names = _RANGE.fullmatch(part)
        if names is None or names[1] not in DAYS or names[2] not in (None, *DAYS):
            raise NoSuchMoment(part)
        first = DAYS.index(names[1])
        last = DAYS.index(names[2]) if names[2] else first
        found |= {n % 7 for n in range(first, last + 1 if last >= first else last + 8)}
    return frozenset(found)


def time_of(text: str) -> time:
    """The time of day that `09:30` names."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise NoSuchMoment(text)
    return time(int(parts[1]), int(parts[2]))


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` until before `closes` on some days of the week; closing at midnight is closing with the day."""

    days: frozenset[int]
    opens: time
    closes: time

    def next_open(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The moment itself where it lies within, else when they open next."""
        first = moment.astimezone(zone).date()
        for ahead in range(8):
            day = first + timedelta(days=ahead)
            if day.weekday() in self.days and moment < self._end(day, zone):
                return max(moment, at(day, self.opens, zone))
        raise AssertionError("a week has none of the days")

    def _end(self, day: date, zone: ZoneInfo) -> datetime:
        if self.closes == time():
            return at(day + timedelta(days=1), time(), zone)
        return at(day, self.closes, zone)
