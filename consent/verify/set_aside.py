"""What anchors saw that a restore sets aside, beside what the database holds in its place.

Whatever was written before the time restored to is there as it was, or was never committed by then; whatever came
after is gone, and its place is free or taken by something written since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby, islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from consent.anchors.line import Anchor
from consent.anchors.notices import published
from consent.anchors.records import Chain, Ledger, Witness
from consent.anchors.shelf import Shelf
from consent.models import NoticeVersion
from customers.pg import raw_cursor

_AT_ONCE: Final = 5_000

_CONSENT: Final = """
    SELECT e.address_id, e.position, e.id, e.digest, e.recorded_at
    FROM unnest(%b::uuid[], %b::int[]) AS u(id, position)
    JOIN consent_consententry e ON e.address_id = u.id AND e.position = u.position
"""
_AUDIT: Final = """
    SELECT e.day, e.position, e.id, e.digest, e.at FROM unnest(%b::date[], %b::int[]) AS u(day, position)
    JOIN customers_auditentry e ON e.day = u.day AND e.position = u.position
"""


class Contradiction(Exception):
    """The database holds what it would not hold had it been restored to that time."""


@dataclass(slots=True)
class Seen:
    """How many of the entries that were set aside are gone, and how many are there, by ledger."""

    gone: dict[Ledger, int] = field(default_factory=lambda: dict.fromkeys(Ledger, 0))
    there: dict[Ledger, int] = field(default_factory=lambda: dict.fromkeys(Ledger, 0))


class Found(NamedTuple):
    """What stands at an entry's place, and when it was written there."""

    entry_id: int
    digest: bytes
    at: datetime


_Place = tuple[Chain, int]


@dataclass(frozen=True, slots=True)
class Aside:
    """The anchors set aside: those whose entries were `lost`, those whose entries came of another past (`elsewhere`),
    and those made `since` the restore, who saw what is all there. `moments` tells by the number of an anchor whose
    entries are gone to what time the restore went that took them."""

    lost: Sequence[Anchor]
    elsewhere: Sequence[Anchor]
    since: Sequence[Anchor]
    moments: Mapping[int, datetime]


def look_for(place: Shelf, aside: Aside) -> Seen:
    """Go through all that these anchors saw; raises Contradiction."""
    seen = Seen()
    for anchors, is_of_this_past in ((aside.lost, True), (aside.elsewhere, False)):
        for moment, gone in groupby(anchors, key=lambda one: aside.moments[one.number]):
            _look_for_gone(place, list(gone), moment, seen, is_of_this_past=is_of_this_past)
    for witness, found in _beside(_witnessed(place, aside.since)):
        if found is None or not _is(witness, found):
            raise Contradiction(f"{_named(witness)} was anchored since the restore, and is no longer what it was.")
        seen.there[witness.chain.ledger] += 1
    return seen


def holds_all(place: Shelf, anchor: Anchor, later_than: datetime | None) -> bool:
    """Whether all that it saw is there as it was, some of it written later than that time."""
    is_later = later_than is None
    for witness, found in _beside(_witnessed(place, [anchor])):
        if found is None or not _is(witness, found):
            return False
        is_later = is_later or later_than is None or found.at > later_than
    return is_later


def holds_one_between(place: Shelf, anchors: Sequence[Anchor], after: datetime, until: datetime) -> bool:
    """Whether anything that these saw is there as it was, and was written between these times."""
    there = _beside(_witnessed(place, anchors))
    return any(found is not None and _is(witness, found) and after < found.at <= until for witness, found in there)


def _look_for_gone(
    place: Shelf, anchors: Sequence[Anchor], moment: datetime, seen: Seen, *, is_of_this_past: bool
) -> None:
    for witness, found in _beside(_witnessed(place, anchors)):
        is_same = found is not None and _is(witness, found)
        if found is not None and is_same != (found.at <= moment) and (is_same or is_of_this_past):
            raise Contradiction(_contradiction(witness, found, is_same=is_same))
        counts = seen.there if is_same else seen.gone
        counts[witness.chain.ledger] += 1


def _witnessed(place: Shelf, anchors: Sequence[Anchor]) -> Iterator[Witness]:
    return (witness for witness, _number in place.witnesses((one.number, one.segment) for one in anchors))


def _beside(witnesses: Iterable[Witness]) -> Iterator[tuple[Witness, Found | None]]:
    with raw_cursor() as cursor:
        for ledger, of_ledger in groupby(witnesses, key=lambda one: one.chain.ledger):
            while some := list(islice(of_ledger, _AT_ONCE)):
                there = _READ[ledger](cursor, some)
                yield from ((witness, there.get((witness.chain, witness.position))) for witness in some)


def _consents(cursor: Cursor[Any], some: Sequence[Witness]) -> dict[_Place, Found]:
    asked = [[UUID(bytes=one.key) for one in some], [one.position for one in some]]
    rows = cursor.execute(_CONSENT, asked).fetchall()
    return {(Chain.of_address(address), position): _found(*row) for address, position, *row in rows}


def _audited(cursor: Cursor[Any], some: Sequence[Witness]) -> dict[_Place, Found]:
    days = [date.fromordinal(int.from_bytes(one.key, "big")) for one in some]
    rows = cursor.execute(_AUDIT, [days, [one.position for one in some]]).fetchall()
    return {(Chain.of_day(day), position): _found(*row) for day, position, *row in rows}


def _notices(cursor: Cursor[Any], some: Sequence[Witness]) -> dict[_Place, Found]:
    ids = [one.entry_id for one in some]
    times = dict(NoticeVersion.objects.filter(pk__in=ids).values_list("pk", "published_at"))
    there = {one.version_id: one.digest for one in published(cursor)}
    return {
        (Chain.of_notice(id_), 1): Found(id_, there[id_], at)
        for id_, at in times.items()
        if id_ in there and at is not None
    }


_READ: Final = {Ledger.CONSENT: _consents, Ledger.AUDIT: _audited, Ledger.NOTICE: _notices}


def _found(entry_id: int, digest: Any, at: datetime) -> Found:
    return Found(entry_id, bytes(digest), at)


def _is(witness: Witness, found: Found) -> bool:
    return (witness.entry_id, witness.digest) == (found.entry_id, found.digest)


def _contradiction(witness: Witness, found: Found, *, is_same: bool) -> str:
    at = f"{found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    if is_same:
        return f"{_named(witness)} is still there, written at {at}: the database was not restored to a time before."
    return f"{_named(witness)} is another than was anchored, and says it was written at {at}, before that time."


def _named(witness: Witness) -> str:
    name = witness.chain.ledger.name.lower()
    return f"{name} entry {witness.entry_id} (chain {witness.chain}, position {witness.position})"
