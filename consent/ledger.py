"""Append to the consent ledger and keep its heads: one unforked hash chain per address (DESIGN §2.9)."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg import Cursor
from psycopg.types.json import Jsonb

from consent import chain, suppression, watching
from consent.chain import Link
from consent.heads import move_heads
from consent.models import LATEST, Method, State
from consent.watching import Moved
from customers.pg import copy_rows, raw_cursor

_LAST = LATEST - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """One consent as it happened. `profile_id` None: it holds for the address whoever uses it.

    `evidence` is the personal part, text by name; it can be erased without breaking the chain.
    """

    address_id: UUID
    profile_id: UUID | None
    brand_id: UUID
    purpose_id: UUID
    state: str
    method: str
    occurred_at: datetime
    # When we heard of it; with the ledger's own doing that is the moment of writing.
    received_at: datetime | None = None
    valid_until: datetime | None = None
    source_id: UUID | None = None
    message_id: str = ""
    event_id: int | None = None
    notice_version_id: int | None = None
    language: str = ""
    legal_basis: str = ""
    jurisdiction: str = ""
    collector: str = ""
    withdrawal_path: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _End:
    """The end of one address's chain as it grows."""

    position: int
    digest: bytes


_ENTRY = (
    ("id", "int8"),
    ("address_id", "uuid"),
    ("profile_id", "uuid"),
    ("brand_id", "uuid"),
    ("purpose_id", "uuid"),
    ("state", "varchar"),
    ("effective_at", "timestamptz"),
    ("occurred_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
    ("valid_until", "timestamptz"),
    ("method", "varchar"),
    ("source_id", "uuid"),
    ("message_id", "varchar"),
    ("event_id", "int8"),
    ("notice_version_id", "int8"),
    ("language", "varchar"),
    ("legal_basis", "varchar"),
    ("jurisdiction", "varchar"),
    ("collector", "varchar"),
    ("withdrawal_path", "varchar"),
    ("position", "int4"),
    ("previous", "bytea"),
    ("commitment", "bytea"),
    ("digest", "bytea"),
)
_EVIDENCE = (("entry_id", "int8"), ("salt", "bytea"), ("fields", "jsonb"))


def append(entries: Sequence[NewEntry], now: datetime) -> list[int]:
    """Append the entries in this order, each address's chain locked first; return their ids."""
    if not entries:
        return []
    with transaction.atomic(), raw_cursor() as cursor:
        ends = _lock_ends(cursor, {entry.address_id for entry in entries})
        entries = _with_ends(cursor, entries, now)
        ids = _next_ids(cursor, len(entries))
        salts = [secrets.token_bytes(16) for _entry in entries]
        links = [_link(entry, salt, ends[entry.address_id], now) for entry, salt in zip(entries, salts, strict=True)]
        copy_rows(
            cursor,
            "consent_consententry",
            _ENTRY,
            ((id_, *link, digest) for id_, (link, digest) in zip(ids, links, strict=True)),
        )
        copy_rows(
            cursor,
            "consent_consentevidence",
            _EVIDENCE,
            zip(ids, salts, (Jsonb(dict(entry.evidence)) for entry in entries), strict=True),
        )
        _write_ends(cursor, ends)
        moved = move_heads(cursor, [(id_, link) for id_, (link, _digest) in zip(ids, links, strict=True)])
        suppression.lift_proven(cursor, _proven(links), now)
        said = {
            (link.address_id, link.purpose_id, link.profile_id): (id_, link.event_id)
            for id_, (link, _digest) in zip(ids, links, strict=True)
        }
        watching.tell(cursor, [Moved(*key, *said[key]) for key in moved], now)
    return ids


def _proven(links: Iterable[tuple[Link, bytes]]) -> dict[UUID, datetime]:
    """By address, when somebody proved last that they want to be written to."""
    found: dict[UUID, datetime] = {}
    for link, _digest in links:
        if link.state in State.permitting() and link.method in Method.proven():
            found[link.address_id] = max(link.effective_at, found.get(link.address_id, link.effective_at))
    return found


def _with_ends(cursor: Cursor[Any], entries: Sequence[NewEntry], now: datetime) -> Sequence[NewEntry]:
    """A grant that names no end has that of its purpose, counted from when it took effect."""
    open_ended = {one.purpose_id for one in entries if one.state in State.permitting() and one.valid_until is None}
    if not open_ended:
        return entries
    cursor.execute(
        "SELECT id, valid_days FROM consent_purpose WHERE id = ANY(%b) AND valid_days IS NOT NULL", [list(open_ended)]
    )
    lasts = {id_: timedelta(days=days) for id_, days in cursor}
    return [
        replace(one, valid_until=min(_effective(one, now) + lasts[one.purpose_id], _LAST))
        if one.purpose_id in lasts and one.state in State.permitting() and one.valid_until is None
        else one
        for one in entries
    ]


def _effective(entry: NewEntry, now: datetime) -> datetime:
    return min(entry.occurred_at, entry.received_at or now)


def ensure_chains(cursor: Cursor[Any], address_ids: Iterable[UUID]) -> None:
    """Make the chain rows that are missing, by ascending address."""
    cursor.execute(
        "INSERT INTO consent_consentchain (address_id, length, digest)"
        " SELECT u.id, 0, %b FROM unnest(%b::uuid[]) AS u(id) WHERE NOT EXISTS"
        " (SELECT 1 FROM consent_consentchain c WHERE c.address_id = u.id)"
        " ORDER BY u.id ON CONFLICT DO NOTHING",
        [chain.GENESIS, sorted(set(address_ids))],
    )


def lock_free(cursor: Cursor[Any], address_ids: Iterable[UUID]) -> list[UUID]:
    """Lock the chains that nobody holds, by ascending address, and return which."""
    wanted = sorted(set(address_ids))
    ensure_chains(cursor, wanted)
    cursor.execute(
        "SELECT address_id FROM consent_consentchain WHERE address_id = ANY(%b)"
        " ORDER BY address_id FOR UPDATE SKIP LOCKED",
        [wanted],
    )
    return [address_id for (address_id,) in cursor]


def _lock_ends(cursor: Cursor[Any], address_ids: Iterable[UUID]) -> dict[UUID, _End]:
    wanted = sorted(address_ids)
    ensure_chains(cursor, wanted)
    cursor.execute(
        "SELECT address_id, length, digest FROM consent_consentchain WHERE address_id = ANY(%b)"
        " ORDER BY address_id FOR UPDATE",
        [wanted],
    )
    return {address_id: _End(length, bytes(digest)) for address_id, length, digest in cursor}


def _next_ids(cursor: Cursor[Any], count: int) -> list[int]:
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence('consent_consententry', 'id')) FROM generate_series(1, %b)",
        [count],
    )
    return [id_ for (id_,) in cursor]


def _link(entry: NewEntry, salt: bytes, end: _End, now: datetime) -> tuple[Link, bytes]:
    """The entry as the next link of its address's chain, which thereby ends in it, and its digest."""
    link = Link(
        address_id=entry.address_id,
        profile_id=entry.profile_id,
        brand_id=entry.brand_id,
        purpose_id=entry.purpose_id,
        state=entry.state,
        effective_at=_effective(entry, now),
        occurred_at=entry.occurred_at,
        recorded_at=now,
        valid_until=entry.valid_until,
        method=entry.method,
        source_id=entry.source_id,
        message_id=entry.message_id,
        event_id=entry.event_id,
        notice_version_id=entry.notice_version_id,
        language=entry.language,
        legal_basis=entry.legal_basis,
        jurisdiction=entry.jurisdiction,
        collector=entry.collector,
        withdrawal_path=entry.withdrawal_path,
        position=end.position + 1,
        previous=end.digest,
        commitment=chain.commitment(salt, entry.evidence),
    )
    end.position, end.digest = link.position, chain.digest(link)
    return link, end.digest


def _write_ends(cursor: Cursor[Any], ends: Mapping[UUID, _End]) -> None:
    cursor.execute(
        "UPDATE consent_consentchain c SET length = u.length, digest = u.digest"
        " FROM unnest(%b::uuid[], %b::int[], %b::bytea[]) AS u(id, length, digest) WHERE c.address_id = u.id",
        [list(ends), [end.position for end in ends.values()], [end.digest for end in ends.values()]],
    )
