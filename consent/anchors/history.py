"""What the folder tells, put together: which restores count, and which anchors are in force after them.

A restore takes the database back to what it was at a time, and the anchors with it: those after that time are set
aside, and the next one goes on from the last that is kept. So anchors in force are told by going back from the last
one; each names the newest restore there was when it was made.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consent.anchors.line import FIRST, Line
from consent.anchors.restore import Gap, Noted
from consent.anchors.shelf import Shelf


@dataclass(slots=True)
class History:
    """Anchors that nobody else signed, by number, and the restores that count, in order. A restore that does not
    follow the one before it, or that nobody vouches for, counts for nothing; `unlinked` and `unsigned` have the
    numbers of such."""

    anchors: dict[int, Line]
    restores: list[Noted]
    unlinked: list[int] = field(default_factory=list)
    unsigned: list[int] = field(default_factory=list)
    _numbers: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._numbers = sorted(self.anchors)

    def tip(self, last: int) -> int:
        """The last anchor in force where `last` is the last one made; 0 for none."""
        return self.up_to(_tip(self.anchors.get(last), self.restores))

    def tip_at(self, moment: datetime) -> int:
        """The last anchor in force at a time past."""
        made = [line for line in self.anchors.values() if line.anchor.at <= moment]
        last = max(made, key=lambda line: line.anchor.number, default=None)
        return self.up_to(_tip(last, [noted for noted in self.restores if noted.restore.at <= moment]))

    def before(self, number: int) -> int:
        """The anchor in force that this one goes on from; 0 for none."""
        noted = self._noted_before(number)
        return self.up_to(noted.restore.kept if noted is not None else number - 1)

    def up_to(self, number: int) -> int:
        """The highest number up to this one that an anchor has; 0 for none. Numbers may have gaps."""
        place = bisect_left(self._numbers, number + 1)
        return self._numbers[place - 1] if place else 0

    def gaps(self) -> Iterator[Gap]:
        """Numbers that no anchor has though the one after them names the one before: lines were taken away, or the
        database told of anchors that never were."""
        below = 0
        for number in self._numbers:
            digest = self.anchors[below].digest if below else FIRST
            if number > below + 1 and self.anchors[number].anchor.previous == digest:
                yield Gap(below + 1, number - 1)
            below = number

    def left(self, number: int, moment: datetime) -> bool:
        """Whether this anchor was made after a restore that took the database from what it was at that time to an
        earlier one, so that what it saw never followed from what there was then."""
        while number > 0 and (number not in self.anchors or self.anchors[number].anchor.at > moment):
            noted = self._noted_before(number)
            if noted is not None and noted.restore.restored_to < moment <= noted.restore.at:
                return True
            number = self.before(number)
        return False

    def in_force(self, tip: int) -> list[int]:
        """The numbers of the anchors that led to this one, ascending."""
        numbers = []
        while tip > 0:
            numbers.append(tip)
            tip = self.before(tip)
        return numbers[::-1]

    def _noted_before(self, number: int) -> Noted | None:
        """The restore that was noted between this anchor and the one made before it."""
        line, previous = self.anchors.get(number), self.anchors.get(self.up_to(number - 1))
        if line is None or line.anchor.restore == (previous.anchor.restore if previous else None):
            return None
        return next((noted for noted in self.restores if noted.digest == line.anchor.restore), None)

    def newest_before(self, number: int) -> bytes | None:
        """The hash of the restore that an anchor of this number has to name."""
        told = [noted.digest for noted in self.restores if noted.restore.last < number]
        return told[-1] if told else None


def read_history(place: Shelf, supposed: Sequence[Noted] = ()) -> History:
    """As the folder has it, with restores that are only supposed after those."""
    anchors = {line.anchor.number: line for line in place.lines() if line is not None and line.is_signed is not False}
    return put_together(anchors, [noted for noted in place.restores() if noted is not None], supposed)


def put_together(anchors: dict[int, Line], noted: Sequence[Noted], supposed: Sequence[Noted] = ()) -> History:
    history = History(anchors, [])
    vouched = _vouched(anchors.values(), noted)
    for one in noted:
        if not one.is_signed and one.digest not in vouched:
            history.unsigned.append(one.restore.number)
        elif not _follows(one, history):
            history.unlinked.append(one.restore.number)
        else:
            history.restores.append(one)
    history.restores += supposed
    return history


def _vouched(anchors: Iterable[Line], noted: Sequence[Noted]) -> set[bytes]:
    """The hashes of restores that something signed names, of itself or by way of another."""
    named = {line.anchor.restore for line in anchors if line.is_signed}
    for one in reversed(noted):
        if one.is_signed is not False and (one.is_signed or one.digest in named):
            named.add(one.restore.previous)
    return {one.digest for one in noted if one.is_signed is not False} & named


def _follows(noted: Noted, history: History) -> bool:
    restore, last = noted.restore, history.anchors.get(noted.restore.last)
    before = history.restores[-1] if history.restores else None
    previous, number = (before.digest, before.restore.number) if before else (FIRST, 0)
    is_next = (restore.previous, restore.number) == (previous, number + 1)
    return is_next and 0 < restore.first <= restore.last and last is not None and last.digest == restore.after


def _tip(last: Line | None, restores: Sequence[Noted]) -> int:
    if restores and (last is None or last.anchor.restore != restores[-1].digest):
        return restores[-1].restore.kept
    return last.anchor.number if last is not None else 0
