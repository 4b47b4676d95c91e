"""Message: make a message and move on at once; whether it may go is settled again when it goes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, ClassVar, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from msgspec import UNSET, UnsetType

from customers.hints import Text, form
from customers.models.address import Channel
from customers.rules.errors import Problem
from journeys.models import Cause
from journeys.spans import span_problems
from journeys.steps.base import EventMatch, Go, Here, Outcome, Step

_CHANNELS: Final = frozenset(channel.value for channel in Channel if channel is not Channel.PERSON)


class Message(Step, tag_field="type", tag="message", kw_only=True, forbid_unknown_fields=True):
    """`connector` and `template` are keys in the journey's brand; `purpose` defaults to the journey's.

    `cancel_on` names the events that make the message needless while it waits; unset, they are the events of
    the hold whose time-out led here. `touchpoint` is the place on a journey map that the message fills.
    """

    label: ClassVar[Text] = _("Message")
    help: ClassVar[Text] = _("Makes a message and moves on at once; permission is asked again when it goes.")
    waits: ClassVar[bool] = False
    sends_message: ClassVar[bool] = True

    channel: Annotated[str, form(_("channel"), refers="channel")]
    connector: Annotated[str, form(_("connector"), refers="connector", beside="channel")]
    template: Annotated[str, form(_("template"), refers="template", beside="channel")]
    next: Annotated[str, form(_("then go to"), refers="step")]
    purpose: Annotated[
        str | None, form(_("purpose"), _("Only where it differs from the journey's."), refers="purpose")
    ] = None
    not_later_than: Annotated[
        timedelta, form(_("not later than"), _("A message that could not go by then is not sent."))
    ] = timedelta(hours=24)
    cancel_on: Annotated[
        list[EventMatch] | UnsetType,
        form(
            _("needless once this happened"),
            unset=_("the events of the hold whose time-out led here"),
        ),
    ] = UNSET
    touchpoint: Annotated[
        UUID | None,
        form(
            _("touchpoint"),
            _("The place on the journey map that this message fills."),
            refers="touchpoint",
            is_usual=True,
        ),
    ] = None

    def targets(self) -> list[str]:
        return [self.next]

    def cancels(self) -> list[EventMatch]:
        return self.cancel_on if isinstance(self.cancel_on, list) else []

    def problems(self) -> Iterator[Problem]:
        if self.channel not in _CHANNELS:
            yield Problem("unknown_channel", "/channel", _("There is no channel “%(name)s”.") % {"name": self.channel})
        yield from span_problems(self.not_later_than, "/not_later_than")

    def enter(self, here: Here) -> Outcome:
        return Go(self.next, Cause.CONTINUED, sends=True)
