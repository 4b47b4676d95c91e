"""Write keys: issued once in the clear, kept as a digest, looked up on every request."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from customers import calls
from customers.calls import Count
from customers.models import Source, WriteKey

# How long a process believes what it read of a key: the longest a revoked one goes on working.
BELIEVED_FOR = timedelta(seconds=1)
# How exactly it is known when a key was last used.
USE_NOTED_EVERY = timedelta(minutes=1)
_PREFIX_LENGTH = 12
_GOOD = "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s)"
# Of a source as a writer; that it may assure is said of a token alone.
_SOURCE = (
    "s.id, s.brand_id, s.namespace, s.unplanned = 'quarantine', s.region, s.per_minute, false, s.unplanned = 'mark',"
    " s.only_listed"
)
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
    # How many calls with its keys a minute; None: any number.
    per_minute: int | None = None
    # Whether it may say that somebody was verified; said of a partner's token, never of a key.
    may_assure: bool = False
    marks_unplanned: bool = False
    # Whether it may send the types it lists, and no others.
    only_listed: bool = False
    # Of a key that has a limit of its own.
    key_id: UUID | None = None
    # From whose pages a browser key may write; None is said of all that is kept secret.
    origins: frozenset[str] | None = None

    @property
    def is_public(self) -> bool:
        """Whether anybody could be writing, since the key stands in a page."""
        return self.origins is not None


_believed: dict[bytes, tuple[datetime, Writer]] = {}
_noted: dict[bytes, datetime] = {}
_believed_origins: dict[str, tuple[datetime, frozenset[str]]] = {}


class NotRotated(ValueError):
    """The key has ended, or has a successor already."""


def issue(source: Source, mode: str = WriteKey.Mode.LIVE, *, per_minute: int | None = None) -> tuple[WriteKey, str]:
    """A new key of 256 random bits for `source`; the text is not kept and cannot be shown again."""
    return _issue(source, mode, f"{mode}_{secrets.token_urlsafe(32)}", per_minute=per_minute)


def issue_browser(
    source: Source, origins: Sequence[str], mode: str = WriteKey.Mode.LIVE, *, per_minute: int | None = None
) -> WriteKey:
    """A new key for pages of these origins, kept whole: everybody who opens such a page can read it."""
    text = f"pub_{mode}_{secrets.token_urlsafe(32)}"
    more = {"kind": WriteKey.Kind.BROWSER, "public": text, "origins": list(origins), "per_minute": per_minute}
    key, _text = _issue(source, mode, text, **more)
    return key


def _issue(source: Source, mode: str, plaintext: str, **more: Any) -> tuple[WriteKey, str]:
    if source.key == Source.RESERVED_KEY:
        raise ValueError("No key writes to the reserved source.")
    key = WriteKey.objects.create(
        source=source, mode=mode, prefix=plaintext[:_PREFIX_LENGTH], digest=_digest(plaintext), **more
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
    if old.kind == WriteKey.Kind.BROWSER:
        successor = issue_browser(old.source, old.origins, old.mode, per_minute=old.per_minute)
        plaintext = successor.public
    else:
        successor, plaintext = issue(old.source, old.mode, per_minute=old.per_minute)
    successor.replaces = old
    successor.save(update_fields=["replaces"])
    return successor, plaintext


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
    writer = _read_key(digest, now)
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


def may_ask(origin: str, now: datetime) -> bool:
    """Whether pages of this origin write with any key: all that a browser's question before a call can tell."""
    mode = _mode()
    known = _believed_origins.get(mode)
    if known is None or not timedelta(0) <= now - known[0] < BELIEVED_FOR:
        known = _believed_origins[mode] = now, _read_origins(mode, now)
    return origin in known[1]


def writer_of(source_id: UUID) -> Writer | None:
    """The source as a writer without a key, for what is replayed on its behalf."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_SOURCE} FROM customers_source s WHERE s.is_active AND s.id = %s", [source_id])
        row = cursor.fetchone()
    return Writer(*row) if row else None


def as_page(writer: Writer) -> Writer:
    """The source as whoever writes from one of its pages: what it is not trusted with there, it is not here."""
    return replace(writer, origins=frozenset(), may_assure=False)


def count(writer: Writer, now: datetime) -> Iterator[tuple[str, Count]]:
    """Count one call, against whatever limits there are: the key's own first, so that what is too much for it uses up
    nothing of the source's other keys."""
    if writer.key_id is not None:
        yield "key", calls.count("customers_writekey", writer.key_id, now)
    if writer.per_minute is not None:
        yield "source", calls.count("customers_source", writer.source_id, now)


def forget() -> None:
    """Believe nothing any more."""
    _believed.clear()
    _noted.clear()
    _believed_origins.clear()


def _read_key(digest: bytes, now: datetime) -> Writer | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_SOURCE}, k.per_minute, k.id, k.kind, k.origins FROM customers_source s"
            " JOIN customers_writekey k ON k.source_id = s.id"
            f" WHERE s.is_active AND k.digest = %s AND {_GOOD} AND k.mode = %s",
            [digest, now, _mode()],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    per_minute, key_id, kind, origins = row[-4:]
    writer = replace(Writer(*row[:-4]), key_id=None if per_minute is None else key_id)
    return replace(writer, origins=frozenset(origins)) if kind == WriteKey.Kind.BROWSER else writer


def _read_origins(mode: str, now: datetime) -> frozenset[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT unnest(k.origins) FROM customers_writekey k JOIN customers_source s ON s.id = k.source_id"
            f" WHERE s.is_active AND {_GOOD} AND k.kind = 'browser' AND k.mode = %s",
            [now, mode],
        )
        return frozenset(row[0] for row in cursor.fetchall())


def _mode() -> str:
    return str(settings.WRITE_KEY_MODE)


def _digest(plaintext: str) -> bytes:
    return sha256(plaintext.encode(errors="replace")).digest()
