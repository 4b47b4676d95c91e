"""Heads: which entry is in force, whatever the order in which entries arrive (DESIGN §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from psycopg import Cursor

from consent.chain import Link
from consent.models import Method, State

# (address, purpose, profile or none)
Key = tuple[UUID, UUID, UUID | None]


class Statement(Protocol):
    """What of an entry says which one is in force: a link of the chain, or no more of it than this."""

    @property
    def state(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def effective_at(self) -> datetime: ...
    @property
    def valid_until(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class InForce:
    entry_id: int
    state: str
    method: str
    effective_at: datetime
    valid_until: datetime | None
    proven_at: datetime | None


def follow(held: InForce | None, entry_id: int, link: Statement) -> InForce:
    """What is in force once `link` has been heard after `held`.

    The later effective time wins and a refusal wins a tie; a mere request never replaces an answer, nor does a claimed
    grant one that is sure.
    """
    if held is not None and not _replaces(held, link):
        return held
    return InForce(entry_id, link.state, link.method, link.effective_at, link.valid_until, _proven_at(held, link))


def _replaces(held: InForce, link: Statement) -> bool:
    undecided = State.undecided()
    if (link.state in undecided) != (held.state in undecided):
        return held.state in undecided
    # Whichever is heard first, an answer that somebody vouches for comes before what a page tells.
    if _is_claimed_grant(held) and _is_sure(link):
        return not _was_over(link, held.effective_at)
    if _is_sure(held) and _is_claimed_grant(link):
        return _was_over(held, link.effective_at)
    return _rank(link.effective_at, link.state) >= _rank(held.effective_at, held.state)


def _is_claimed_grant(said: Statement) -> bool:
    return said.method == Method.CLAIM and said.state in State.permitting()


def _is_sure(said: Statement) -> bool:
    return said.method != Method.CLAIM and said.state in State.permitting() | State.opposing()


def _was_over(said: Statement, at: datetime) -> bool:
    """Whether it is a grant that had run out by then."""
    return said.state in State.permitting() and said.valid_until is not None and said.valid_until <= at


def _rank(effective_at: datetime, state: str) -> tuple[datetime, bool]:
    return effective_at, state not in State.permitting()


def _proven_at(held: InForce | None, link: Statement) -> datetime | None:
    """A grant's own time when it is proof, else the proof of the grant that it repeats."""
    if link.state not in State.permitting():
        return None
    if link.method in Method.proven():
        return link.effective_at
    if held is None or (held.valid_until is not None and held.valid_until <= link.effective_at):
        return None
    return held.proven_at


_READ = """
    SELECT h.address_id, h.purpose_id, h.profile_id,
           h.entry_id, h.state, h.method, h.effective_at, h.valid_until, h.proven_at
    FROM consent_consenthead h JOIN unnest(%b::uuid[], %b::uuid[]) AS u(address_id, purpose_id)
      ON h.address_id = u.address_id AND h.purpose_id = u.purpose_id
"""

_WRITE = """
    INSERT INTO consent_consenthead AS h
        (address_id, purpose_id, profile_id, entry_id, state, method, effective_at, valid_until, proven_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::bigint[], %b::text[], %b::text[],
                         %b::timestamptz[], %b::timestamptz[], %b::timestamptz[])
    ON CONFLICT (address_id, purpose_id, profile_id) DO UPDATE SET
        entry_id = excluded.entry_id, state = excluded.state, method = excluded.method,
        effective_at = excluded.effective_at, valid_until = excluded.valid_until,
        proven_at = excluded.proven_at, told = 0
"""


def move_heads(cursor: Cursor[Any], entries: Sequence[tuple[int, Link]]) -> list[Key]:
    """Have the heads follow these entries and return which moved; the caller holds the chains of their addresses."""
    before = _read(cursor, entries)
    after = dict(before)
    for entry_id, link in entries:
        key = (link.address_id, link.purpose_id, link.profile_id)
        after[key] = follow(after.get(key), entry_id, link)
    moved = [(*key, head) for key, head in after.items() if head != before.get(key)]
    if moved:
        _write(cursor, moved)
    return [(address, purpose, profile) for address, purpose, profile, _head in moved]


def _read(cursor: Cursor[Any], entries: Sequence[tuple[int, Link]]) -> dict[Key, InForce]:
    pairs = sorted({(link.address_id, link.purpose_id) for _id, link in entries})
    addresses, purposes = (list(column) for column in zip(*pairs, strict=True))
    cursor.execute(_READ, [addresses, purposes])
    return {(address, purpose, profile): InForce(*head) for address, purpose, profile, *head in cursor}


def _write(cursor: Cursor[Any], moved: Sequence[tuple[UUID, UUID, UUID | None, InForce]]) -> None:
    addresses, purposes, profiles, heads = zip(*moved, strict=True)
    columns = zip(
        *(
            (head.entry_id, head.state, head.method, head.effective_at, head.valid_until, head.proven_at)
            for head in heads
        ),
        strict=True,
    )
    cursor.execute(_WRITE, [list(addresses), list(purposes), list(profiles), *map(list, columns)])
