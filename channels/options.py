"""What a text says besides its words, by channel: a link, a picture, the template a provider has approved.

Each is a struct whose fields are Liquid like the words; what is filled in is checked again when it is, since a value
could make anything of it.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext_lazy as _

from customers.hints import form
from customers.models.address import Channel

_MOST_PARAMETERS: Final = 20
_MOST_BUTTONS: Final = 10
_MOST_DAYS: Final = 365
_LONGEST: Final = 2_000
# Fields that are addresses, and the ways by which they may lead.
_ADDRESSES: Final = frozenset({"link", "image"})
_SCHEMES: Final = frozenset({"https"})

_LINK_HELP: Final = _("Where a tap leads: an address that begins with https://, or with / on the page itself.")
Link = Annotated[str, form(_("link"), _LINK_HELP)]
Image = Annotated[str, form(_("picture"), _("An address that begins with https://."))]
Button = Annotated[str, form(_("button"), _("What the link is called."))]
Days = Annotated[str, form(_("days"), _("For how many it is shown, from 1 to 365. Empty: as the connector says."))]


class Options(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Of a channel that has words only."""


class PushOptions(Options, frozen=True):
    link: Link = ""
    image: Image = ""
    topic: Annotated[str, form(_("topic"), _("A newer push of the same topic takes the place of an older one."))] = ""
    urgency: Annotated[
        Literal["", "very-low", "low", "normal", "high"],
        form(_("urgency"), _("A device that saves power waits with less urgent ones; normal, if it says nothing.")),
    ] = ""


class InAppOptions(Options, frozen=True):
    link: Link = ""
    image: Image = ""
    button: Button = ""
    days: Days = ""


class WebOptions(Options, frozen=True):
    slot: Annotated[str, form(_("slot"), _("The place on the page, as its script names it."))] = ""
    link: Link = ""
    image: Image = ""
    button: Button = ""
    days: Days = ""

    def __post_init__(self) -> None:
        if not self.slot.strip():
            raise ValueError("names no slot")


class WhatsAppOptions(Options, frozen=True):
    template: Annotated[
        str,
        form(
            _("approved template"),
            _(
                "Its name at WhatsApp. Without one the text goes as it is, which is allowed for 24 hours after "
                "somebody wrote."
            ),
        ),
    ] = ""
    language: Annotated[str, form(_("its language"), _("As WhatsApp calls it, as in pt_BR."))] = ""
    parameters: Annotated[list[str], form(_("what its places hold"), _("As JSON: a list, the first for {{1}}."))] = []
    image: Image = ""
    header: Annotated[str, form(_("what the place in its heading holds"))] = ""
    buttons: Annotated[
        list[str],
        form(
            _("what its buttons’ addresses end with"),
            _("As JSON: a list with one text for each button, in their order; empty for one without a place."),
        ),
    ] = []

    def __post_init__(self) -> None:
        if len(self.parameters) > _MOST_PARAMETERS:
            raise ValueError(f"more than {_MOST_PARAMETERS} parameters")
        if len(self.buttons) > _MOST_BUTTONS:
            raise ValueError(f"more than {_MOST_BUTTONS} buttons")
        if self.header and self.image:
            raise ValueError("a heading is a picture or words")


class CallOptions(Options, frozen=True):
    queue: Annotated[str, form(_("queue"), _("Of which store, or of which team; empty: the connector’s."))] = ""


_BY_CHANNEL: Final[Mapping[str, type[Options]]] = {
    Channel.CALL: CallOptions,
    Channel.PUSH: PushOptions,
    Channel.IN_APP: InAppOptions,
    Channel.WEB: WebOptions,
    Channel.WHATSAPP: WhatsAppOptions,
}


class OptionsError(ValueError):
    """What is said besides the words does not fit the channel."""


def of_channel(channel: str) -> type[Options]:
    return _BY_CHANNEL.get(channel, Options)


def check(channel: str, given: Any) -> Options:
    """As authored; raises OptionsError."""
    try:
        return msgspec.convert(given, of_channel(channel))
    except msgspec.ValidationError as error:
        raise OptionsError(str(error)) from None


def sources(given: Any) -> Iterator[str]:
    """Every text in them that is Liquid."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, Mapping):
        for one in given.values():
            yield from sources(one)
    elif isinstance(given, list):
        for one in given:
            yield from sources(one)


def fault_of(name: str, value: str) -> str:
    """What is wrong with a value that was filled in; empty when nothing is."""
    if len(value) > _LONGEST:
        return "too long"
    if name in _ADDRESSES and value and not is_address(value):
        return "no address that may be shown"
    if name == "days" and value and not _is_days(value):
        return f"no number of days from 1 to {_MOST_DAYS}"
    return ""


def _is_days(value: str) -> bool:
    return (
        value.isascii() and value.isdecimal() and len(value) <= len(str(_MOST_DAYS)) and 1 <= int(value) <= _MOST_DAYS
    )


def is_address(value: str) -> bool:
    """Of a page, or below the page's own: no script, no other host in disguise (`//`, `/\\`), nobody's log-in."""
    if any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in value):
        return False
    if value.startswith("/"):
        return not value.startswith("//")
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname) and "@" not in parts.netloc
