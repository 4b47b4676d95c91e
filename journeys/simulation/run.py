"""Run a simulation: events in, a tally and what could not be known out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db.models import Q

from channels.models import PacingPolicy
from channels.reached import reached
from consent.models import Preference, Purpose
from consent.permission import Choice, Want
from journeys.engine.arrivals import Arrival
from journeys.engine.walk import Send
from journeys.entry.names import CALLED
from journeys.simulation.asking import Unread
from journeys.simulation.events import together
from journeys.simulation.life import Life, Past, live
from journeys.simulation.pacing import Pacing
from journeys.simulation.past import Assumed
from journeys.simulation.replies import NOTHING_SAID, Replies
from journeys.simulation.tally import Tally
from journeys.simulation.unknown import Unknown, unknown
from journeys.version import Version

_Asked = tuple[Want, datetime]


class Records(Past, Protocol):
    """A past that is read for many customers at once."""

    def read(self, asked: Iterable[_Asked], customers: Sequence[UUID]) -> None: ...

    def read_more(self, asked: Iterable[_Asked]) -> None: ...

    def read_segments(self, brand_id: UUID, keys: Collection[str], customers: Sequence[UUID]) -> None: ...

    def read_held(self, version: Version, customers: Sequence[UUID]) -> None: ...

    def sent(self, asked: Sequence[_Asked]) -> list[list[Choice]]: ...


@dataclass(frozen=True, slots=True)
class Simulated:
    tally: Tally
    unknown: list[Unknown]


def simulate(
    version: Version,
    customers: Iterable[Sequence[Arrival]],
    records: Records,
    until: datetime,
    replies: Replies = NOTHING_SAID,
) -> Simulated:
    """What the version would have done with these events, customer by customer; time runs on to `until`, and other
    systems say `replies`."""
    tally = Tally(version)
    for some in together(customers):
        play(tally, some, records, until, replies)
    return Simulated(tally, unknown_to(version, records))


def play(
    tally: Tally,
    some: Sequence[Sequence[Arrival]],
    records: Records,
    until: datetime,
    replies: Replies = NOTHING_SAID,
) -> None:
    """Add what the version would have done with the events of some customers, whose records are read at once."""
    version = tally.version
    entry, guard = version.entry_event, version.entry_guard
    entries = [one for events in some for one in events if one.name in (entry, CALLED)]
    asked = ((Want(one.customer_id, *guarded), one.received_at) for one in entries for guarded in guard)
    customers = [events[0].customer_id for events in some]
    pacing = Pacing.of(version, min(events[0].received_at for events in some), until)
    records.read(asked, customers if pacing.spells or _looks_at_people(version) else [])
    if segments := _segments(version):
        records.read_segments(version.brand_id, segments, customers)
    if version.asks.held:
        records.read_held(version, customers)
    lives = _lives(version, some, records, until, replies)
    for life in lives:
        tally.add(life)
    sends = [pair for life in lives for pair in life.sends]
    sendings = [version.sendings[send.step] for _at, send in sends]
    found = reached(sendings, records.sent([_asked(*pair) for pair in sends]))
    fates = pacing.fates(version, sends, found, records)
    for (at, send), choices, theirs in zip(sends, found, fates, strict=True):
        tally.message(at, send, choices, theirs)
    tally.customers += len(some)
    tally.events += sum(map(len, some))


def _segments(version: Version) -> frozenset[str]:
    """Keys of the segments that entry or a rule asks for."""
    excluded = version.definition.entry.exclude
    return version.asks.segments | ({excluded} if excluded else frozenset())


def _lives(
    version: Version, some: Sequence[Sequence[Arrival]], records: Records, until: datetime, replies: Replies
) -> list[Life]:
    """The lives of these customers. Which permissions rules ask for is known once they are asked: those lives are
    played again with what they asked for, all together, until nothing is missing."""
    lives: dict[int, Life] = {}
    while len(lives) < len(some):
        asked: list[_Asked] = []
        for n, events in enumerate(some):
            if n not in lives:
                try:
                    lives[n] = live(version, events, records, until, replies=replies)
                except Unread as unread:
                    asked.append(unread.asked)
        records.read_more(asked)
    return [lives[n] for n in range(len(some))]


def _looks_at_people(version: Version) -> bool:
    return version.needs_person or version.entry_rule is not None


def _asked(at: datetime, send: Send) -> _Asked:
    sending = send.run.version.sendings[send.step]
    return Want(send.run.customer_id, sending.channel, sending.purpose_id), at


def unknown_to(version: Version, records: Records) -> list[Unknown]:
    """On what the numbers rest that nobody knows for sure."""
    is_assumed = isinstance(records, Assumed)
    is_paced = (
        bool(version.sendings) and PacingPolicy.objects.filter(Q(brand=None) | Q(brand=version.brand_id)).exists()
    )
    segments = bool(_segments(version))
    less = _is_wanted_less(version)
    return list(unknown(version, is_assumed=is_assumed, asks_segments=segments, is_paced=is_paced, is_wanted_less=less))


def _is_wanted_less(version: Version) -> bool:
    """Whether it sends marketing, and anybody has it no oftener than every so many days: since when, nothing tells."""
    purposes = {sending.purpose_id for sending in version.sendings.values()}
    return (
        Purpose.objects.filter(pk__in=purposes, kind=Purpose.Kind.MARKETING).exists()
        and Preference.objects.filter(brand=version.brand_id, every_days__gt=0).exists()
    )
