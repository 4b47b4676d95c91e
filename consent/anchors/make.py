"""Make an anchor: of every chain its end, of every entry since the last anchor its hash."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db import transaction
from psycopg import Cursor

from consent.anchors import ends
from consent.anchors import line as lines
from consent.anchors.ends import End, Grown
from consent.anchors.history import History, read_history
from consent.anchors.line import Anchor, Counts, Line
from consent.anchors.merkle import Tree
from consent.anchors.records import Chain, Head, Ledger, Witness, heads_of, pack_head, pack_witness
from consent.anchors.shelf import Busy, Draft, Shelf, shelf
from consent.models import LedgerAnchor
from customers.ids import hash64
from customers.pg import raw_cursor

_LOCK: Final = hash64("ledger anchor")


def make_anchor(now: datetime) -> Anchor | None:
    """Anchor the ledgers as they are; None if somebody else is at it.

    The line is what makes it an anchor: whatever dies before it leaves the last one as it was.
    """
    place = shelf()
    try:
        with transaction.atomic(), alone(), place.held():
            return anchor_held(place, now)
    except Busy:
        return None


@contextmanager
def alone() -> Iterator[None]:
    """Be the only host that makes an anchor, in this transaction; raises Busy. The folder has a lock of its own for
    those who come by another database."""
    with raw_cursor() as cursor:
        [[is_ours]] = cursor.execute("SELECT pg_try_advisory_xact_lock(%b)", [_LOCK]).fetchall()
    if not is_ours:
        raise Busy
    yield


def anchor_held(place: Shelf, now: datetime) -> Anchor:
    """Make the anchor, with the locks of host and folder taken."""
    with raw_cursor() as cursor:
        anchor, untold = _anchor(cursor, place, now)
    for one in (*untold, anchor):
        _note(one)
    return anchor


def _anchor(cursor: Cursor[Any], place: Shelf, now: datetime) -> tuple[Anchor, list[Anchor]]:
    """The anchor, and those before it whose rows are missing though the database holds all that they saw."""
    last, history = place.last(), read_history(place)
    ours, told = last.anchor.number if last else 0, _told()
    # A number is never given twice, so that a folder whose last lines were cut off shows the gap for ever.
    number = max(ours, told) + 1
    with place.draft(number, now) as draft:
        walk = _Walk(draft, _Anchored(_heads(place, history, last)))
        walk.through(cursor)
    anchor = Anchor(
        number=number,
        at=now,
        root=walk.tree.root(),
        counts=walk.counts(),
        segment=draft.segment,
        heads=draft.heads.digest,
        deviations=walk.deviations + (told > ours) + _names_one_gone(last, history),
        previous=last.digest if last else lines.FIRST,
        restore=history.restores[-1].digest if history.restores else None,
    )
    place.append_line(lines.write(anchor))
    place.forget_heads(before=number)
    return anchor, [] if walk.deviations else _untold(history, ours)


def _told() -> int:
    """The last anchor that the database knows of."""
    return LedgerAnchor.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _untold(history: History, last: int) -> list[Anchor]:
    """Those in force without a row."""
    told = set(LedgerAnchor.objects.values_list("number", flat=True))
    return [history.anchors[number].anchor for number in history.in_force(history.tip(last)) if number not in told]


def _note(anchor: Anchor) -> None:
    """For the staff pages, and for whoever notes a restore; a row that is missing since its writer died is written by
    the next."""
    counts = anchor.counts
    LedgerAnchor.objects.update_or_create(
        number=anchor.number,
        defaults={
            "at": anchor.at,
            "root": anchor.root,
            "chains": counts.chains,
            "entries": counts.entries,
            "days": counts.days,
            "audit_entries": counts.audit_entries,
            "notices": counts.notices or 0,
            "deviations": anchor.deviations,
        },
    )


def _names_one_gone(last: Line | None, history: History) -> bool:
    """Whether the last anchor names a restore that is not in the folder."""
    named = last.anchor.restore if last else None
    return named is not None and named not in {noted.digest for noted in history.restores}


def _heads(place: Shelf, history: History, last: Line | None) -> Iterator[Head]:
    """The heads of the last anchor in force; put together anew where a restore was noted since, or where their file is
    not what it was."""
    if last is None:
        return iter(())
    tip = history.tip(last.anchor.number)
    if tip == last.anchor.number:
        kept = place.read_heads(tip, last.anchor.heads)
        if kept is not None:
            return kept
    known = [(number, history.anchors[number].anchor.segment) for number in history.in_force(tip)]
    return heads_of(witness for witness, _number in place.witnesses(known))


class _Anchored:
    """The heads of the last anchor, taken off as far as a chain at a time."""

    def __init__(self, heads: Iterator[Head]) -> None:
        self._heads = heads
        self._next = next(heads, None)

    def up_to(self, last: Chain | None) -> dict[Chain, Head]:
        """Those up to this chain; the rest when it is None."""
        taken: dict[Chain, Head] = {}
        while self._next is not None and (last is None or self._next.chain <= last):
            taken[self._next.chain] = self._next
            self._next = next(self._heads, None)
        return taken


class _Walk:
    """Goes through all chains once, in their order, and writes down what is new."""

    def __init__(self, draft: Draft, anchored: _Anchored) -> None:
        self.tree = Tree()
        self.deviations = 0
        self._draft = draft
        self._anchored = anchored
        self._chains = dict.fromkeys(Ledger, 0)
        self._entries = dict.fromkeys(Ledger, 0)

    def through(self, cursor: Cursor[Any]) -> None:
        for batch in ends.batches(cursor):
            self._take(cursor, batch, self._anchored.up_to(batch[-1].chain))
        self._take(cursor, [], self._anchored.up_to(None))

    def counts(self) -> Counts:
        return Counts(
            chains=self._chains[Ledger.CONSENT],
            entries=self._entries[Ledger.CONSENT],
            days=self._chains[Ledger.AUDIT],
            audit_entries=self._entries[Ledger.AUDIT],
            notices=self._chains[Ledger.NOTICE],
        )

    def _take(self, cursor: Cursor[Any], batch: Sequence[End], known: dict[Chain, Head]) -> None:
        present = {end.chain: end for end in batch}
        grown = [
            Grown(end.chain, known[end.chain].length if end.chain in known else 0, end.length)
            for end in batch
            if end.chain not in known or end.length > known[end.chain].length
        ]
        new = {
            key: list(entries) for key, entries in groupby(ends.entries_of(cursor, grown), key=lambda one: one.chain)
        }
        for chain in sorted(present.keys() | known.keys()):
            self._keep(known.get(chain), present.get(chain), new.get(chain, []))

    def _keep(self, anchored: Head | None, end: End | None, entries: Sequence[Witness]) -> None:
        """What was anchored stays anchored, whatever the chain says now; that they differ is counted."""
        fresh = [one for one in entries if anchored is None or one.position > anchored.length]
        for one in fresh:
            self._draft.entries.write(pack_witness(*one))
        self.deviations += not _follows(anchored, end, entries)
        head = Head(*fresh[-1][:3], fresh[-1].digest) if fresh else anchored
        if head is not None:
            record = pack_head(*head)
            self._draft.heads.write(record)
            self.tree.add(record)
            self._chains[head.chain.ledger] += 1
            self._entries[head.chain.ledger] += head.length


def _follows(anchored: Head | None, end: End | None, entries: Sequence[Witness]) -> bool:
    """Whether the chain begins with what was anchored, and ends where its row says."""
    if end is None:
        return False
    before = 0 if anchored is None else anchored.length
    if end.length <= before:
        return anchored is not None and (end.length, end.digest) == (anchored.length, anchored.digest)
    if anchored is not None and (not entries or entries[0].digest != anchored.digest):
        return False
    positions = [one.position for one in entries]
    first = 1 if anchored is None else before
    return positions == list(range(first, end.length + 1)) and entries[-1].digest == end.digest
