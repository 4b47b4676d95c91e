"""Hold-to-event conversion: of the waits that are over, how many ended by an event that was awaited."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.ways import Parting
from journeys.models import Cause

LABEL = _("Hold-to-event conversion")
DEFINITION = _(
    "Of the waits at a hold that are over, the share that ended by an event the hold awaits. Waits that timed out, or "
    "during which the run ended otherwise, count against it; waits that go on do not count."
)


@dataclass(frozen=True, slots=True)
class HoldConversion:
    """`share` is None while no wait is over."""

    step: str
    by_event: int
    over: int
    waiting: int

    @property
    def share(self) -> float | None:
        return self.by_event / self.over if self.over else None


@dataclass(frozen=True, slots=True)
class HoldConversions:
    label: str | Promise
    definition: str | Promise
    holds: tuple[HoldConversion, ...]


def hold_conversion(partings: Iterable[Parting]) -> HoldConversions:
    holds = tuple(
        HoldConversion(
            one.step,
            one.gone(Cause.EVENT, Cause.BEST),
            # A wait that begins anew goes on, and so does one that is moved to another version.
            sum(one.left.values()) - one.gone(Cause.RESET, Cause.MOVED),
            one.standing,
        )
        for one in partings
        if one.type == "hold"
    )
    return HoldConversions(LABEL, DEFINITION, holds)
