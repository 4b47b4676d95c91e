"""Note that the database was restored to an earlier time: set aside the anchors that tell of what it no longer holds.

A restore explains what is gone since its time, and nothing else. So first everything is verified as if it were noted
already; then what the anchors to be set aside saw is looked for, as a restored database holds of it what was written
before that time, and nothing of what came after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from consent.anchors.history import History, read_history
from consent.anchors.line import FIRST, Anchor, Line
from consent.anchors.make import alone, anchor_held
from consent.anchors.restore import Noted, Restore, write
from consent.anchors.shelf import Busy, Shelf
from consent.models import LedgerAnchor
from consent.verify.fault import Fault, Reason
from consent.verify.report import verify_ledgers
from consent.verify.set_aside import Aside, Contradiction, Seen, look_for
from customers import audit

# An anchor is made in minutes.
_LONGEST: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator tells."""

    restored_to: datetime
    by: str
    why: str


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
    known = dict(LedgerAnchor.objects.values_list("number", "root"))
    restore = _restore(history, last, known, asked, now)
    aside = _told_apart(history, restore, known)
    _verify(place, restore, now)
    try:
        seen = look_for(place, aside, asked.restored_to)
    except Contradiction as contradiction:
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


def _restore(history: History, last: Line, known: dict[int, Any], asked: Asked, now: datetime) -> Restore:
    kept = _kept(history, known, asked.restored_to)
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
    )


def _kept(history: History, known: dict[int, Any], moment: datetime) -> int:
    """The last anchor all of which a database restored to that time holds; it knows of it, then."""
    tip = history.tip_at(moment)
    if not tip or _knows(known, history.anchors[tip].anchor):
        return tip
    # It may have been in the making, and part of what it saw may have been written after that time.
    anchor, before = history.anchors[tip].anchor, history.before(tip)
    is_before_known = before in history.anchors and _knows(known, history.anchors[before].anchor)
    if moment - anchor.at <= _LONGEST and (not before or is_before_known):
        return before
    raise NotExplained(
        f"The database does not know anchor {tip}, made at {anchor.at:%Y-%m-%d %H:%M:%S} UTC:"
        " it was restored to a time before that."
    )


def _told_apart(history: History, restore: Restore, known: dict[int, Any]) -> Aside:
    """Of the anchors set aside the database knows none but those made since it was restored, which come last."""
    aside = [line.anchor for number, line in sorted(history.anchors.items()) if restore.first <= number <= restore.last]
    gone = [anchor for anchor in aside if not _knows(known, anchor)]
    since = [anchor for anchor in aside if _knows(known, anchor)]
    if not gone or (since and since[0].number < gone[-1].number):
        raise NotExplained(
            f"The database knows anchor {since[0].number}, made at {since[0].at:%Y-%m-%d %H:%M:%S} UTC:"
            " it was not restored to a time before that."
        )
    elsewhere = [anchor for anchor in gone if history.left(anchor.number, restore.restored_to)]
    return Aside([anchor for anchor in gone if anchor not in elsewhere], elsewhere, since)


def _knows(known: dict[int, Any], anchor: Anchor) -> bool:
    root = known.get(anchor.number)
    return root is not None and bytes(root) == anchor.root


def _verify(place: Shelf, restore: Restore, now: datetime) -> None:
    # Its own signature is still to come.
    report = verify_ledgers(place, now, [Noted(restore, FIRST, True)])
    # The last anchor that is kept is as old as what was restored.
    if faults := [fault for fault in report.faults if fault.reason is not Reason.ANCHORS_LATE]:
        raise NotExplained("A restore to that time does not explain what verifying finds.", faults)


def _told(restore: Restore) -> dict[str, Any]:
    told = ("number", "by", "why", "restored_to", "first", "last")
    return {name: getattr(restore, name) for name in told}
