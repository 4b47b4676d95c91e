"""Delay: wait for a span of elapsed time."""

from datetime import timedelta
from typing import Annotated, ClassVar

from django.utils.translation import gettext_lazy as _

from customers.hints import Text, form
from journeys.models import Cause
from journeys.steps.base import Go, Here, Outcome, Step, Wait


class Delay(Step, tag_field="type", tag="delay", kw_only=True, forbid_unknown_fields=True):
    """`after` is an ISO 8601 duration."""

    label: ClassVar[Text] = _("Delay")
    help: ClassVar[Text] = _("Waits for a span of time, whatever happens.")
    waits: ClassVar[bool] = True

    after: Annotated[timedelta, form(_("wait for"))]
    next: Annotated[str, form(_("then go to"), refers="step")]

    def targets(self) -> list[str]:
        return [self.next]

    def enter(self, here: Here) -> Outcome:
        return Wait(here.now + self.after)

    def due(self, here: Here) -> Outcome:
        return Go(self.next, Cause.TIMER)
