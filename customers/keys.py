"""Write keys: issued once in the clear, kept as a digest, looked up on every request."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from customers.models import Source, WriteKey

# How long a process believes what it read of a key: the longest a revoked one goes on working.
BELIEVED_FOR = timedelta(seconds=1)
_PREFIX_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the source behind a valid key, with all that acceptance asks of it."""

    source_id: UUID
    brand_id: UUID
    namespace: UUID
    refuses_unplanned: bool
    region: str = ""
    # Whether it may say that somebody was verified; said of a partner's token, never of a key.
    may_assure: bool = False
    marks_unplanned: bool = False
    # Whether it may send the types it lists, and no others.
    only_listed: bool = False


_believed: dict[bytes, tuple[datetime, Writer]] = {}


def issue(source: Source, mode: str = WriteKey.Mode.LIVE) -> tuple[WriteKey, str]:
    """A new key of 256 random bits for `source`; the text is not kept and cannot be shown again."""
    if source.key == Source.RESERVED_KEY:
        raise ValueError("No key writes to the reserved source.")
    plaintext = f"{mode}_{secrets.token_urlsafe(32)}"
    key = WriteKey.objects.create(
        source=source, mode=mode, prefix=plaintext[:_PREFIX_LENGTH], digest=_digest(plaintext)
    )
    return key, plaintext


def revoke(key: WriteKey, now: datetime) -> None:
    """End the key: at once in this process, within `BELIEVED_FOR` in every other."""
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    _believed.pop(bytes(key.digest), None)


def find(plaintext: str, now: datetime) -> Writer | None:
    """Who may write with this key, if it is one of this environment that is neither revoked nor idle."""
    digest = _digest(plaintext)
    known = _believed.get(digest)
    if known is not None and timedelta(0) <= now - known[0] < BELIEVED_FOR:
        return known[1]
    writer = _read("k.digest = %s AND k.revoked_at IS NULL AND k.mode = %s", [digest, _mode()])
    if writer is None:
        _believed.pop(digest, None)
    else:
        _believed[digest] = now, writer
    return writer


def writer_of(source_id: UUID) -> Writer | None:
    """The source as a writer without a key, for what is replayed on its behalf."""
    return _read("s.id = %s", [source_id])


def forget() -> None:
    """Believe nothing any more."""
    _believed.clear()


def _read(condition: str, params: Sequence[Any]) -> Writer | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT s.id, s.brand_id, s.namespace, s.unplanned = 'quarantine', s.region, false,"
            " s.unplanned = 'mark', s.only_listed"
            " FROM customers_source s LEFT JOIN customers_writekey k ON k.source_id = s.id"
            f" WHERE s.is_active AND {condition}",
            params,
        )
        row = cursor.fetchone()
    return Writer(*row) if row else None


def _mode() -> str:
    return str(settings.WRITE_KEY_MODE)


def _digest(plaintext: str) -> bytes:
    return sha256(plaintext.encode(errors="replace")).digest()
