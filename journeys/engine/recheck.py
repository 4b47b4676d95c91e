"""Re-check: a run that has just parked looks back for events that were committed while it was on its way.

An event is committed before it is matched and a park is committed before it is re-checked; so whichever of the
two comes second sees the other, and no wake-up is lost (DESIGN §3).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.pg import raw_cursor
from customers.work import Queue, first_in_line, work_once
from journeys.engine.arrivals import Arrival, load_properties
from journeys.engine.asking import ask, of_entries
from journeys.engine.enroll import enter, open_gate
from journeys.engine.entries import Entries, live_entries
from journeys.engine.looking_back import glance, have_look_back, look_back
from journeys.engine.match import Table
from journeys.engine.runs import Began, RunState, lock_live, people_of
from journeys.engine.write import Work, write


def recheck(ids: Sequence[int], now: datetime) -> int:
    """Look back for these items' runs; return how many items are done.

    Mostly there is nothing to be found, and nothing is locked to learn that: the park is committed, so an event
    that this look misses finds the run parked when it is matched.
    """
    with raw_cursor() as cursor:
        parked = {
            row[0]
            for row in cursor.execute(
                "DELETE FROM journeys_recheck_queue WHERE id = ANY(%b) RETURNING run_id", [list(ids)]
            ).fetchall()
        }
        run_ids = glance(cursor, parked, now)
        moved = _settle(cursor, run_ids, now) if run_ids else set()
        if moved:
            have_look_back(cursor, moved)
    return len(ids) - len(moved)


def _settle(cursor: Cursor[Any], run_ids: Sequence[int], now: datetime) -> set[int]:
    """Lock the runs something was found for and let it happen; return those whose customer has just changed."""
    customers = _lock_customers(cursor, run_ids)
    live = lock_live(cursor, "id", run_ids)
    # A run that changed its customer between the two statements is left for the next pass.
    moved = {run.id for run, _began in live if run.customer_id not in customers}
    live = [pair for pair in live if pair[0].id not in moved]
    found = look_back(cursor, live)
    if found:
        work = Work()
        _replay(cursor, live, found, now, work)
        write(cursor, work, now)
    return moved


def _lock_customers(cursor: Cursor[Any], run_ids: Sequence[int]) -> set[UUID]:
    """The runs' customers, locked as match locks them: an entry may have to be considered again."""
    rows = cursor.execute(
        "SELECT id FROM customers_customer WHERE id IN (SELECT customer_id FROM journeys_run WHERE id = ANY(%b))"
        " ORDER BY id FOR NO KEY UPDATE",
        [list(run_ids)],
    ).fetchall()
    return {row[0] for row in rows}


def _replay(
    cursor: Cursor[Any],
    live: Sequence[tuple[RunState, Began]],
    found: dict[int, list[Arrival]],
    now: datetime,
    work: Work,
) -> None:
    """Give each run the first event that means something; a further wait is re-checked in its turn."""
    concerned = [(run, began) for run, began in live if run.id in found]
    arrivals = [arrival for events in found.values() for arrival in events]
    table = Table(cursor, arrivals, concerned, Entries(), now)
    again: list[tuple[RunState, Arrival]] = []
    for run, _began in concerned:
        for arrival in found[run.id]:
            if (run.id, arrival.event_id) in table.resumed:
                continue
            meaning = table.play(run, arrival, work)
            if meaning is not None:
                if meaning.kind == "exit":
                    again.append((run, arrival))
                break
    if again:
        _enter_again(cursor, again, now, work)


def _enter_again(cursor: Cursor[Any], ended: Sequence[tuple[RunState, Arrival]], now: datetime, work: Work) -> None:
    """The event that ended a run may have been refused as an entry because that run was live; ask anew."""
    entries = live_entries()
    asked = {
        (arrival.event_id, candidate): arrival
        for run, arrival in ended
        for candidate in entries.of(arrival.brand_id, arrival.name)
        if candidate.journey_id == run.version.journey_id
    }
    if not asked:
        return
    load_properties(cursor, list(asked.values()))
    asked = {
        (id_, candidate): arrival
        for (id_, candidate), arrival in asked.items()
        if candidate.lets_in_by(arrival.name, arrival.properties)
    }
    customers = list({arrival.customer_id for arrival in asked.values()})
    candidates = {(arrival.customer_id, candidate) for (_id, candidate), arrival in asked.items()}
    gate = open_gate(cursor, candidates, now, entries)
    people = ask(cursor, people_of(cursor, customers), of_entries(candidates), now)
    ended_ids = {run.id for run, _arrival in ended}
    runs: dict[UUID, list[RunState]] = defaultdict(list)
    for other, _began in lock_live(cursor, "customer_id", customers):
        if other.id not in ended_ids:
            runs[other.customer_id].append(other)
    for (_event_id, candidate), arrival in asked.items():
        customer = arrival.customer_id
        enter(arrival, [candidate], runs[customer], gate, people, now, work)


QUEUE = Queue(
    name="recheck",
    table="journeys_recheck_queue",
    pick=first_in_line("recheck", "journeys_recheck_queue"),
    work=recheck,
)


def recheck_parked(now: datetime, limit: int = 1000) -> int:
    return work_once(QUEUE, now, limit)
