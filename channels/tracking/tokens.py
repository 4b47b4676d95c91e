"""The signed part of a tracked address: which message, and which of its links. Where it leads stands in no address.

Short, since text messages are paid by their length: 16 bytes of the message, 2 of the link, and the first 96 bits of
an HMAC-SHA-256. Like other links of ours they name no expiry and open with every key that is kept for rotation; each
kind has a key of its own, so that none opens another's door.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings

_LINK: Final = "channels.tracking.link"
_OPEN: Final = "channels.tracking.open"
_ID: Final = 16
_NUMBER: Final = 2
_MAC: Final = 12
# In characters, without the fill that base64 needs for other lengths.
_LENGTH: Final = (_ID + _NUMBER + _MAC) * 4 // 3
# The decoder takes other spellings of the same bytes, and raises at some: here there is one, of whole bytes.
_SPELLED: Final = re.compile(rf"[A-Za-z0-9_-]{{{_LENGTH}}}")
MOST_LINKS: Final = 500


class BadToken(Exception):
    """The token was not made by us, or not as it stands."""


def link_token(message_id: UUID, number: int) -> str:
    return _seal(_LINK, message_id, number)


def read_link(text: str) -> tuple[UUID, int]:
    """The message, and the number of its link."""
    return _read(_LINK, text)


def open_token(message_id: UUID) -> str:
    return _seal(_OPEN, message_id, 0)


def read_open(text: str) -> UUID:
    return _read(_OPEN, text)[0]


def _seal(kind: str, message_id: UUID, number: int) -> str:
    said = message_id.bytes + number.to_bytes(_NUMBER, "big")
    return urlsafe_b64encode(said + _mac(kind, settings.SECRET_KEY, said)).decode()


def _read(kind: str, text: str) -> tuple[UUID, int]:
    if _SPELLED.fullmatch(text) is None:
        raise BadToken
    packed = urlsafe_b64decode(text)
    said, mac = packed[: _ID + _NUMBER], packed[_ID + _NUMBER :]
    if not _is_ours(kind, said, mac):
        raise BadToken
    return UUID(bytes=said[:_ID]), int.from_bytes(said[_ID:], "big")


def _is_ours(kind: str, said: bytes, mac: bytes) -> bool:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(_mac(kind, key, said), mac) for key in keys)


def _mac(kind: str, key: str | bytes, said: bytes) -> bytes:
    return hmac.digest(_key(kind, key), said, "sha256")[:_MAC]


@lru_cache(maxsize=32)
def _key(kind: str, key: str | bytes) -> bytes:
    return sha256(kind.encode() + b"\0" + (key.encode() if isinstance(key, str) else key)).digest()
