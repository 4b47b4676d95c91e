"""Runs that end wherever they stand, for what became of their person: nothing more follows from them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from journeys.engine.runs import RunState, lock_live
from journeys.engine.walk import Moved
from journeys.engine.write import Work, write
from journeys.models import Cause, Run


def end_all(cursor: Cursor[Any], runs: Iterable[RunState], cause: Cause, now: datetime) -> list[RunState]:
    """End these live runs, which are locked; return them."""
    work = Work()
    for run in sorted(runs, key=lambda one: one.id):
        run.seq += 1
        work.moves.append(Moved(run, run.seq, run.step, None, run.state, cause, None, None))
        run.status, run.due_at, run.ended_at = int(Run.Status.EXITED), None, now
        work.touch(run)
        work.ended.append(run)
    write(cursor, work, now)
    return work.ended


def end_restricted(cursor: Cursor[Any], customers: Collection[UUID], now: datetime) -> None:
    """Of people who have processing restricted from now on. What they were to be sent, dispatch refuses."""
    end_all(cursor, (run for run, _began in lock_live(cursor, "customer_id", customers)), Cause.RESTRICTED, now)
