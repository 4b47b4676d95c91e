"""Delay: wait for a span of elapsed time."""

from datetime import timedelta
from typing import ClassVar

from journeys.models import Cause
from journeys.steps.base import Go, Here, Outcome, Step, Wait


class Delay(Step, tag_field="type", tag="delay", kw_only=True, forbid_unknown_fields=True):
    """`after` is an ISO 8601 duration."""

    waits: ClassVar[bool] = True

    after: timedelta
    next: str

    def targets(self) -> list[str]:
        return [self.next]

    def enter(self, here: Here) -> Outcome:
        return Wait(here.now + self.after)

    def due(self, here: Here) -> Outcome:
        return Go(self.next, Cause.TIMER)
