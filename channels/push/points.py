"""Keys on P-256 as Web Push writes them: uncompressed points and scalars, in base64url without padding."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

POINT_BYTES: Final = 65
AUTH_BYTES: Final = 16
_SCALAR_BYTES: Final = 32
_WRITTEN: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class Keys:
    """Of one browser: its point on P-256 and the secret it shares with us (RFC 8291 §2)."""

    p256dh: bytes
    auth: bytes


def written(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def read(text: str, length: int) -> bytes:
    """Exactly so many bytes, or ValueError; what browsers write, and nothing that only resembles it."""
    if not _WRITTEN.fullmatch(text):
        raise ValueError("not base64url")
    bare = text.rstrip("=")
    data = urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    if len(data) != length or written(data) != bare:
        raise ValueError("not of this length")
    return data


def point_of(data: bytes) -> ec.EllipticCurvePublicKey:
    """The point, which is on the curve (RFC 8291 §7 warns of others); raises ValueError."""
    if len(data) != POINT_BYTES or data[0] != 4:
        raise ValueError("not an uncompressed point")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)


def encoded(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def new_private() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return written(number.to_bytes(_SCALAR_BYTES, "big"))


def private_of(text: str) -> ec.EllipticCurvePrivateKey:
    """Raises ValueError of what is no scalar of the curve."""
    return ec.derive_private_key(int.from_bytes(read(text, _SCALAR_BYTES), "big"), ec.SECP256R1())


def public_of(private: str) -> str:
    return written(encoded(private_of(private).public_key()))
