"""What conditions about consent name: a purpose of the brand, and a channel."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from consent.models import Purpose
from customers.hints import Text
from customers.models.address import Channel
from customers.rules.errors import Problem
from customers.rules.value_leaf import NAME

if TYPE_CHECKING:
    from customers.sight import Person

CHANNELS: Final[Mapping[str, Text]] = {one.value: one.label for one in Channel if one is not Channel.PERSON}


def purposes_offered(brand_id: UUID, user: "Person") -> Iterable[tuple[str, ...]]:
    """(key, label) of those that the user may see."""
    seen = Purpose.objects.visible_to(user).filter(brand=brand_id).values_list("key", "name")
    return ((key, f"{name} ({key})") for key, name in seen)


def purpose_problems(purpose: str) -> Iterator[Problem]:
    if not NAME.fullmatch(purpose):
        yield Problem("name_invalid", "/purpose", _("This cannot be a purpose."), _("Give the key of a purpose."))


def channel_problems(channel: str) -> Iterator[Problem]:
    if channel not in CHANNELS:
        hint = format_lazy(_("Use one of {channels}."), channels=", ".join(CHANNELS))
        yield Problem("unknown_channel", "/channel", _("There is no such channel."), hint)


def absent_purpose(brand_id: UUID, purpose: str) -> Iterator[Problem]:
    if not Purpose.objects.filter(brand=brand_id, key=purpose).exists():
        message = format_lazy(_("There is no purpose {key}."), key=purpose)
        yield Problem("unknown_purpose", "/purpose", message, _("Use the key of a purpose of this brand."))
