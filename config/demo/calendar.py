"""The moments of the replay: few while events are only collected, several an hour once journeys are live.

Between two beats nothing happens, so every stage works once a beat. Beats come in bursts: people do things at its
first, what they do soon after comes with the second, and the half-hour timers of the first fall due at the third.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

_QUIET_STEP: Final = timedelta(hours=9, minutes=37, seconds=11)
_BURST_STEP: Final = timedelta(minutes=97, seconds=19)
_SOON: Final = timedelta(minutes=11, seconds=23)
_HALF_HOUR: Final = timedelta(minutes=30, seconds=3)


@dataclass(slots=True)
class Calendar:
    """From `begin` to `end`; journeys are live from `live_from` on. `extra` are beats that somebody asked for."""

    begin: datetime
    live_from: datetime
    end: datetime
    extra: frozenset[datetime] = frozenset()
    beats: list[datetime] = field(init=False)
    _bursts: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        self._bursts = list(self._steps())
        beats = self.extra.union(self._bursts)
        for burst in self._bursts:
            if burst >= self.live_from:
                beats |= {burst + _SOON, burst + _HALF_HOUR}
        self.beats = sorted(beat for beat in beats if beat <= self.end)

    def burst_at(self, moment: datetime) -> datetime | None:
        """The first burst from this moment on, if there is one before the end."""
        return _first(self._bursts, moment)

    def beat_at(self, moment: datetime) -> datetime | None:
        """The first beat from this moment on, if there is one before the end."""
        return _first(self.beats, moment)

    def _steps(self) -> Iterator[datetime]:
        moment = self.begin
        while moment <= self.end:
            yield moment
            moment += _BURST_STEP if moment >= self.live_from else _QUIET_STEP


def _first(moments: list[datetime], wanted: datetime) -> datetime | None:
    place = bisect_left(moments, wanted)
    return moments[place] if place < len(moments) else None
