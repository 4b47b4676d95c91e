"""Note that the database was restored to an earlier time: set aside the anchors that tell of what it no longer holds.

A restore explains what is gone since its time, and nothing else. So first everything is verified as if it were noted
already; then what the anchors to be set aside saw is looked for, as a restored database holds of it what was written
before that time, and nothing of what came after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from consent.anchors.history import History, read_history
from consent.anchors.line import FIRST, Anchor, Line
from consent.anchors.make import alone, anchor_held
from consent.anchors.restore import Gap, Noted, Restore, write
from consent.anchors.shelf import Busy, Shelf
from consent.models import LedgerAnchor
from consent.verify.apart import DoesNotFit, known_to, last_kept, tell_apart
from consent.verify.fault import Fault, Reason
from consent.verify.report import verify_ledgers
from consent.verify.set_aside import Aside, Contradiction, Seen, look_for
from customers import audit


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator tells; `then` are later restores that were not noted either, in order."""

    restored_to: datetime
    by: str
    why: str
    then: tuple[datetime, ...] = ()
    gaps: tuple[Gap, ...] = ()


class NotExplained(Exception):
    """A restore to that time does not explain what is there; nothing is noted."""

    def __init__(self, words: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(words)
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Plan:
    """The line that would be written, the anchors it sets aside, and what became of the entries they saw."""

    restore: Restore
    aside: Aside
    seen: Seen


def plan(place: Shelf, asked: Asked, now: datetime) -> Plan:
    """Raises NotExplained; writes nothing."""
    history = read_history(place)
    last = place.last()
    if last is None:
        raise NotExplained("There is no anchor of this installation: nothing has to be set aside.")
    gaps = _gaps(history, asked)
    moments = (asked.restored_to, *asked.then)
    known = known_to(place, history, moments)
    try:
        restore = _restore(history, last, last_kept(place, history, known, asked.restored_to), asked, now)
        numbers = [number for number in sorted(history.anchors) if restore.first <= number <= restore.last]
        anchors = [history.anchors[number].anchor for number in numbers]
        aside = tell_apart(history, anchors, known, moments)
        _verify(place, restore, gaps, now)
        seen = look_for(place, aside)
    except (Contradiction, DoesNotFit) as contradiction:
        raise NotExplained(str(contradiction)) from None
    return Plan(restore, aside, seen)


def note(place: Shelf, asked: Asked, now: datetime) -> tuple[Plan, Anchor | None]:
    """Write it down, and anchor at once, or have another host's next anchor name it. Raises NotExplained, and Busy
    where somebody makes an anchor just now."""
    with place.held():
        planned = plan(place, asked, now)
        with transaction.atomic(), alone():
            place.append_restore(write(planned.restore))
            # In a transaction of its own: an anchor must not see what may yet be rolled back.
            audit.record(None, "note_restore", LedgerAnchor, None, _told(planned.restore), now=now)
        try:
            with transaction.atomic(), alone():
                return planned, anchor_held(place, now)
        except Busy:
            return planned, None


def _gaps(history: History, asked: Asked) -> set[Gap]:
    """Gaps in the numbers of anchors that are known to whoever notes this, or were to whoever noted one before."""
    there = set(history.gaps())
    for gap in asked.gaps:
        if gap not in there:
            raise NotExplained(f"The numbers {gap} are no gap between anchors that name each other.")
    known = {*asked.gaps, *(gap for noted in history.restores for gap in noted.restore.gaps)}
    if untold := sorted(there - known):
        told = ", ".join(map(str, untold))
        raise NotExplained(
            f"Anchors are missing in the folder: {told}. Whoever knows why says so: the note names them."
        )
    return known


def _restore(history: History, last: Line, kept: int, asked: Asked, now: datetime) -> Restore:
    newest = history.restores[-1] if history.restores else None
    if kept >= last.anchor.number:
        raise NotExplained("No anchor was made after that time: nothing has to be set aside.")
    return Restore(
        number=newest.restore.number + 1 if newest else 1,
        at=now,
        by=asked.by,
        why=asked.why,
        restored_to=asked.restored_to,
        first=kept + 1,
        last=last.anchor.number,
        after=last.digest,
        previous=newest.digest if newest else FIRST,
        then=asked.then,
        gaps=asked.gaps,
    )


def _verify(place: Shelf, restore: Restore, gaps: set[Gap], now: datetime) -> None:
    # Its own signature is still to come.
    report = verify_ledgers(place, now, [Noted(restore, FIRST, True)])
    if faults := [fault for fault in report.faults if not _is_known(fault, gaps)]:
        raise NotExplained("A restore to that time does not explain what verifying finds.", faults)


def _is_known(fault: Fault, gaps: set[Gap]) -> bool:
    if fault.reason is Reason.ANCHOR_UNLINKED:
        return any(fault.position == gap.last + 1 for gap in gaps)
    if fault.reason is Reason.ANCHORS_GONE:
        return any(gap.first <= fault.position <= gap.last for gap in gaps)
    # The last anchor that is kept is as old as what was restored.
    return fault.reason is Reason.ANCHORS_LATE


def _told(restore: Restore) -> dict[str, Any]:
    told = ("number", "by", "why", "restored_to", "first", "last")
    then = {"then": [str(at) for at in restore.then]} if restore.then else {}
    gaps = {"gaps": [str(gap) for gap in restore.gaps]} if restore.gaps else {}
    return {name: getattr(restore, name) for name in told} | then | gaps
