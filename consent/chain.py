"""The canonical bytes of a ledger entry and the hashes over them; changing either breaks every chain."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson

GENESIS = bytes(32)
_FORM = "trilha-consent-1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Link(NamedTuple):
    """An entry's fields in the order of the ledger's columns, up to the digest that follows from them."""

    address_id: UUID
    profile_id: UUID | None
    brand_id: UUID
    purpose_id: UUID
    state: str
    effective_at: datetime
    occurred_at: datetime
    recorded_at: datetime
    valid_until: datetime | None
    method: str
    source_id: UUID | None
    message_id: str
    event_id: int | None
    notice_version_id: int | None
    language: str
    legal_basis: str
    jurisdiction: str
    collector: str
    withdrawal_path: str
    position: int
    previous: bytes
    commitment: bytes


def digest(link: Link) -> bytes:
    """SHA-256 over a JSON array of the fields: uuids in their text form, times in microseconds of UTC."""
    return sha256(orjson.dumps([_FORM, *map(_plain, link)])).digest()


def commitment(salt: bytes, evidence: Mapping[str, str]) -> bytes:
    """What the chain holds in place of the personal fields; without the salt it tells nothing about them."""
    return sha256(salt + orjson.dumps(dict(evidence), option=orjson.OPT_SORT_KEYS)).digest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND
    if isinstance(value, bytes):
        return value.hex()
    return value
