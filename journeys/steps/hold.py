"""Hold until: wait for one of several events, or for time to run out."""

from datetime import timedelta
from typing import ClassVar, Literal

from msgspec import Struct

from journeys.models import Cause
from journeys.steps.base import EventMatch, Go, Here, Outcome, Step, Wait


class HoldBranch(EventMatch, kw_only=True, forbid_unknown_fields=True):
    next: str


class TimeOut(Struct, kw_only=True, forbid_unknown_fields=True):
    """`after` is an ISO 8601 duration of elapsed time."""

    after: timedelta
    next: str


class Hold(Step, tag_field="type", tag="hold", kw_only=True, forbid_unknown_fields=True):
    """Looks back to the run's entry, or with `since: step` to the moment it began to wait."""

    waits: ClassVar[bool] = True

    branches: list[HoldBranch]
    timeout: TimeOut
    since: Literal["entry", "step"] = "entry"

    def targets(self) -> list[str]:
        return [*(branch.next for branch in self.branches), self.timeout.next]

    def awaits(self) -> list[EventMatch]:
        return list(self.branches)

    def enter(self, here: Here) -> Outcome:
        return Wait(here.now + self.timeout.after)

    def due(self, here: Here) -> Outcome:
        return Go(self.timeout.next, Cause.TIMED_OUT)

    def resume(self, branch: int) -> Outcome:
        return Go(self.branches[branch].next, Cause.EVENT, branch)
