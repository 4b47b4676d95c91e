"""The in-app inbox: a message goes by a row in its person's inbox, which their pages and apps ask for.

The row is committed by the very transaction that says the message was sent: of no message is it ever unknown whether it
arrived there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels.onscreen import place
from channels.providers.base import Accepted, Outgoing, Provider
from customers.hints import form
from customers.models.address import Channel

_MOST_DAYS: Final = 365


def checked_days(days: int) -> None:
    if not 1 <= days <= _MOST_DAYS:
        raise ValueError(gettext("From 1 to 365 days."))


class InAppConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    days: Annotated[
        int, form(_("days"), _("For how many an item stays in the inbox, unless its text says otherwise."))
    ] = 30

    def __post_init__(self) -> None:
        checked_days(self.days)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session with ourselves."""

    put: Callable[[Outgoing, int], Accepted]
    days: int

    def prepare(self, deadline: float) -> None:
        """There is nothing to connect to."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        return self.put(outgoing, self.days)


class InApp(Provider):
    key = "inapp"
    label = _("In-app inbox")
    channels: ClassVar = frozenset({Channel.IN_APP})
    Config = InAppConfig
    takes_idempotency_key = True
    commits_with_us = True

    @contextmanager
    def open(self) -> Iterator[OwnSession]:
        yield OwnSession(place.into_inbox, self.config.days)
