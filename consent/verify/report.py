"""Verify everything, and say what was gone through, what is wrong, and since when at the earliest."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from consent.anchors.health import is_late
from consent.anchors.line import Anchor
from consent.anchors.restore import Noted
from consent.anchors.shelf import Shelf
from consent.verify.anchors import Anchors, read_anchors
from consent.verify.consents import Tally, verify_consents
from consent.verify.fault import OF_RESTORES, Fault, Reason
from consent.verify.notices import verify_notices
from consent.verify.trail import verify_trail
from consent.verify.witnesses import Witnesses


@dataclass(slots=True)
class Report:
    """`held` is the last anchor all of which still is what it was; None if none is, or there is none."""

    anchors: Anchors
    consent: Tally = field(default_factory=Tally)
    audit: Tally = field(default_factory=Tally)
    notices: Tally = field(default_factory=Tally)
    held: Anchor | None = None

    @property
    def faults(self) -> list[Fault]:
        """The first bad entry of each chain, by id; then what is wrong with the anchors."""
        of_chains = [_by_id(tally.faults) for tally in (self.consent, self.audit, self.notices)]
        return [*chain.from_iterable(of_chains), *self.anchors.faults]


def verify_ledgers(place: Shelf, now: datetime, supposed: Sequence[Noted] = ()) -> Report:
    """Whoever writes meanwhile is neither stopped nor taken for a fault. With a restore that is only supposed, what
    would be found if it were noted."""
    anchors = read_anchors(place, supposed)
    report = Report(anchors)
    witnesses = Witnesses(place.witnesses(anchors.seen), last=max(anchors.known, default=0))
    for part in _blaming(verify_consents(witnesses), witnesses):
        _add(report.consent, part)
    for part in _blaming(verify_trail(witnesses), witnesses):
        _add(report.audit, part)
    for part in _blaming(verify_notices(witnesses), witnesses):
        _add(report.notices, part)
    if anchors.tip is not None and anchors.tip.root != witnesses.root():
        anchors.faults.append(Fault(Reason.ANCHOR_ROOT, None, anchors.tip.number))
    for fault in anchors.faults:
        if fault.reason not in OF_RESTORES:
            witnesses.held = min(witnesses.held, fault.position - 1)
    held = [number for number in anchors.in_force if number <= witnesses.held]
    report.held = anchors.known[held[-1]] if held else None
    # Every anchor may hold what it saw, and those after it be gone from the folder and the database alike.
    if is_late(anchors.last.at if anchors.last else None, now):
        anchors.faults.append(Fault(Reason.ANCHORS_LATE, None, max(anchors.known, default=0)))
    return report


def _blaming(parts: Iterable[Tally], witnesses: Witnesses) -> Iterator[Tally]:
    for part in parts:
        for fault in part.faults:
            # Rows that only repeat what the entries say were not anchored.
            if fault.chain is not None and fault.reason not in {Reason.HEAD, Reason.CHAIN_ROW}:
                witnesses.blame(fault.chain, fault.position)
        yield part


def _add(total: Tally, part: Tally) -> None:
    total.chains += part.chains
    total.entries += part.entries
    total.unproven += part.unproven
    total.faults += part.faults


def _by_id(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (fault.entry_id is None, fault.entry_id or 0, fault.position))
