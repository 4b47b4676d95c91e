"""The consent ledger as it lies in the database, some chains at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor, DataError

from consent import chain
from consent.chain import Link
from consent.heads import InForce, Key, follow
from consent.verify.chains import Entry, Row

_FIRST: Final = UUID(int=0)
_LAST: Final = UUID(int=2**128 - 1)
_AT_ONCE: Final = 1_000

_FIELDS: Final = ", ".join(f"e.{name}" for name in Link._fields)
_BOUND: Final = "SELECT address_id FROM consent_consentchain WHERE address_id >= %b ORDER BY 1 OFFSET %b LIMIT 1"
_ROWS: Final = "SELECT address_id, length, digest FROM consent_consentchain WHERE address_id BETWEEN %b AND %b"
_ENTRIES: Final = f"""
    SELECT e.id, e.digest, v.salt, v.fields, g.entry_id IS NOT NULL, {_FIELDS}
    FROM consent_consententry e LEFT JOIN consent_consentevidence v ON v.entry_id = e.id
    LEFT JOIN consent_erasedevidence g ON g.entry_id = e.id
"""
_BY_CHAIN: Final = f"{_ENTRIES} WHERE e.address_id BETWEEN %b AND %b ORDER BY e.address_id, e.position, e.id"
_ONE: Final = f"{_ENTRIES} WHERE e.id = %b"
_IDS: Final = """
    SELECT id, address_id, position FROM consent_consententry
    WHERE address_id BETWEEN %b AND %b ORDER BY address_id, position
"""
_HEADS: Final = """
    SELECT address_id, purpose_id, profile_id, entry_id, state, method, effective_at, valid_until, proven_at
    FROM consent_consenthead WHERE address_id BETWEEN %b AND %b
"""


@dataclass(slots=True)
class Held:
    """One address's chain: its row, its entries, how many have no evidence, the heads there are and those that
    follow from the entries."""

    row: Row | None = None
    entries: list[Entry] = field(default_factory=list)
    unproven: int = 0
    heads: dict[Key, InForce | None] = field(default_factory=dict)
    due: dict[Key, InForce] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Range:
    """All addresses from one to another."""

    first: UUID
    last: UUID


def ranges(cursor: Cursor[Any]) -> Iterator[Range]:
    """All addresses there can be, so many at a time that some chains lie in each."""
    first = _FIRST
    while True:
        found = cursor.execute(_BOUND, [first, _AT_ONCE - 1]).fetchone()
        yield Range(first, found[0] if found else _LAST)
        if found is None or found[0] == _LAST:
            return
        first = UUID(int=found[0].int + 1)


def read(cursor: Cursor[Any], within: Range) -> dict[UUID, Held]:
    """The chains of these addresses, ascending. Without their locks, what is being written may show in part."""
    bounds = [within.first, within.last]
    held: dict[UUID, Held] = {}
    for address_id, length, digest in cursor.execute(_ROWS, bounds).fetchall():
        held.setdefault(address_id, Held()).row = Row(length, digest)
    for entry, address_id, link, is_there in _entries(cursor, bounds):
        one = held.setdefault(address_id, Held())
        one.entries.append(entry)
        one.unproven += not is_there
        if link is not None:
            key = (link.address_id, link.purpose_id, link.profile_id)
            one.due[key] = follow(one.due.get(key), entry.entry_id, link)
    for key, head in _heads(cursor, bounds):
        held.setdefault(key[0], Held()).heads[key] = head
    return dict(sorted(held.items()))


def lock(cursor: Cursor[Any], address_id: UUID) -> None:
    """Have whoever writes to this chain wait until the transaction is over."""
    cursor.execute("SELECT 1 FROM consent_consentchain WHERE address_id = %b FOR SHARE", [address_id])


# An entry, its address, its fields where they can be read, and whether its evidence is there.
_Read = tuple[Entry, UUID, Link | None, bool]


def _entries(cursor: Cursor[Any], bounds: list[UUID]) -> Iterable[_Read]:
    try:
        return [_entry(row) for row in cursor.execute(_BY_CHAIN, bounds).fetchall()]
    except DataError:
        # A time beyond the calendar: one of them cannot be read at all.
        return [_alone(cursor, *row) for row in cursor.execute(_IDS, bounds).fetchall()]


def _alone(cursor: Cursor[Any], entry_id: int, address_id: UUID, position: int | None) -> _Read:
    try:
        [row] = cursor.execute(_ONE, [entry_id]).fetchall()
        return _entry(row)
    except DataError:
        return Entry(entry_id, position, None, None, None), address_id, None, True


def _entry(row: tuple[Any, ...]) -> _Read:
    entry_id, digest, salt, evidence, is_erased, *fields = row
    link = Link._make(fields)
    is_proven = salt is None or _commits(link, salt, evidence)
    is_explained = salt is not None or is_erased
    whole = Entry(entry_id, link.position, link.previous, digest, _recomputed(link), is_proven, is_explained)
    # Of fields that nothing can be made of, nothing follows.
    return whole, link.address_id, link if whole.recomputed == digest else None, salt is not None


def _recomputed(link: Link) -> bytes | None:
    try:
        return chain.digest(link)
    except (TypeError, ValueError):
        return None


def _commits(link: Link, salt: bytes, evidence: object) -> bool:
    try:
        return isinstance(evidence, dict) and chain.commitment(salt, evidence) == link.commitment
    except (TypeError, ValueError):
        return False


def _heads(cursor: Cursor[Any], bounds: list[UUID]) -> Iterator[tuple[Key, InForce | None]]:
    try:
        for address, purpose, profile, *head in cursor.execute(_HEADS, bounds).fetchall():
            yield (address, purpose, profile), InForce(*head)
    except DataError:
        keys = "SELECT address_id, purpose_id, profile_id FROM consent_consenthead WHERE address_id BETWEEN %b AND %b"
        for address, purpose, profile in cursor.execute(keys, bounds).fetchall():
            yield (address, purpose, profile), None
