"""The anchors themselves: signed, in one chain, and their files whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from consent.anchors import line as lines
from consent.anchors.line import Anchor, Line, Segment
from consent.anchors.shelf import Shelf
from consent.models import LedgerAnchor
from consent.verify.fault import Fault, Reason


@dataclass(slots=True)
class Anchors:
    """Those that are signed, by number, and where what they saw lies, as far as it is whole; `torn` lines are no
    anchors, as a writer leaves that dies."""

    known: dict[int, Anchor] = field(default_factory=dict)
    seen: list[tuple[int, Segment]] = field(default_factory=list)
    torn: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def last(self) -> Anchor | None:
        return next(reversed(self.known.values()), None)


def read_anchors(place: Shelf) -> Anchors:
    # Before the lines: an anchor made meanwhile has its line first and its row after.
    row = LedgerAnchor.objects.order_by("-number").first()
    found = Anchors()
    unvouched: list[Line] = []
    previous = lines.FIRST
    for line in place.lines():
        if line is None:
            found.torn += 1
            continue
        anchor = line.anchor
        reason = _fault(place, line, previous, max(found.known, default=0))
        if reason:
            found.faults.append(Fault(reason, None, anchor.number))
        if line.is_signed is False:
            continue
        if reason is not Reason.ANCHOR_ENTRIES:
            found.seen.append((anchor.number, anchor.segment))
        # Of a key that is gone: the next one that is signed names its hash, and so vouches for it.
        unvouched = [] if line.is_signed else [*unvouched, line]
        found.known[anchor.number] = anchor
        previous = line.digest
    found.faults += [Fault(Reason.ANCHOR_UNSIGNED, None, one.anchor.number) for one in unvouched]
    found.faults += _unlike(row, found)
    return found


def _fault(place: Shelf, line: Line, previous: bytes, before: int) -> Reason | None:
    if line.is_signed is False:
        return Reason.ANCHOR_UNSIGNED
    if line.anchor.previous != previous or line.anchor.number != before + 1:
        return Reason.ANCHOR_UNLINKED
    return None if place.is_whole(line.anchor.segment) else Reason.ANCHOR_ENTRIES


def _unlike(row: LedgerAnchor | None, found: Anchors) -> Iterator[Fault]:
    """The latest row of the database: whoever takes lines from the end of the folder leaves it behind."""
    if row is None:
        return
    anchor = found.known.get(row.number)
    if anchor is None or anchor.root != bytes(row.root):
        yield Fault(Reason.ANCHORS_GONE, None, row.number)
