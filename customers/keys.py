"""Write keys: issued once in the clear, kept as a digest, looked up on every request."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
_SOURCE = "s.id, s.brand_id, s.namespace, s.unplanned = 'quarantine', s.region"


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
    # From whose pages a browser key may write; None is said of all that is kept secret.
    origins: frozenset[str] | None = None

    @property
    def is_public(self) -> bool:
        """Whether anybody could be writing, since the key stands in a page."""
        return self.origins is not None


_believed: dict[bytes, tuple[datetime, Writer]] = {}
_believed_origins: dict[str, tuple[datetime, frozenset[str]]] = {}


def issue(source: Source, mode: str = WriteKey.Mode.LIVE) -> tuple[WriteKey, str]:
    """A new key of 256 random bits for `source`; the text is not kept and cannot be shown again."""
    return _issue(source, mode, f"{mode}_{secrets.token_urlsafe(32)}")


def issue_browser(source: Source, origins: Sequence[str], mode: str = WriteKey.Mode.LIVE) -> WriteKey:
    """A new key for pages of these origins, kept whole: everybody who opens such a page can read it."""
    text = f"pub_{mode}_{secrets.token_urlsafe(32)}"
    key, _text = _issue(source, mode, text, kind=WriteKey.Kind.BROWSER, public=text, origins=list(origins))
    return key


def _issue(source: Source, mode: str, plaintext: str, **more: Any) -> tuple[WriteKey, str]:
    if source.key == Source.RESERVED_KEY:
        raise ValueError("No key writes to the reserved source.")
    key = WriteKey.objects.create(
        source=source, mode=mode, prefix=plaintext[:_PREFIX_LENGTH], digest=_digest(plaintext), **more
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
    writer = _read_key(digest)
    if writer is None:
        _believed.pop(digest, None)
    else:
        _believed[digest] = now, writer
    return writer


def may_ask(origin: str, now: datetime) -> bool:
    """Whether pages of this origin write with any key: all that a browser's question before a call can tell."""
    mode = _mode()
    known = _believed_origins.get(mode)
    if known is None or not timedelta(0) <= now - known[0] < BELIEVED_FOR:
        known = _believed_origins[mode] = now, _read_origins(mode)
    return origin in known[1]


def writer_of(source_id: UUID) -> Writer | None:
    """The source as a writer without a key, for what is replayed on its behalf."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_SOURCE} FROM customers_source s WHERE s.is_active AND s.id = %s", [source_id])
        row = cursor.fetchone()
    return Writer(*row) if row else None


def forget() -> None:
    """Believe nothing any more."""
    _believed.clear()
    _believed_origins.clear()


def _read_key(digest: bytes) -> Writer | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SOURCE}, k.kind, k.origins FROM customers_source s"
            " JOIN customers_writekey k ON k.source_id = s.id"
            " WHERE s.is_active AND k.digest = %s AND k.revoked_at IS NULL AND k.mode = %s",
            [digest, _mode()],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    kind, origins = row[-2:]
    writer = Writer(*row[:-2])
    return replace(writer, origins=frozenset(origins)) if kind == WriteKey.Kind.BROWSER else writer


def _read_origins(mode: str) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT unnest(k.origins) FROM customers_writekey k JOIN customers_source s ON s.id = k.source_id"
            " WHERE s.is_active AND k.revoked_at IS NULL AND k.kind = 'browser' AND k.mode = %s",
            [mode],
        )
        return frozenset(row[0] for row in cursor.fetchall())


def _mode() -> str:
    return str(settings.WRITE_KEY_MODE)


def _digest(plaintext: str) -> bytes:
    return sha256(plaintext.encode(errors="replace")).digest()
