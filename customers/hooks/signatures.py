"""Whether a body comes from who it says: its signature over the very bytes that came, in constant time."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)
MARK: Final = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
MAX_ID: Final = 200
_MOST_SIGNATURES: Final = 10


class BadSignature(Exception):
    """Nothing here tells which part was wrong: that would help only those who try."""


@dataclass(frozen=True, slots=True)
class Signing:
    """How a hook's bodies are signed; `keys` are all that hold at present."""

    scheme: str
    header: str
    algorithm: str
    encoding: str
    prefix: str
    keys: tuple[str, ...]


def new_secret() -> str:
    return MARK + base64.b64encode(secrets.token_bytes(32)).decode()


def key_bytes(secret: str) -> bytes:
    """A secret in the form of Standard Webhooks is Base64; any other is used as it is written."""
    if not secret.startswith(MARK):
        return secret.encode()
    return base64.b64decode(secret.removeprefix(MARK), validate=True)


def verify(signing: Signing, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The delivery's id where it is among what was signed, else nothing; raises BadSignature.

    `headers` are by their names in small letters.
    """
    if signing.scheme == "standard":
        return _standard(signing, headers, body, now)
    told = headers.get(signing.header.lower(), "")
    if not told or len(told) > 2000:
        raise BadSignature
    if signing.scheme == "timed":
        _timed(signing, told, body, now)
        return ""
    if not told.startswith(signing.prefix):
        raise BadSignature
    _match(signing, [told.removeprefix(signing.prefix)], body)
    return ""


def _standard(signing: Signing, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    id_, told_at, told = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not 0 < len(id_) <= MAX_ID or not id_.isprintable():
        raise BadSignature
    _recent(told_at, now)
    given = [part.removeprefix("v1,") for part in told.split(" ") if part.startswith("v1,")]
    signed = f"{id_}.{told_at}.".encode() + body
    _match(Signing("standard", "", "sha256", "base64", "", signing.keys), given, signed)
    return id_


def _timed(signing: Signing, told: str, body: bytes, now: datetime) -> None:
    parts = [part.strip().partition("=") for part in told.split(",")]
    times = [value for name, _is, value in parts if name == "t"]
    if len(times) != 1:
        raise BadSignature
    _recent(times[0], now)
    given = [value for name, _is, value in parts if name == "v1"]
    _match(signing, given, f"{times[0]}.".encode() + body)


def _recent(told: str, now: datetime) -> None:
    if not told.isascii() or not told.isdecimal() or len(told) > 12:
        raise BadSignature
    if abs(now.timestamp() - int(told)) > TOLERANCE.total_seconds():
        raise BadSignature


def _match(signing: Signing, given: Iterable[str], signed: bytes) -> None:
    """Any key with any signature: senders that change over send several, and we hold several."""
    told = [one for text in list(given)[:_MOST_SIGNATURES] if (one := _decode(signing.encoding, text)) is not None]
    wanted = [hmac.digest(key_bytes(key), signed, signing.algorithm) for key in signing.keys]
    # All are compared whatever the first say: how long it takes tells nothing.
    if not sum(hmac.compare_digest(one, other) for one in told for other in wanted):
        raise BadSignature


def _decode(encoding: str, text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
