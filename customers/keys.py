"""Write keys: issued once in the clear, kept as a digest, looked up on every request."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from customers.models import Source, WriteKey

# How long a process believes what it read of a key: the longest a revoked one goes on working.
BELIEVED_FOR = timedelta(seconds=1)
# How exactly it is known when a key was last used.
USE_NOTED_EVERY = timedelta(minutes=1)
_PREFIX_LENGTH = 12
# Nobody waits for the disk because a key was used, nor for somebody else who notes the same.
_NOTE_USE = """
    UPDATE customers_writekey SET last_used_at = %(now)s WHERE id = (
        SELECT id FROM customers_writekey
        WHERE digest = %(digest)s AND (last_used_at IS NULL OR last_used_at <= %(before)s)
        FOR UPDATE SKIP LOCKED
    ) RETURNING set_config('synchronous_commit', 'off', true)
"""


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


_believed: dict[bytes, tuple[datetime, Writer]] = {}
_noted: dict[bytes, datetime] = {}


class NotRotated(ValueError):
    """The key has ended, or has a successor already."""


def issue(source: Source, mode: str = WriteKey.Mode.LIVE, replaces: WriteKey | None = None) -> tuple[WriteKey, str]:
    """A new key of 256 random bits for `source`; the text is not kept and cannot be shown again."""
    if source.key == Source.RESERVED_KEY:
        raise ValueError("No key writes to the reserved source.")
    plaintext = f"{mode}_{secrets.token_urlsafe(32)}"
    key = WriteKey.objects.create(
        source=source, mode=mode, replaces=replaces, prefix=plaintext[:_PREFIX_LENGTH], digest=_digest(plaintext)
    )
    return key, plaintext


@transaction.atomic
def rotate(key: WriteKey, ends_at: datetime, now: datetime) -> tuple[WriteKey, str]:
    """A successor of the same source and mode; both are good until the old one ends."""
    old = WriteKey.objects.select_for_update(of=("self",)).select_related("source").get(pk=key.pk)
    if not old.is_good(now) or WriteKey.objects.filter(replaces=old, revoked_at=None).exists():
        raise NotRotated(str(old))
    old.expires_at = ends_at if old.expires_at is None else min(old.expires_at, ends_at)
    old.save(update_fields=["expires_at"])
    _believed.pop(bytes(old.digest), None)
    return issue(old.source, old.mode, old)


def revoke(key: WriteKey, now: datetime) -> None:
    """End the key: at once in this process, within `BELIEVED_FOR` in every other."""
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    _believed.pop(bytes(key.digest), None)


def find(plaintext: str, now: datetime) -> Writer | None:
    """Who may write with this key, if it is one of this environment that has neither ended nor an idle source."""
    digest = _digest(plaintext)
    known = _believed.get(digest)
    if known is not None and timedelta(0) <= now - known[0] < BELIEVED_FOR:
        return known[1]
    good = "k.digest = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s) AND k.mode = %s"
    writer = _read(good, [digest, now, _mode()])
    if writer is None:
        _believed.pop(digest, None)
        return None
    _believed[digest] = now, writer
    _note_use(digest, now)
    return writer


def _note_use(digest: bytes, now: datetime) -> None:
    """Keep that the key was used, once a minute in each process."""
    noted = _noted.get(digest)
    if noted is not None and timedelta(0) <= now - noted < USE_NOTED_EVERY:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_USE, {"digest": digest, "now": now, "before": now - USE_NOTED_EVERY})
    _noted[digest] = now


def writer_of(source_id: UUID) -> Writer | None:
    """The source as a writer without a key, for what is replayed on its behalf."""
    return _read("s.id = %s", [source_id])


def forget() -> None:
    """Believe nothing any more."""
    _believed.clear()
    _noted.clear()


def _read(condition: str, params: Sequence[Any]) -> Writer | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT s.id, s.brand_id, s.namespace, s.unplanned = 'quarantine', s.region"
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
