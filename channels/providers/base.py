"""What every service is that connectors stand for: a key and typed settings; and what a provider is: one whose session
sends one message at a time and fails by one error."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable
from uuid import UUID

import msgspec

from channels.push.kinds import Kind
from channels.push.points import Keys
from customers.models.address import Channel

if TYPE_CHECKING:
    from channels.receipts.told import Callback, Happened, Reading, ToldTemplate


class Blame(StrEnum):
    """What an error says something about: this message alone, the provider's state, or our account and settings."""

    MESSAGE = "message"
    PROVIDER = "provider"
    SETTINGS = "settings"


class DeliveryError(Exception):
    """A message was not, or not certainly, taken by its provider.

    `accepted` is "no" when the provider certainly took nothing, "maybe" when nobody knows; `permanent` says
    that trying again is no use; `retry_after` (seconds) is the provider's own wish and makes the call no try;
    `code` is the provider's own name of the error.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        accepted: Literal["no", "maybe"] = "no",
        retry_after: float | None = None,
        code: str = "",
        blame: Blame = Blame.MESSAGE,
    ) -> None:
        super().__init__(detail)
        self.code = code
        # What it tells of the address beyond this message: that it is none, or that its owner wants no more.
        self.says: Happened | None = None
        self.blame = blame
        self.detail = detail
        self.permanent = permanent
        self.accepted = accepted
        self.retry_after = retry_after


class ConfigurationError(Exception):
    """A connector's configuration or credentials do not fit its provider."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One rendered message for one address; `key` is the same at every try."""

    key: UUID
    channel: str
    to: str
    subject: str
    html: str
    text: str
    sender_name: str
    sender_email: str
    list_key: str
    unsubscribe_url: str
    at: datetime
    # Of the text that was chosen.
    locale: str = ""
    # What a channel knows besides words, filled in: fields of `channels.options`.
    options: Mapping[str, Any] = field(default_factory=dict)
    # Whose it is, for channels whose address names nobody.
    message_id: UUID | None = None
    # Where the provider may tell what became of it; with the id of our row, should its own never reach us.
    callback_url: str = ""
    expires_at: datetime | None = None
    # Where its tracked links lead, by their number; and the words as they are kept, with the links that they had.
    links: Sequence[str] = ()
    kept: str = field(default="", repr=False)
    # What its words took from other systems, for the record.
    pulled: Mapping[str, Any] | None = field(default=None, repr=False)
    # Of a push to a browser.
    keys: Keys | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    provider_id: str


class Session(Protocol):
    """An open connection, used by one worker for a batch. Deadlines are instants of `time.monotonic()`."""

    def prepare(self, deadline: float) -> None:
        """Have the connection ready, so that nothing but the message itself is left to do after the guard."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        """Hand over one message, or raise DeliveryError; never run past the deadline."""


@runtime_checkable
class Meets(Protocol):
    """A session whose messages go to places of their own: the one of a message is connected to before anything is
    locked for it."""

    def meet(self, outgoing: Outgoing, deadline: float) -> None:
        """Have the line ready; raises DeliveryError, which is about this message."""


Settings = dict[str, Any]


class NoSettings(msgspec.Struct, forbid_unknown_fields=True):
    """A provider that needs nothing."""


class Service:
    """Subclass it in a module of this package and it is registered by its `key`."""

    key: ClassVar[str]
    label: ClassVar[Any]
    # Of whose connectors: kinds of `Connector.channel`.
    channels: ClassVar[frozenset[str]]
    Config: ClassVar[type[msgspec.Struct]] = NoSettings
    Credentials: ClassVar[type[msgspec.Struct]] = NoSettings

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "key"):
            return
        known = _registry.setdefault(cls.key, cls)
        if known is not cls:
            raise TypeError(f"two providers are called {cls.key!r}: {known.__module__}, {cls.__module__}")

    def __init__(self, config: Any, credentials: Any) -> None:
        self.config = config
        self.credentials = credentials

    @classmethod
    def completed(cls, config: Settings, credentials: Settings) -> tuple[Settings, Settings]:
        """Settings as they were filled in, with what the service makes by itself where nothing was."""
        return config, credentials

    @classmethod
    def facts(cls, config: Settings) -> Sequence[tuple[Any, str]]:
        """(what, text) that whoever sets it up must carry elsewhere; none of it is secret."""
        return ()


class Provider(Service, ABC):
    """A service that takes messages for people."""

    channels: ClassVar[frozenset[Channel]]
    # A second call with the same key has no second effect: an interrupted call may be repeated.
    takes_idempotency_key: ClassVar[bool] = False
    # What it takes is a row of ours, written in the transaction of the result: taken and sent are one.
    commits_with_us: ClassVar[bool] = False
    # WhatsApp's rule holds here: free words for a day after somebody wrote, else approved templates only.
    keeps_window: ClassVar[bool] = False
    # Which push addresses it speaks to.
    reaches: ClassVar[frozenset[Kind]] = frozenset(Kind)
    # Whether something can be asked of it that sends nothing.
    can_be_tried: ClassVar[bool] = True

    @abstractmethod
    def open(self) -> AbstractContextManager[Session]:
        """A session; it connects when it is first prepared."""

    def probe(self, deadline: float) -> None:
        """Find out, without sending anything, whether the provider is there and knows us; raise DeliveryError."""
        with self.open() as session:
            session.prepare(deadline)


class CallsBack(ABC):
    """What a provider is besides that tells later what became of messages, or what people wrote back, by calling an
    address of ours (`/hooks/channels/` and the connector's id)."""

    # Whether somebody has to tell it that address; else each message does.
    asks_for_address: ClassVar[bool] = True

    @abstractmethod
    def verify(self, callback: "Callback", now: datetime) -> None:
        """Raise BadSignature unless the call is surely the provider's; nothing of it is believed before."""

    @abstractmethod
    def told(self, callback: "Callback") -> "Reading":
        """What it says; raises Unreadable. A pure function, for a call may be read again."""

    def greet(self, callback: "Callback") -> bytes | None:
        """The answer by which some providers (with a GET) make sure that the address is ours; None: there is none."""
        return None


class ListsTemplates(ABC):
    """What a provider is besides that approves templates before they may be sent."""

    @property
    @abstractmethod
    def has_list(self) -> bool:
        """Whether its settings say whose templates to ask for."""

    @abstractmethod
    def listed(self, after: str, deadline: float) -> "tuple[list[ToldTemplate], str]":
        """A page of them, the first where `after` is empty, and what the next one is after, empty at the end; raises
        DeliveryError."""


_registry: dict[str, type[Service]] = {}


def provider_class(key: str) -> type[Service]:
    try:
        return _registry[key]
    except KeyError:
        raise ConfigurationError(f"there is no provider {key!r}") from None


def provider_keys() -> list[str]:
    return sorted(_registry)


def idempotent_keys() -> list[str]:
    """Providers for which an interrupted call may be repeated."""
    return sorted(key for key, cls in _registry.items() if issubclass(cls, Provider) and cls.takes_idempotency_key)


def is_certain(key: str) -> bool:
    """Whether a message that is not down as sent was certainly not taken by this provider."""
    cls = _registry.get(key)
    return cls is not None and issubclass(cls, Provider) and cls.commits_with_us


def certain_keys() -> list[str]:
    return sorted(key for key in _registry if is_certain(key))


def build(key: str, config: dict[str, Any], credentials: dict[str, Any]) -> Service:
    """The service with its settings checked; what is wrong is named by field, without values."""
    cls = provider_class(key)
    try:
        return cls(msgspec.convert(config, cls.Config), msgspec.convert(credentials, cls.Credentials))
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from None
