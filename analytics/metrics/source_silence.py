"""Silence: whether a source, or an event of it, has been quiet for longer than it usually is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Final

from django.utils.translation import gettext_lazy as _

from analytics.metrics.source_tallies import HOUR

LABEL = _("Silence")
DEFINITION = _(
    "Quiet for more than one and a half times its usual longest pause, and for an hour at least. The usual longest "
    "pause: of the last 28 days with messages, each with the longest pause that ended on it, nine in ten had no longer "
    "one. A source is not judged before it has sent on three days, unless it says after how many hours it is silent."
)
WINDOW: Final = timedelta(days=28)
_DAYS: Final = 3
_FACTOR: Final = 1.5
LEAST: Final = HOUR


@dataclass(frozen=True, slots=True)
class Silence:
    """`usual` is the longest pause that is nothing unusual; None where too little is known to say."""

    last_at: datetime | None
    usual: timedelta | None
    limit: timedelta | None
    is_silent: bool


def silence(
    hours: Sequence[datetime], last_at: datetime | None, now: datetime, silent_after: int | None = None
) -> Silence:
    """From the hours in which something came, in order, and when the last of it did."""
    usual = usual_pause(hours)
    limit = timedelta(hours=silent_after) if silent_after is not None else usual and max(LEAST, usual * _FACTOR)
    is_silent = limit is not None and (last_at is None or now - last_at > limit)
    return Silence(last_at, usual, limit, is_silent)


def usual_pause(hours: Sequence[datetime]) -> timedelta | None:
    """Nine in ten days had no longer pause than this; an hour is the finest that hours can tell."""
    longest: dict[object, timedelta] = {}
    for before, hour in pairwise(hours):
        day = hour.date()
        longest[day] = max(longest.get(day, HOUR), hour - before)
    if len({hour.date() for hour in hours}) < _DAYS:
        return None
    pauses = sorted(longest.values())
    return pauses[ceil(0.9 * len(pauses)) - 1]
