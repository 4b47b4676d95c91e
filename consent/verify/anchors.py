"""The anchors themselves: signed, in one chain, and their files whole; and the restores that set some aside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from consent.anchors import line as lines
from consent.anchors.history import History, put_together
from consent.anchors.line import Anchor, Line, Segment
from consent.anchors.restore import Noted, Restore
from consent.anchors.shelf import Shelf
from consent.models import LedgerAnchor
from consent.verify.fault import Fault, Reason


@dataclass(slots=True)
class Anchors:
    """Those that are signed, by number; which are in force, as no restore set them aside; and where what these saw
    lies, as far as it is whole. `torn` lines are none, as a writer leaves that dies."""

    known: dict[int, Anchor] = field(default_factory=dict)
    in_force: list[int] = field(default_factory=list)
    seen: list[tuple[int, Segment]] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)
    torn: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def last(self) -> Anchor | None:
        return next(reversed(self.known.values()), None)

    @property
    def tip(self) -> Anchor | None:
        """The last in force."""
        return self.known[self.in_force[-1]] if self.in_force else None


def read_anchors(place: Shelf, supposed: Sequence[Noted] = ()) -> Anchors:
    """As the folder has them, and as they would be with restores that are only supposed."""
    # Before the lines: an anchor made meanwhile has its line first and its row after.
    row = LedgerAnchor.objects.order_by("-number").first()
    found = Anchors()
    lines_by_number: dict[int, Line] = {}
    broken: set[int] = set()
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
        if reason is Reason.ANCHOR_ENTRIES:
            broken.add(anchor.number)
        # Of a key that is gone: the next one that is signed names its hash, and so vouches for it.
        unvouched = [] if line.is_signed else [*unvouched, line]
        found.known[anchor.number], lines_by_number[anchor.number] = anchor, line
        previous = line.digest
    found.faults += [Fault(Reason.ANCHOR_UNSIGNED, None, one.anchor.number) for one in unvouched]
    found.faults += _unlike(row, found)
    noted = list(place.restores())
    found.torn += noted.count(None)
    history = put_together(lines_by_number, [one for one in noted if one is not None], supposed)
    found.restores = [one.restore for one in history.restores]
    found.faults += _restore_faults(found, history)
    found.in_force = history.in_force(history.tip(max(found.known, default=0)))
    found.seen = [(number, found.known[number].segment) for number in found.in_force if number not in broken]
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


def _restore_faults(found: Anchors, history: History) -> Iterator[Fault]:
    """Each restore follows the one before it and is named by the anchors after it: so none is added, changed or
    dropped behind anybody's back."""
    yield from (Fault(Reason.RESTORE_UNSIGNED, None, number) for number in history.unsigned)
    yield from (Fault(Reason.RESTORE_UNLINKED, None, number) for number in history.unlinked)
    there = {None, *(noted.digest for noted in history.restores)}
    for number, anchor in found.known.items():
        if anchor.restore not in there:
            yield Fault(Reason.RESTORE_GONE, None, number)
        elif anchor.restore != history.newest_before(number):
            yield Fault(Reason.RESTORE_UNTOLD, None, number)
