"""Run a simulation: events in, a tally and what could not be known out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext as _

from consent.permission import Choice, Want
from journeys.engine.arrivals import Arrival
from journeys.engine.walk import Send
from journeys.simulation.events import together
from journeys.simulation.life import Past, live
from journeys.simulation.past import Assumed
from journeys.simulation.tally import Tally
from journeys.version import Version

_Asked = tuple[Want, datetime]


class Records(Past, Protocol):
    """A past that is read for many customers at once."""

    def read(self, asked: Iterable[_Asked], customers: Sequence[UUID]) -> None: ...

    def read_members(self, customers: Sequence[UUID], segments: Collection[UUID]) -> None: ...

    def sent(self, asked: Sequence[_Asked]) -> list[list[Choice]]: ...


@dataclass(frozen=True, slots=True)
class Simulated:
    tally: Tally
    # In words: on what the numbers rest that nobody knows for sure.
    unknown: list[str]


def simulate(version: Version, customers: Iterable[Sequence[Arrival]], records: Records, until: datetime) -> Simulated:
    """What the version would have done with these events, customer by customer; time runs on to `until`."""
    tally = Tally(version)
    entry, guard = version.definition.entry.event, version.entry_guard
    for some in together(customers):
        entries = [one for events in some for one in events if one.name == entry]
        asked = ((Want(one.customer_id, *guarded), one.received_at) for one in entries for guarded in guard)
        records.read(asked, [events[0].customer_id for events in some] if _looks_at_people(version) else [])
        if version.excluded is not None:
            records.read_members([events[0].customer_id for events in some], [version.excluded])
        lives = [live(version, events, records, until) for events in some]
        for life in lives:
            tally.add(life)
        sends = [pair for life in lives for pair in life.sends]
        for (_at, send), choices in zip(sends, records.sent([_asked(*pair) for pair in sends]), strict=True):
            tally.message(send, choices)
        tally.customers += len(some)
        tally.events += sum(map(len, some))
    return Simulated(tally, list(_unknown(version, records)))


def _looks_at_people(version: Version) -> bool:
    return version.needs_person or version.entry_rule is not None


def _asked(at: datetime, send: Send) -> _Asked:
    sending = send.run.version.sendings[send.step]
    return Want(send.run.customer_id, sending.channel, sending.purpose_id), at


def _unknown(version: Version, records: Records) -> Iterator[str]:
    if isinstance(records, Assumed):
        yield _("Whether people had agreed, and what was known of them: everybody is taken to have agreed.")
    else:
        yield _("Who was known to be the same person then: people are taken as they are known today.")
        yield _("Which addresses were known then: those that are known today are used.")
    if version.excluded is not None and isinstance(records, Assumed):
        yield _("Who was in the segment that is kept out: nobody is taken to have been.")
    if version.is_marketing:
        yield _("In which other journeys people were: the brand’s cap of journeys at once is left out.")
    yield _("What people would have done had they been sent something else.")
    yield _("Runs that had begun before the first event looked at.")
