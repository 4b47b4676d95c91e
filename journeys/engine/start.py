"""A run started or ended at somebody's call: the same checks and the same moves as by an event, at once.

What the caller asked for is itself an event of their source, so that a run says what it began and ended with, and a
refused entry what was refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from customers import bells
from customers.pg import raw_cursor
from customers.rules import Facts
from customers.told import Happening, tell
from journeys.compiling import version
from journeys.engine.arrivals import Arrival
from journeys.engine.asking import ask, of_entries
from journeys.engine.enroll import enter, open_gate, rule_not_met
from journeys.engine.entries import SAID_BESIDE, Entries
from journeys.engine.on_their_way import moving_customers, oldest_unresolved
from journeys.engine.runs import RunState, lock_live, people_of
from journeys.engine.walk import leave
from journeys.engine.write import Work, write
from journeys.models import EntryRefusal, Journey, Run
from journeys.version import EndState, Version

START_ASKED = "run.start_requested"
EXIT_ASKED = "run.exit_requested"

_LOCK = """
    SELECT c.id FROM customers_profile p JOIN customers_customer c ON c.id = p.customer_id WHERE p.id = %b
    FOR NO KEY UPDATE OF c
"""
_HOME = "SELECT customer_id FROM customers_profile WHERE id = %b"
_PENDING = """
    SELECT 1 FROM customers_profile p WHERE p.customer_id = %b AND (
        EXISTS (SELECT 1 FROM consent_queue q WHERE q.profile_id = p.id)
        OR EXISTS (SELECT 1 FROM customers_match_queue q WHERE q.profile_id = p.id)
    ) LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by the first characters of which token, and of whom: a profile that the source has named before."""

    brand_id: UUID
    source_id: UUID
    profile_id: UUID
    message_id: str
    token: str

    def happening(self, name: str, properties: dict[str, Any]) -> Happening:
        return Happening(name, self.brand_id, self.source_id, self.profile_id, self.message_id, properties, self.token)


class Busy(Exception):
    """What came earlier of this person is still being worked on; a moment later it will not be."""


class NotStartable(Exception):
    """The journey is not live, or does not let callers start it."""


class NotEndable(Exception):
    """The run cannot end so; `code` is run_ended, unknown_state or illegal_transition."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def start(journey_id: UUID, caller: Caller, properties: Mapping[str, Any], now: datetime) -> Run | EntryRefusal:
    """Start a run as the journey's entry event with these properties would, or keep why not.

    Raises NotStartable, or Busy rather than overtake what came before: a grant, say, that would let the person in.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        candidate, entries = startable(journey_id, caller.brand_id)
        customer = _lock_customer(cursor, caller.profile_id, now)
        said = dict(properties)
        event_id = tell(cursor, caller.happening(START_ASKED, said), now)
        arrival = Arrival(
            0, event_id, now, now, caller.profile_id, caller.brand_id, START_ASKED, caller.message_id, customer, said
        )
        work = Work()
        _try(cursor, arrival, candidate, entries, now, work)
        write(cursor, work, now)
        if work.parked:
            bells.ring("engine")
        if work.refusals:
            return EntryRefusal.objects.get(journey_id=journey_id, profile_id=caller.profile_id, event_id=event_id)
        return Run.objects.select_related("journey", "version").get(pk=work.entered[0].id)


def end(run_id: int, caller: Caller, state: str | None, reason: str, now: datetime) -> Run:
    """End a live run where it stands, in an end state of its journey or in the state it is in; raises NotEndable."""
    with transaction.atomic(), raw_cursor() as cursor:
        live = lock_live(cursor, "id", [run_id])
        if not live:
            raise NotEndable("run_ended")
        run = live[0][0]
        ending = EndState(_end_state(run, state))
        said = {"run": run_id} | ({"reason": reason} if reason else {})
        event_id = tell(cursor, caller.happening(EXIT_ASKED, said), now)
        work = Work()
        leave(run, ending, Facts(), now, work, (event_id, now))
        write(cursor, work, now)
    return Run.objects.select_related("journey", "version").get(pk=run_id)


def startable(journey_id: UUID, brand_id: UUID) -> tuple[Version, Entries]:
    """Its live version, and what is said of it beside; raises NotStartable."""
    live = Journey.objects.filter(pk=journey_id, brand_id=brand_id, status=Journey.Status.LIVE)
    id_, *said = live.values_list("live_version_id", *SAID_BESIDE).first() or (None,)
    if id_ is None or not version(id_).definition.entry.api:
        raise NotStartable
    entries = Entries()
    entries.add(version(id_), *said)
    return version(id_), entries


def _lock_customer(cursor: Cursor[Any], profile_id: UUID, now: datetime) -> UUID:
    """Lock the profile's customer as match does; raises Busy while something older concerns them."""
    rows = cursor.execute(_LOCK, [profile_id]).fetchall()
    home = cursor.execute(_HOME, [profile_id]).fetchone()
    if not rows or home is None or home[0] != rows[0][0]:
        raise Busy
    customer: UUID = rows[0][0]
    # From the beginning of an event's way to its end: what leaves one tray meanwhile is seen in the next.
    unresolved = oldest_unresolved(cursor, [customer], now)
    if unresolved or cursor.execute(_PENDING, [customer]).fetchone() or customer in moving_customers(cursor):
        raise Busy
    return customer


def _try(
    cursor: Cursor[Any], arrival: Arrival, candidate: Version, entries: Entries, now: datetime, work: Work
) -> None:
    customer = arrival.customer_id
    people = ask(cursor, people_of(cursor, [customer]), of_entries([(customer, candidate)]), now)
    rule = candidate.entry_rule
    if rule is not None and not rule.holds(people.facts(customer, candidate, arrival.properties)):
        work.refusals.append(rule_not_met(arrival, candidate))
        return
    runs = [run for run, _began in lock_live(cursor, "customer_id", [customer])]
    gate = open_gate(cursor, {(customer, candidate)}, now, entries)
    work.choices.update(gate.choices)
    enter(arrival, [candidate], runs, gate, people, now, work)


def _end_state(run: RunState, name: str | None) -> int:
    if name is None:
        return run.state
    states = run.version.definition.states
    number = next((n for n, state in enumerate(states) if state.name == name), None)
    if number is None or states[number].kind not in ("success", "failure"):
        raise NotEndable("unknown_state")
    if number != run.state and (run.state, number) not in run.version.legal:
        raise NotEndable("illegal_transition")
    return number
