"""Secrets at rest: AES-256-GCM under a ring of keys, bound to the field they belong to.

Sealed bytes: version (1), length of the key id (1), key id, nonce (12), ciphertext with tag. The header and
the caller's `aad` ("table:row:field") are authenticated: a value copied into another row does not open.
"""

import os
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_VERSION: Final = 1
_NONCE_BYTES: Final = 12


class SecretError(Exception):
    """A sealed value cannot be opened: unknown key, wrong place, or changed bytes."""


def seal(secret: dict[str, Any], aad: str) -> bytes:
    """Encrypt under the current (first) key of the ring."""
    key_id, key = next(iter(settings.CREDENTIAL_KEYS.items()))
    name = str(key_id).encode()
    header = bytes([_VERSION, len(name)]) + name
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + AESGCM(key).encrypt(nonce, orjson.dumps(secret), header + aad.encode())


def open_sealed(sealed: bytes, aad: str) -> dict[str, Any]:
    """Decrypt by whichever key of the ring sealed it; an empty value is an empty secret."""
    if not sealed:
        return {}
    header, key = _read_header(sealed)
    body = sealed[len(header) :]
    try:
        plain = AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], header + aad.encode())
    except (InvalidTag, ValueError) as error:
        raise SecretError("the sealed value does not open here") from error
    opened: dict[str, Any] = orjson.loads(plain)
    return opened


def is_current(sealed: bytes) -> bool:
    """Whether rotation may leave it as it is."""
    current = str(next(iter(settings.CREDENTIAL_KEYS))).encode()
    return not sealed or _read_header(sealed)[0][2:] == current


def _read_header(sealed: bytes) -> tuple[bytes, bytes]:
    if len(sealed) < 2 or sealed[0] != _VERSION:
        raise SecretError("not a sealed value of a known version")
    header = bytes(sealed[: 2 + sealed[1]])
    ring = {str(key_id).encode(): key for key_id, key in settings.CREDENTIAL_KEYS.items()}
    key = ring.get(header[2:])
    if key is None:
        raise SecretError("sealed under a key that is not on the ring")
    return header, key
