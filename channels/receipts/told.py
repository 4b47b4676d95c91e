"""What a provider can tell by calling us back, in one form for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from channels.models.callback import Receipt

Happened = Receipt.Happened


class BadSignature(Exception):
    """The call is not the provider's, or not provably."""


class Unreadable(Exception):
    """The call is the provider's, and nothing that we can read. The message says where, without values."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A call as it came. `url` is our address as the provider knows it, with its query; headers by their names in small
    letters."""

    method: str
    url: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    content_type: str
    body: bytes = field(repr=False)

    def asked(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def form(self) -> list[tuple[str, str]]:
        """The body as a form that was urlencoded."""
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=500)
        except ValueError:
            raise Unreadable("not a form") from None


class _Plain:
    """Its texts are such as can be kept: a NUL, which no column takes, is left out."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for one in fields(self):  # type: ignore[arg-type]  # both below are dataclasses
            value = getattr(self, one.name)
            if isinstance(value, str) and "\0" in value:
                object.__setattr__(self, one.name, value.replace("\0", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldReceipt(_Plain):
    """Of one message, which is named by the provider's id or by ours (`message_key`: the id of our row). `told_as` is
    what tells this from another of the same kind: the provider's id of the event, or its time."""

    happened: Happened
    provider_id: str = ""
    message_key: UUID | None = None
    at: datetime | None = None
    told_as: str = ""
    code: str = ""
    detail: str = ""
    is_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldReply(_Plain):
    """Something a person wrote to us. `sender` is their address on the channel, `about` the provider's id of the
    message they answered, where it says so."""

    channel: str
    sender: str
    provider_id: str
    text: str = field(repr=False)
    at: datetime | None = None
    about: str = ""
    # Beside the text: how many pictures and the like came, which we do not fetch.
    attachments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTemplate(_Plain):
    """How a template stands that the provider approves; what is empty or None was not said. `state` is one of
    `Approval.State`, `places` are those of its words."""

    name: str
    language: str
    state: str = ""
    category: str = ""
    quality: str = ""
    reason: str = ""
    places: int | None = None
    shows_image: bool | None = None
    heading_places: int = 0
    # Which of its buttons, counted from 0, have an address with a place at its end.
    button_places: tuple[int, ...] = ()
    # Places elsewhere, which no text of ours fills.
    needs_more: bool | None = None


Told = ToldReceipt | ToldReply | ToldTemplate


def key_of(text: str) -> UUID | None:
    """Our id of a message where a provider repeats it; None where what it repeats is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a call says. With nothing told and `is_known` it was a kind of call that needs nothing."""

    told: Sequence[Told] = ()
    is_known: bool = True
