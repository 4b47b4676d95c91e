"""Hours of somebody's own day, on any day: those on which clocks leap, and those that have an hour twice."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# Whatever is open at all is open within two weeks and a day or two: of an hour that there is once a week, clocks may
# leap over the next one.
_LOOK_AHEAD: Final = 16
# Clocks are not moved twice within half a day.
_STRIDE: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts` until before `ends` by the clock on the wall, across midnight where it ends no later than it
    starts; `days` are the days of the week, Monday is 0, on which it starts."""

    days: frozenset[int]
    starts: time
    ends: time

    def holds(self, local: datetime) -> bool:
        """What the clock on the wall says decides: an hour that there is twice is within it twice."""
        clock, day = local.time(), local.weekday()
        if self.starts < self.ends:
            return day in self.days and self.starts <= clock < self.ends
        return (day in self.days and clock >= self.starts) or ((day - 1) % 7 in self.days and clock < self.ends)


def first_open(
    moment: datetime, zone: ZoneInfo, is_open: Callable[[datetime], bool], spans: Iterable[Span]
) -> datetime | None:
    """The first moment from `moment` on whose local time is open; None if none is, all week long.

    What is open changes only where a span begins or ends, or where clocks are moved: these are tried, in turn. So a
    time that the clocks leap over is over as they leap, and of an hour that there is twice the first one counts.
    """
    local = moment.astimezone(zone)
    if is_open(local):
        return moment
    later = (one for one in sorted(_edges(local.date(), zone, spans)) if one > moment)
    return next((one for one in later if is_open(one.astimezone(zone))), None)


def _edges(first: date, zone: ZoneInfo, spans: Iterable[Span]) -> Iterator[datetime]:
    clocks = {clock for span in spans for clock in (span.starts, span.ends)}
    for ahead in range(_LOOK_AHEAD):
        day = first + timedelta(days=ahead)
        for clock in clocks:
            yield from {datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    begin = datetime.combine(first, time(), UTC) - timedelta(days=1)
    yield from _leaps(begin, begin + timedelta(days=_LOOK_AHEAD + 2), zone)


def _leaps(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments at which the zone's clocks are moved, to the second."""
    while begin < end:
        after = begin + _STRIDE
        if _offset(begin, zone) != _offset(after, zone):
            low, high = int(begin.timestamp()), int(after.timestamp())
            while high - low > 1:
                middle = (low + high) // 2
                same = _offset(datetime.fromtimestamp(middle, UTC), zone) == _offset(begin, zone)
                low, high = (middle, high) if same else (low, middle)
            yield datetime.fromtimestamp(high, UTC)
        begin = after


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
