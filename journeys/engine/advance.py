"""Advance: runs whose time has come walk on; a hold times out only when nothing it awaits is still on its way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Cursor

from customers.pg import raw_cursor
from customers.rules import Facts
from customers.work import Queue, not_alone, work_once
from journeys.engine.runs import RunState, lock_due, traits_of, variables_of
from journeys.engine.unresolved import oldest_unresolved
from journeys.engine.walk import walk
from journeys.engine.write import Work, write
from journeys.models import Cause, Run
from journeys.steps.base import Here

_ON_THEIR_WAY = """
    SELECT p.customer_id FROM customers_profile p
    WHERE p.customer_id = ANY(%b)
      AND EXISTS (SELECT 1 FROM customers_match_queue m WHERE m.profile_id = p.id)
"""
_UNSEEN = "SELECT run_id FROM journeys_recheck_queue WHERE run_id = ANY(%b)"


def advance(ids: Sequence[int], now: datetime) -> int:
    """Walk these due runs on, those nobody else holds; return how many moved."""
    with raw_cursor() as cursor:
        runs = lock_due(cursor, ids, now)
        blocked = _blocked(cursor, [run for run in runs if run.version.is_hold(run.step)], now)
        ready = [run for run in runs if run.id not in blocked]
        if not ready:
            return 0
        traits = traits_of(cursor, [run.customer_id for run in ready if run.version.needs_traits])
        work = Work()
        work.variables.update(variables_of(cursor, [run.id for run in ready if run.version.needs_variables]))
        for run in ready:
            facts = Facts(traits=traits.get(run.customer_id, {}), properties=work.variables.get(run.id, {}))
            here = Here(facts, now, run.version.enter_rules[run.step])
            walk(run, run.version.steps[run.step].due(here), facts, now, work)
        write(cursor, work, now)
    return len(ready)


def _blocked(cursor: Cursor[Any], holds: Sequence[RunState], now: datetime) -> set[int]:
    """Holds with an event accepted in time that no stage has looked at yet (DESIGN §4: received by the deadline)."""
    if not holds:
        return set()
    customers = list({run.customer_id for run in holds})
    # The way of an event is looked at from its beginning, so that none slips past between two looks.
    waiting = set(oldest_unresolved(cursor, customers, now))
    waiting |= {row[0] for row in cursor.execute(_ON_THEIR_WAY, [customers]).fetchall()}
    unseen = {row[0] for row in cursor.execute(_UNSEEN, [[run.id for run in holds]]).fetchall()}
    return unseen | {run.id for run in holds if run.customer_id in waiting}


def fail_run(run_id: int, reason: str, now: datetime) -> None:
    """Give up a run that could not be advanced in five attempts: it ends as failed, for all to see."""
    with raw_cursor() as cursor:
        row = cursor.execute(
            "UPDATE journeys_run SET status = %s, seq = seq + 1, due_at = NULL, ended_at = %s"
            " WHERE id = %s AND status = 1 RETURNING seq, step, state",
            [int(Run.Status.FAILED), now, run_id],
        ).fetchone()
        if row is not None:
            cursor.execute(
                "INSERT INTO journeys_transition (run_id, seq, at, step_from, state_to, cause)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [run_id, row[0], now, row[1], row[2], int(Cause.FAILED)],
            )


QUEUE = Queue(
    name="advance",
    table="journeys_run",
    pick="SELECT id FROM journeys_run WHERE status = 1 AND due_at <= %(now)s"
    f" AND {not_alone('advance', 'journeys_run.id')}"
    " ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED",
    work=advance,
    give_up=fail_run,
)


def advance_due(now: datetime, limit: int = 1000) -> int:
    return work_once(QUEUE, now, limit)
