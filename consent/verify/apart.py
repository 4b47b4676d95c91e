"""Which anchors a restored database knows, and which of those set aside it lost to which restore."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from consent.anchors.history import History
from consent.anchors.line import Anchor
from consent.anchors.shelf import Shelf
from consent.models import LedgerAnchor
from consent.verify.set_aside import Aside, holds_all, holds_one_between
from consent.verify.telling import moment as in_words

# An anchor is made in minutes.
_LONGEST: Final = timedelta(minutes=30)


class DoesNotFit(Exception):
    """The database knows an anchor that it could not know, or does not know one that it would."""


@dataclass(frozen=True, slots=True)
class Known:
    """The numbers of the anchors that the database knows; `rows` are those of which it has the row."""

    numbers: set[int]
    rows: set[int]


def known_to(place: Shelf, history: History, moments: Sequence[datetime]) -> Known:
    """By their rows. One may be missing, as its writer died between line and row: of an anchor before one that found
    all it goes on from, and of one that was made since a restore, before others of which there is a row, and saw what
    is all there. `moments` are the times restored to."""
    roots = dict(LedgerAnchor.objects.values_list("number", "root"))
    anchors = {number: history.anchors[number].anchor for number in sorted(history.anchors, reverse=True)}
    rows = {number for number, one in anchors.items() if number in roots and bytes(roots[number]) == one.root}
    numbers = set(rows)
    for number, anchor in anchors.items():
        if number not in numbers and _is_of_since(place, anchor, moments, [anchors[row] for row in rows]):
            numbers.add(number)
        if number in numbers and not anchor.deviations:
            numbers.add(history.before(number))
    return Known(numbers - {0}, rows)


def _is_of_since(place: Shelf, anchor: Anchor, moments: Sequence[datetime], told: Sequence[Anchor]) -> bool:
    """Whether one without a row was made after a restore, and before another that has its row."""
    moment = max((one for one in moments if one < anchor.at), default=None)
    # One that found no deviation was made before any restore, or is told by the one after it.
    if moment is None or not anchor.deviations:
        return False
    since = [one.number for one in told if one.at > moment]
    if anchor.number > max(since, default=0):
        return False
    # Before the first of those it may as well be one that the restore took.
    return holds_all(place, anchor, moment if anchor.number < min(since) else None)


def last_kept(place: Shelf, history: History, known: Known, moment: datetime) -> int:
    """The last anchor all of which a database restored to that time holds; it knows of it, then."""
    tip = history.tip_at(moment)
    if not tip or tip in known.numbers:
        return tip
    # It may have been in the making, and part of what it saw may have been written after that time.
    anchor, before = history.anchors[tip].anchor, history.before(tip)
    if moment - anchor.at <= _LONGEST and (not before or before in known.numbers):
        return before
    # Its row may never have been written; what was written between the two times tells that it was restored to later.
    later = [line.anchor for number, line in sorted(history.anchors.items()) if number > tip]
    if holds_one_between(place, later, anchor.at, moment):
        return tip
    raise DoesNotFit(_unknown(anchor))


def tell_apart(history: History, aside: Sequence[Anchor], known: Known, moments: Sequence[datetime]) -> Aside:
    """Of the anchors set aside, each restore lost some, which the database does not know; those made after it, until
    the time of the next one, it knows. Raises DoesNotFit."""
    parts = [(is_known, list(some)) for is_known, some in groupby(aside, key=lambda one: one.number in known.numbers)]
    if parts[0][0]:
        raise DoesNotFit(_known(parts[0][1][0], known))
    gone, since = [some for _is, some in parts[::2]], [some for _is, some in parts[1::2]]
    if len(gone) > len(moments):
        hint = " If it was restored again after that, tell the time of that restore as well."
        raise DoesNotFit(_known(since[len(moments) - 1][0], known) + hint)
    if len(gone) < len(moments):
        raise DoesNotFit(f"No anchor was lost to a restore to {in_words(moments[len(gone)])}.")
    for before, lost, moment in zip(since, gone[1:], moments[1:], strict=False):
        if moment < before[-1].at:
            raise DoesNotFit(_known(before[-1], known))
        if moment - lost[0].at > _LONGEST:
            raise DoesNotFit(_unknown(lost[0]))
    of = {one.number: moment for some, moment in zip(gone, moments, strict=True) for one in some}
    return _aside(history, aside, of)


def _aside(history: History, aside: Sequence[Anchor], moments: Mapping[int, datetime]) -> Aside:
    gone = [one for one in aside if one.number in moments]
    elsewhere = [one for one in gone if history.left(one.number, moments[one.number])]
    since = [one for one in aside if one.number not in moments]
    return Aside([one for one in gone if one not in elsewhere], elsewhere, since, moments)


def _known(anchor: Anchor, known: Known) -> str:
    knows = "knows" if anchor.number in known.rows else "holds all that was seen by"
    return (
        f"The database {knows} anchor {anchor.number}, made at {in_words(anchor.at)}:"
        " it was not restored to a time before that."
    )


def _unknown(anchor: Anchor) -> str:
    return (
        f"The database does not know anchor {anchor.number}, made at {in_words(anchor.at)}:"
        " it was restored to a time before that."
    )
