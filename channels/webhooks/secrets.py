"""What an endpoint knows us by: sealed at rest, shown once, and for a time beside the one before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from channels.models import WebhookEndpoint
from channels.providers.webhook import sign
from customers.hooks.signatures import SIGNATURE, new_secret
from customers.sealing import SecretError, open_sealed, seal

# For so long both are signed with, unless somebody says otherwise.
OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)
MOST: Final = 3


class TooManySecrets(ValueError):
    """One more, and a secret that is still signed with would have to go before its time."""


@dataclass(frozen=True, slots=True)
class Key:
    secret: str
    # Of one that was replaced: until when it is still signed with.
    until: datetime | None = None


def place(endpoint: WebhookEndpoint) -> str:
    """What the sealed secrets are bound to."""
    return place_of_id(endpoint.pk)


def place_of_id(endpoint_id: UUID) -> str:
    return f"channels_webhookendpoint:{endpoint_id}:secrets"


def opened(endpoint_id: UUID, sealed: bytes) -> tuple[Key, ...]:
    """The newest first; raises SecretError."""
    held: Any = open_sealed(sealed, place_of_id(endpoint_id)).get("keys", [])
    return tuple(Key(one["secret"], datetime.fromisoformat(one["until"]) if one["until"] else None) for one in held)


def in_force(keys: tuple[Key, ...], now: datetime) -> tuple[str, ...]:
    return tuple(key.secret for key in keys if key.until is None or key.until > now)


def renew(endpoint: WebhookEndpoint, now: datetime, overlap: timedelta = OVERLAP) -> str:
    """A new secret, to be shown once by whoever asked; those before it are signed with as well until `overlap` is over.
    The endpoint is not saved. Raises TooManySecrets."""
    until = now + overlap
    earlier = [
        Key(key.secret, until if key.until is None else min(key.until, until))
        for key in _readable(endpoint)
        if overlap and (key.until is None or key.until > now)
    ]
    if len(earlier) >= MOST:
        raise TooManySecrets
    secret = new_secret()
    _keep(endpoint, [Key(secret), *earlier])
    return secret


def _readable(endpoint: WebhookEndpoint) -> tuple[Key, ...]:
    """None where they cannot be read any more: a new one is what mends that."""
    try:
        return opened(endpoint.pk, bytes(endpoint.secrets))
    except SecretError:
        return ()


def forget(endpoint: WebhookEndpoint) -> None:
    endpoint.secrets = b""


def _keep(endpoint: WebhookEndpoint, keys: list[Key]) -> None:
    told = [{"secret": key.secret, "until": key.until.isoformat() if key.until else None} for key in keys]
    endpoint.secrets = seal({"keys": told}, place(endpoint))


def signed(secrets: tuple[str, ...], delivery: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of one attempt: one signature for each secret in force, the newest first."""
    each = [sign(secret, delivery, body, now) for secret in secrets]
    return {**each[0], SIGNATURE: " ".join(one[SIGNATURE] for one in each)}
