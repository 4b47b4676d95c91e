"""Moments as people name them: a time of day in somebody's zone, months on, the hours that somebody is open."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY: Final = frozenset(range(7))
_SECOND: Final = timedelta(seconds=1)
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
    """That time of that day in the zone. One that the clocks leap over is the moment after the leap; of one that there
    is twice, the first is meant. Where a place leaves out a whole day, that day's times are those of the next."""
    written = datetime.combine(day, clock, zone)
    moment = written.astimezone(UTC)
    before, after = written.utcoffset(), written.replace(fold=1).utcoffset()
    leap = after - before if before is not None and after is not None else timedelta()
    if not timedelta() < leap < timedelta(days=1):
        return moment
    # The clocks leapt somewhere in the span that is as long as the leap: the first moment with the new offset.
    first, last = moment - leap, moment
    while last - first > _SECOND:
        middle = first + (last - first) // 2
        if middle.astimezone(zone).utcoffset() == after:
            last = middle
        else:
            first = middle
    return last.replace(microsecond=0)


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
        # Clocks may leap over all of a day's hours, so two weeks have one of the days for sure.
        for ahead in range(16):
            day = first + timedelta(days=ahead)
            if day.weekday() in self.days:
                found = max(moment, at(day, self.opens, zone))
                if found < self._end(day, zone):
                    return found
        raise AssertionError("two weeks have none of the days")

    def _end(self, day: date, zone: ZoneInfo) -> datetime:
        if self.closes == time():
            return at(day + timedelta(days=1), time(), zone)
        return at(day, self.closes, zone)
