"""Events on their way to the runs, and what makes one mean something to a run."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.registry import shapes
from customers.rules import Facts
from journeys.engine.runs import Began, RunState
from journeys.version import Meaning

_SAID = """
    SELECT p.event_id, coalesce(p.payload -> 'properties', p.payload -> 'traits'), NULL::bigint
    FROM unnest(%b::bigint[], %b::timestamptz[]) AS u(event_id, received_at)
    JOIN customers_eventpayload p ON p.event_id = u.event_id AND p.received_at = u.received_at
"""
_SAID_BY_VERSION = """
    SELECT p.event_id, coalesce(p.payload -> 'properties', p.payload -> 'traits'), e.schema_version_id
    FROM unnest(%b::bigint[], %b::timestamptz[]) AS u(event_id, received_at)
    JOIN customers_eventpayload p ON p.event_id = u.event_id AND p.received_at = u.received_at
    JOIN customers_event e ON e.id = u.event_id AND e.received_at = u.received_at
"""


@dataclass(slots=True)
class Arrival:
    """A committed event; `item_id` is its row in the match queue, 0 when found by looking back."""

    item_id: int
    event_id: int
    received_at: datetime
    occurred_at: datetime
    profile_id: UUID
    brand_id: UUID
    name: str
    message_id: str
    customer_id: UUID
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[datetime, str]:
        """Where it stands in time. A clock that is ahead is not believed: nothing occurs after its receipt."""
        return min(self.occurred_at, self.received_at), self.message_id


def load_properties(cursor: Cursor[Any], arrivals: Collection[Arrival]) -> None:
    """Fetch the properties of these events; erased payloads leave none."""
    if not arrivals:
        return
    # Looking back finds one event for each run that may want it.
    by_id: dict[int, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_id[arrival.event_id].append(arrival)
    # Where nothing is upcast, no event's version is asked for.
    statement = _SAID_BY_VERSION if shapes.chains() else _SAID
    places = [list(by_id), [same[0].received_at for same in by_id.values()]]
    for event_id, properties, version_id in cursor.execute(statement, places, prepare=True).fetchall():
        said = shapes.said(properties, version_id)
        for arrival in by_id[event_id]:
            arrival.properties = said


def in_window(run: RunState, began: Began, arrival: Arrival, meaning: Meaning) -> bool:
    """Whether the event counts for this wait (DESIGN §4).

    It occurred after the entry (at one instant, the greater message id is later), is not the entry itself, and,
    for a branch of a hold, was received by the deadline; `since: step` narrows it to the wait itself, as a reset is.
    An exit may count for a while after the entry only, the end of that while included; and no event ends a run that
    its age has ended.
    """
    if arrival.event_id == began.event_id:
        return False
    if arrival.place <= (began.occurred_at, began.message_id):
        return False
    if meaning.kind == "exit":
        if run.had_ended_by(arrival.received_at):
            return False
        return meaning.within is None or arrival.place[0] <= began.occurred_at + meaning.within
    if run.due_at is not None and arrival.received_at > run.due_at:
        return False
    if meaning.kind == "reset":
        return arrival.place[0] > run.stepped_at
    return not run.version.looks_back_to_step(run.step) or arrival.place[0] > run.stepped_at


def meaning_for(run: RunState, began: Began, arrival: Arrival, traits: Mapping[str, Any]) -> Meaning | None:
    """The first thing this event means to the run where it stands, or None."""
    if arrival.brand_id != run.version.brand_id:
        return None
    facts = Facts(traits=traits, properties=arrival.properties)
    for meaning in run.version.meaning(run.step, arrival.name):
        if meaning.kind != "kept" and in_window(run, began, arrival, meaning) and meaning.applies(run.entry_key, facts):
            return meaning
    return None


def best_of(run: RunState, began: Began, arrivals: Iterable[Arrival], person: Facts) -> tuple[Meaning, Arrival] | None:
    """Of what came to a hold that takes the best, the branch that stands first, and the event that came first for it;
    or None."""
    best: tuple[Meaning, Arrival] | None = None
    for arrival in arrivals:
        facts = Facts(traits=person.traits, properties=arrival.properties)
        for meaning in run.version.meaning(run.step, arrival.name):
            is_better = meaning.kind == "kept" and (best is None or meaning.number < best[0].number)
            if is_better and in_window(run, began, arrival, meaning) and meaning.applies(run.entry_key, facts):
                best = meaning, arrival
    return best
