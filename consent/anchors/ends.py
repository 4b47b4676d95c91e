"""The chains as the database has them: their ends in order, and the entries that follow an anchored end."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent.anchors.notices import published
from consent.anchors.records import Chain, Ledger, Witness

_CHAINS_AT_ONCE: Final = 10_000

# By key, some at a time: nothing is held between two of them, neither memory nor a snapshot.
_CONSENT: Final = """
    SELECT address_id, length, digest FROM consent_consentchain
    WHERE address_id > %b AND length > 0 ORDER BY address_id LIMIT %b
"""
_DAYS: Final = """
    WITH RECURSIVE days AS (
        SELECT min(day) AS day FROM customers_auditentry
        UNION ALL
        SELECT (SELECT min(a.day) FROM customers_auditentry a WHERE a.day > days.day) FROM days
        WHERE days.day IS NOT NULL
    )
    SELECT days.day, last.position, last.digest FROM days, LATERAL (
        SELECT position, digest FROM customers_auditentry a
        WHERE a.day = days.day ORDER BY position DESC LIMIT 1
    ) last
    ORDER BY days.day
"""
_ENTRIES: Final = """
    SELECT e.address_id, e.position, e.id, e.digest
    FROM unnest(%b::uuid[], %b::int[], %b::int[]) AS u(id, anchored, length)
    JOIN consent_consententry e ON e.address_id = u.id AND e.position >= u.anchored AND e.position <= u.length
    ORDER BY e.address_id, e.position
"""
_AUDITED: Final = """
    SELECT day, position, id, digest FROM customers_auditentry
    WHERE day = %b AND position >= %b AND position <= %b ORDER BY position
"""


class End(NamedTuple):
    """A chain's length, and the hash of its last entry, by the row that says so."""

    chain: Chain
    length: int
    digest: bytes


class Grown(NamedTuple):
    """A chain that is longer than it was when it was anchored."""

    chain: Chain
    anchored: int
    length: int


def batches(cursor: Cursor[Any]) -> Iterator[list[End]]:
    """The ends of all chains, ascending, some at a time."""
    after = UUID(int=0)
    while rows := cursor.execute(_CONSENT, [after, _CHAINS_AT_ONCE]).fetchall():
        yield [End(Chain.of_address(address_id), length, bytes(digest)) for address_id, length, digest in rows]
        after = rows[-1][0]
    rows = cursor.execute(_DAYS).fetchall()
    if rows:
        yield [End(Chain.of_day(day), position, bytes(digest)) for day, position, digest in rows]
    if notices := published(cursor):
        yield [End(Chain.of_notice(one.version_id), 1, one.digest) for one in notices]


def entries_of(cursor: Cursor[Any], grown: Sequence[Grown]) -> Iterator[Witness]:
    """The entries by which these chains have grown, chain by chain, and before them the one that was anchored last;
    all chains are of one ledger."""
    if grown and grown[0].chain.ledger is Ledger.NOTICE:
        new = {one.chain for one in grown}
        for version_id, digest, _is_sealed in published(cursor):
            if (chain := Chain.of_notice(version_id)) in new:
                yield Witness(Ledger.NOTICE, chain.key, 1, version_id, digest)
    elif grown and grown[0].chain.ledger is Ledger.AUDIT:
        for chain, anchored, length in grown:
            day = date.fromordinal(int.from_bytes(chain.key, "big"))
            for _day, position, id_, digest in cursor.execute(_AUDITED, [day, anchored, length]).fetchall():
                yield Witness(Ledger.AUDIT, chain.key, position, id_, bytes(digest))
    elif grown:
        keys = [UUID(bytes=one.chain.key) for one in grown]
        asked = [keys, [one.anchored for one in grown], [one.length for one in grown]]
        for address_id, position, id_, digest in cursor.execute(_ENTRIES, asked).fetchall():
            yield Witness(Ledger.CONSENT, address_id.bytes, position, id_, bytes(digest))
