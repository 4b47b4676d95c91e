"""What every service is that connectors stand for: a key and typed settings; and what a provider is: one whose session
sends one message at a time and fails by one error."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec

from customers.models.address import Channel


class DeliveryError(Exception):
    """A message was not, or not certainly, taken by its provider.

    `accepted` is "no" when the provider certainly took nothing, "maybe" when nobody knows; `permanent` says
    that trying again is no use; `retry_after` (seconds) is the provider's own wish and makes the call no try.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        accepted: Literal["no", "maybe"] = "no",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
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


@dataclass(frozen=True, slots=True)
class Accepted:
    provider_id: str


class Session(Protocol):
    """An open connection, used by one worker for a batch. Deadlines are instants of `time.monotonic()`."""

    def prepare(self, deadline: float) -> None:
        """Have the connection ready, so that nothing but the message itself is left to do after the guard."""

    def send(self, outgoing: Outgoing, deadline: float) -> Accepted:
        """Hand over one message, or raise DeliveryError; never run past the deadline."""


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


class Provider(Service, ABC):
    """A service that takes messages for people."""

    channels: ClassVar[frozenset[Channel]]
    # A second call with the same key has no second effect: an interrupted call may be repeated.
    takes_idempotency_key: ClassVar[bool] = False

    @abstractmethod
    def open(self) -> AbstractContextManager[Session]:
        """A session; it connects when it is first prepared."""


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


def build(key: str, config: dict[str, Any], credentials: dict[str, Any]) -> Service:
    """The service with its settings checked; what is wrong is named by field, without values."""
    cls = provider_class(key)
    try:
        return cls(msgspec.convert(config, cls.Config), msgspec.convert(credentials, cls.Credentials))
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from None
