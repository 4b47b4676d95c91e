"""Words that only one browser can read (RFC 8291): a record of aes128gcm (RFC 8188) under a key agreed with it."""

import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from channels.push.points import encoded, point_of

# What every push service takes (RFC 8030 §7.2), and the size of the one record (RFC 8291 §4).
MOST_BYTES: Final = 4_096
SALT_BYTES: Final = 16
# Salt, record size, length of the key and the key; the last record's mark and the tag behind the words.
_OVERHEAD: Final = SALT_BYTES + 4 + 1 + 65 + 1 + 16
MOST_PLAIN: Final = MOST_BYTES - _OVERHEAD
_LAST_RECORD: Final = b"\x02"


def encrypt(
    plain: bytes,
    receiver: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    sender: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a push for the browser whose subscription holds these keys. Salt and sender's key are drawn anew for
    each; only the vectors of the RFC bring their own."""
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    sender = ec.generate_private_key(ec.SECP256R1()) if sender is None else sender
    public = encoded(sender.public_key())
    shared = sender.exchange(ec.ECDH(), point_of(receiver))
    agreed = _derived(shared, auth, b"WebPush: info\x00" + receiver + public, 32)
    key = _derived(agreed, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(agreed, salt, b"Content-Encoding: nonce\x00", 12)
    header = salt + MOST_BYTES.to_bytes(4, "big") + bytes([len(public)]) + public
    return header + AESGCM(key).encrypt(nonce, plain + _LAST_RECORD, None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
