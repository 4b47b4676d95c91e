"""Message: make a message and move on at once; whether it may go is settled again when it goes."""

from datetime import timedelta
from typing import ClassVar

from msgspec import UNSET, UnsetType

from journeys.models import Cause
from journeys.steps.base import EventMatch, Go, Here, Outcome, Step


class Message(Step, tag_field="type", tag="message", kw_only=True, forbid_unknown_fields=True):
    """`connector` and `template` are keys in the journey's brand; `purpose` defaults to the journey's.

    `cancel_on` names the events that make the message needless while it waits; unset, they are the events of
    the hold whose time-out led here.
    """

    waits: ClassVar[bool] = False
    sends_message: ClassVar[bool] = True

    channel: str
    connector: str
    template: str
    next: str
    purpose: str | None = None
    not_later_than: timedelta = timedelta(hours=24)
    cancel_on: list[EventMatch] | UnsetType = UNSET

    def targets(self) -> list[str]:
        return [self.next]

    def enter(self, here: Here) -> Outcome:
        return Go(self.next, Cause.CONTINUED, sends=True)
