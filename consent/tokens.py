"""Links that people get in messages: a few ids, signed so that nobody can make one up or alter it.

They name no expiry, since old mail is read late, and open with every key that is kept for rotation.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from django.core import signing

_LENGTH = 16


class BadToken(Exception):
    """The token was not made by us, or not as it stands."""


def seal(salt: str, *ids: UUID) -> str:
    """A text for an address; one salt for each kind of link, so that none opens another's door."""
    packed = b"".join(one.bytes for one in ids)
    return _signer(salt).sign(urlsafe_b64encode(packed).decode())


def unseal(salt: str, text: str, count: int) -> tuple[UUID, ...]:
    """The ids that were sealed, if it was with the present key or one of those kept for rotation."""
    try:
        packed = urlsafe_b64decode(_signer(salt).unsign(text))
    except signing.BadSignature:
        raise BadToken from None
    if len(packed) != count * _LENGTH:
        raise BadToken
    return tuple(UUID(bytes=packed[at : at + _LENGTH]) for at in range(0, len(packed), _LENGTH))


def _signer(salt: str) -> signing.Signer:
    return signing.Signer(sep=".", salt=salt)
