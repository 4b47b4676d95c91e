"""Events that somebody hands in to be played instead of the stored ones: read line by line, each fault with its line.

They are kept as long as the simulation is at work, customer by customer; whom they are of, as an id made of theirs.
"""

import codecs
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
from django.utils.translation import gettext as _

from customers.ids import NIL
from customers.models import Job
from journeys.engine.arrivals import Arrival
from journeys.models import SimulatedEvents, Simulation

MOST_EVENTS: Final = 50_000
MOST_BYTES: Final = 10 * 1024 * 1024
_LONGEST_NAME: Final = 200
_LONGEST_ID: Final = 500


class NotAnEvent(ValueError):
    """Something that is no event: which of them, counted from 1, its field, and why."""

    def __init__(self, number: int, field: str, why: str) -> None:
        super().__init__(_("Line %(number)s: %(why)s") % {"number": number, "why": why})
        self.number, self.field, self.why = number, field, why


class TooManyEvents(ValueError):
    def __init__(self) -> None:
        super().__init__(_("At most %(most)s events can be handed in.") % {"most": f"{MOST_EVENTS:,}"})


def from_file(lines: Iterable[str | bytes], brand_id: UUID) -> list[Arrival]:
    """A JSON object a line, in any order of time: `event`, `user_id`, `occurred_at` and maybe `properties`.

    Raises NotAnEvent, TooManyEvents.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(read(_object(line, number), number, brand_id))
        if len(found) > MOST_EVENTS:
            raise TooManyEvents
    return found


def by_customer(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """Each customer's own, in the order of time, then of lines."""
    ordered = sorted(arrivals, key=lambda one: (one.customer_id, one.received_at, one.event_id))
    for _customer, own in groupby(ordered, key=attrgetter("customer_id")):
        yield list(own)


def _object(line: str | bytes, number: int) -> dict[str, Any]:
    try:
        said = orjson.loads(line.removeprefix(codecs.BOM_UTF8) if isinstance(line, bytes) else line)
    except orjson.JSONDecodeError:
        said = None
    if type(said) is not dict:
        raise NotAnEvent(number, "", _("it is no JSON object."))
    return said


def read(said: Mapping[str, Any], number: int, brand_id: UUID) -> Arrival:
    """The event that is said to have occurred; raises NotAnEvent."""
    name, user, properties = said.get("event"), said.get("user_id"), said.get("properties") or {}
    if type(name) is not str or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise NotAnEvent(number, "event", _("“event” is not the name of an event."))
    if type(user) not in (str, int) or not 0 < len(str(user)) <= _LONGEST_ID:
        raise NotAnEvent(number, "user_id", _("“user_id” does not say whose it is."))
    if type(properties) is not dict:
        raise NotAnEvent(number, "properties", _("“properties” is no object."))
    at, person = _moment(said.get("occurred_at"), number), uuid5(NIL, str(user))
    return _arrival(number, at, person, brand_id, name, properties)


def _moment(text: Any, number: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        moment = None
    if moment is None or not 1900 <= moment.year < 2200:
        raise NotAnEvent(number, "occurred_at", _("“occurred_at” is no moment as ISO 8601 writes it."))
    return moment


def _arrival(number: int, at: datetime, person: UUID, brand_id: UUID, name: str, properties: dict[str, Any]) -> Arrival:
    # The order of lines stands for that of message ids.
    return Arrival(0, number, at, at, person, brand_id, name, f"{number:020}", person, properties)


def keep(simulation: Simulation, arrivals: Iterable[Arrival]) -> None:
    lines = (
        orjson.dumps([one.customer_id, one.event_id, one.occurred_at, one.name, one.properties])
        for own in by_customer(arrivals)
        for one in own
    )
    SimulatedEvents.objects.create(simulation=simulation, data=b"\n".join(lines).decode())


def kept(simulation: Simulation, after: UUID | None = None) -> Iterator[list[Arrival]]:
    """Those within the span, customer by customer; of the customers behind `after`, where somebody has got so far."""
    brand_id, since, until = simulation.journey.brand_id, simulation.since, simulation.until
    found = (_again(line, brand_id) for line in simulation.events.data.splitlines())
    within = (one for one in found if since <= one.received_at <= until and (not after or one.customer_id > after))
    for _customer, own in groupby(within, key=attrgetter("customer_id")):
        yield list(own)


def _again(line: str, brand_id: UUID) -> Arrival:
    person, number, at, name, properties = orjson.loads(line)
    return _arrival(number, datetime.fromisoformat(at), UUID(person), brand_id, name, properties)


def forget(job: Job) -> None:
    """Take the events away; whoever is at work with them is no longer."""
    SimulatedEvents.objects.filter(simulation__job=job).delete()
