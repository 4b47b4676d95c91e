"""Slots of web pages: a message goes by standing in a slot for one person, until something takes it off."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar

import msgspec
from django.utils.translation import gettext_lazy as _

from channels.onscreen import place
from channels.providers.base import Provider
from channels.providers.inapp import OwnSession, checked_days
from customers.hints import form
from customers.models.address import Channel


class WebConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    days: Annotated[int, form(_("days"), _("For how many it stands in its slot, unless its text says otherwise."))] = 7

    def __post_init__(self) -> None:
        checked_days(self.days)


class Web(Provider):
    key = "web"
    label = _("Web slots")
    channels: ClassVar = frozenset({Channel.WEB})
    Config = WebConfig
    takes_idempotency_key = True
    commits_with_us = True

    @contextmanager
    def open(self) -> Iterator[OwnSession]:
        yield OwnSession(place.into_slot, self.config.days)
