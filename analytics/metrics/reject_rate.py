"""Reject rate: of all that a source sent, the share that was refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from analytics.metrics.source_tallies import SENT, Counted
from customers.models import Outcome

LABEL = _("Reject rate")
DEFINITION = _(
    "Messages refused, out of all that came: accepted, repeated and refused. A message that was mended and replayed "
    "stays counted as refused, and is counted as accepted besides."
)
# Of fewer messages a share says little.
ENOUGH: Final = 20


@dataclass(frozen=True, slots=True)
class RejectRate:
    accepted: int
    repeated: int
    refused: int

    @property
    def total(self) -> int:
        return self.accepted + self.repeated + self.refused

    @property
    def percent(self) -> float | None:
        return None if not self.total else 100 * self.refused / self.total

    def is_above(self, limit: int | None) -> bool:
        """Whether it is worth an alert; without a limit nothing is."""
        return limit is not None and self.total >= ENOUGH and 100 * self.refused > limit * self.total


def reject_rate(counted: Iterable[Counted]) -> RejectRate:
    sums = dict.fromkeys(SENT, 0)
    for one in counted:
        if one.outcome in sums:
            sums[one.outcome] += one.count
    return RejectRate(*(sums[outcome.value] for outcome in (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REFUSED)))
