"""Again: runs that were given up go on from where they stood, once what was wrong with them is mended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from consent.privacy.restricting import restricted
from customers import dead_letters
from customers.pg import raw_cursor
from journeys.engine import advance
from journeys.engine.looking_back import have_look_back
from journeys.engine.runs import RunState, lock_given_up
from journeys.engine.walk import Moved, wait_until
from journeys.engine.write import Work, write
from journeys.models import Cause, Halt, Run

# As match locks them: nobody begins a run of the same key meanwhile.
_LOCK_CUSTOMERS: Final = """
    SELECT id FROM customers_customer WHERE id IN (SELECT customer_id FROM journeys_run WHERE id = ANY(%b))
    ORDER BY id FOR NO KEY UPDATE
"""
_LIVE: Final = "SELECT customer_id, journey_id, entry_key FROM journeys_run WHERE customer_id = ANY(%b) AND status = 1"
_DUE: Final = """
    SELECT DISTINCT ON (unit_id) unit_id, (row ->> 'due_at')::timestamptz FROM customers_deadletter
    WHERE queue = %b AND unit_id = ANY(%b) AND replayed_at IS NULL ORDER BY unit_id, id DESC
"""
_STOPPED: Final = f"SELECT journey_id FROM journeys_halt WHERE resumed_at IS NULL AND waiting = '{Halt.Waiting.END}'"


def take_up(ids: Sequence[int], now: datetime) -> int:
    """Have these runs, which were given up, go on; return how many do.

    They are as late as they are: what came due meanwhile is due at once, and a message that is too late is not sent.
    A run stays as it is where another of its key lives by now, its journey was stopped, or nobody may be in one.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        found = list(ids)
        due = dict(cursor.execute(_DUE, [advance.QUEUE.name, found]).fetchall())
        going = go_on(cursor, found, due, now)
        dead_letters.close(advance.QUEUE.name, going, now)
    return len(going)


def go_on(cursor: Cursor[Any], ids: Sequence[int], due: Mapping[int, datetime | None], now: datetime) -> list[int]:
    """Those of the runs that go on, each due when it says, or else at once."""
    customers = {row[0] for row in cursor.execute(_LOCK_CUSTOMERS, [list(ids)]).fetchall()}
    runs = [run for run in lock_given_up(cursor, ids) if run.customer_id in customers]
    runs = _who_may(cursor, runs)
    if not runs:
        return []
    found = [run.id for run in runs]
    work = Work()
    for run in runs:
        run.seq += 1
        run.status, run.ended_at = int(Run.Status.ACTIVE), None
        wait_until(run, due.get(run.id) or now)
        work.moves.append(Moved(run, run.seq, None, run.step, run.state, Cause.TAKEN_UP, None, None))
        work.touch(run)
    write(cursor, work, now)
    # What ends a run ends this one too, whenever it came.
    have_look_back(cursor, found)
    return found


def _who_may(cursor: Cursor[Any], runs: Sequence[RunState]) -> list[RunState]:
    """Of each key the eldest, where nothing stands in its way."""
    customers = {run.customer_id for run in runs}
    held = restricted(cursor, customers)
    stopped = {row[0] for row in cursor.execute(_STOPPED).fetchall()}
    taken: set[tuple[UUID, UUID, str]] = set(cursor.execute(_LIVE, [sorted(customers)]).fetchall())
    found = []
    for run in runs:
        key = (run.customer_id, run.journey_id, run.entry_key)
        if key not in taken and run.customer_id not in held and run.journey_id not in stopped:
            taken.add(key)
            found.append(run)
    return found
