"""Keys made in Python: time-ordered for rows named in a URL, derived where a retry must make the same one."""

from hashlib import blake2b
from uuid import UUID

from uuid_utils.compat import uuid7

NIL = UUID(int=0)


def new_id() -> UUID:
    """A uuid7 (RFC 9562 §5.7): sorts by creation time, so indexes grow at their end."""
    return uuid7()


def hash64(*parts: str) -> int:
    """A signed 64-bit digest of the parts, for bigint indexes that must hold nothing readable."""
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def hash_uuid(*parts: str) -> UUID:
    """A 128-bit digest of the parts as a uuid, the densest unique key PostgreSQL indexes."""
    return UUID(bytes=blake2b("\x1f".join(parts).encode(), digest_size=16).digest())
