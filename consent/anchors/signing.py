"""The key that signs anchors and restores: made of the ring that seals credentials, so it is not in the database."""

import hmac
from hashlib import sha256
from typing import Any, Final

import orjson
from django.conf import settings

_USE: Final = b"trilha ledger anchor 1"


class NoKey(Exception):
    """There is no key to sign with."""


def sign(content: bytes) -> tuple[str, bytes]:
    """The first key's id, and its signature."""
    for key_id, key in settings.CREDENTIAL_KEYS.items():
        return key_id, _mac(key, content)
    raise NoKey("CREDENTIAL_KEYS is empty: an anchor cannot be signed")


def seal(name: str, content: dict[str, Any]) -> bytes:
    """A line that says what it is, readable by people, and signed by the first key."""
    key_id, signature = sign(orjson.dumps(content))
    return orjson.dumps({name: content, "key": key_id, "signature": signature.hex()})


def holds(key_id: str, signature: bytes, content: bytes) -> bool | None:
    """Whether this is the key's signature; None if that key is no longer in the ring."""
    key = settings.CREDENTIAL_KEYS.get(key_id)
    return None if key is None else hmac.compare_digest(_mac(key, content), signature)


def _mac(key: bytes, content: bytes) -> bytes:
    # A key of its own for this use, so that a signature is never anything else's.
    return hmac.digest(hmac.digest(key, _USE, sha256), content, sha256)
