"""One chain, entry by entry: where it first is not what was written."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from consent.anchors.records import Chain, Witness
from consent.verify.fault import Fault, Reason


class Entry(NamedTuple):
    """`recomputed` is the hash that its fields have now; `is_proven` whether its evidence, where it is still there,
    is what was committed to; `is_explained` whether it is there or an erasure took it. Whoever takes a table's guards
    away may leave nothing in a column."""

    entry_id: int
    position: int | None
    previous: bytes | None
    digest: bytes | None
    recomputed: bytes | None
    is_proven: bool = True
    is_explained: bool = True


class Row(NamedTuple):
    """What the chain's own row says of its end."""

    length: int | None
    digest: bytes | None


# By position, what was anchored of a chain.
Anchored = Mapping[int, Witness]


def first_fault(chain: Chain, entries: Iterable[Entry], genesis: bytes, anchored: Anchored) -> Fault | None:
    """The first entry that is not what was written; `entries` by position."""
    previous: bytes | None = genesis
    expected = 1
    for entry in entries:
        if (reason := _fault(entry, expected, previous, anchored.get(expected))) is not None:
            gone = anchored.get(expected) if reason is Reason.MISSING else None
            return Fault(reason, chain, expected, gone.entry_id if gone else entry.entry_id)
        previous = entry.digest
        expected += 1
    if (gone := anchored.get(expected)) is not None:
        return Fault(Reason.CUT, chain, expected, gone.entry_id)
    return None


def _fault(entry: Entry, expected: int, previous: bytes | None, anchored: Witness | None) -> Reason | None:
    if entry.position is None or entry.recomputed is None or entry.recomputed != entry.digest:
        return Reason.ALTERED
    if entry.position != expected:
        return Reason.MISSING if entry.position > expected else Reason.REPEATED
    if entry.previous != previous:
        return Reason.UNLINKED
    if not entry.is_proven:
        return Reason.EVIDENCE
    if anchored is not None and (anchored.entry_id, anchored.digest) != (entry.entry_id, entry.digest):
        return Reason.REWRITTEN
    return None if entry.is_explained else Reason.EVIDENCE_GONE


def row_fault(chain: Chain, row: Row | None, last: Entry | None, count: int) -> Fault | None:
    """Whether the chain's row ends in the last of its `count` entries."""
    if row is not None and row.length is not None and row.length > count:
        return Fault(Reason.CUT, chain, count + 1)
    if last is None:
        return None
    if row is None or (row.length, row.digest) != (count, last.digest):
        return Fault(Reason.CHAIN_ROW, chain, count, last.entry_id)
    return None
