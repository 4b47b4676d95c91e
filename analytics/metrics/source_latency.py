"""Latency of a source: how long its messages are on their way to us, and how long they wait to be resolved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext_lazy as _

from analytics.metrics.source_tallies import Counted
from customers.models import Outcome
from customers.tally import LIMITS, OVER

LABEL = _("Latency")
DEFINITION = _(
    "From when an event occurred, by its sender's word, to its receipt; and from there until it was resolved. Counted "
    "by limits, so that each number is the limit that so many kept within. Imports and events without a time of their "
    "own are left out of the first."
)
LONGEST: Final = timedelta(milliseconds=LIMITS[-1])


@dataclass(frozen=True, slots=True)
class Latency:
    """`half` and `most` (95 in 100) took at most that long; None: longer than any limit, or nothing was counted."""

    messages: int
    half: timedelta | None
    most: timedelta | None


def latency(counted: Iterable[Counted], outcome: Outcome) -> Latency:
    by_limit = dict.fromkeys([*map(str, LIMITS), OVER], 0)
    for one in counted:
        if one.outcome == outcome.value and one.code in by_limit:
            by_limit[one.code] += one.count
    return Latency(sum(by_limit.values()), _within(by_limit, 0.5), _within(by_limit, 0.95))


def _within(by_limit: dict[str, int], share: float) -> timedelta | None:
    wanted, passed = share * sum(by_limit.values()), 0
    for code, count in by_limit.items():
        passed += count
        if count and passed >= wanted:
            return None if code == OVER else timedelta(milliseconds=int(code))
    return None
