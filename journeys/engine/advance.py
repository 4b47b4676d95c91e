"""Advance: runs whose time has come walk on, but only when nothing they await is still on its way."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.pg import raw_cursor
from customers.work import Queue, TryAgain, not_alone, work_once
from journeys.engine.acting import act, settled
from journeys.engine.asking import ask, of_runs
from journeys.engine.halts import moving
from journeys.engine.looking_back import weigh
from journeys.engine.on_their_way import moving_customers, oldest_unresolved
from journeys.engine.runs import RunState, lock_due, people_of, variables_of
from journeys.engine.variables import read_variables
from journeys.engine.walk import run_out, take, walk
from journeys.engine.watched import tell_of_failure
from journeys.engine.write import Work, write
from journeys.models import Cause, Run
from journeys.steps.base import EVENT, Here
from journeys.variables import VARIABLES
from journeys.version import of_person

_ON_THEIR_WAY = """
    SELECT p.customer_id, m.first FROM customers_profile p, LATERAL (
        SELECT min(q.received_at) AS first FROM customers_match_queue q WHERE q.profile_id = p.id
    ) m
    WHERE p.customer_id = ANY(%b) AND m.first IS NOT NULL
"""
_UNSEEN = "SELECT run_id FROM journeys_recheck_queue WHERE run_id = ANY(%b)"
_HOMES = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)"


class CustomerMoved(TryAgain):
    """A merge changed whose runs these are while they walked."""


def advance(ids: Sequence[int], now: datetime) -> int:
    """Walk these due runs on, those nobody else holds; return how many moved or were set aside."""
    with raw_cursor() as cursor:
        runs, aside = moving(cursor, lock_due(cursor, ids, now))
        ready = settled(cursor, _ready(cursor, runs, now)) if runs else []
        if not ready:
            return aside
        people = people_of(cursor, {run.customer_id for run in ready if _looks_at_people(run)})
        people = ask(cursor, people, of_runs(ready), now)
        best = weigh(cursor, ready, people)
        work = Work(holds_runs=True)
        read_variables(cursor, (run for run in ready if VARIABLES in run.version.asked[run.step]))
        variables = variables_of(cursor, [run.id for run in ready if EVENT in run.version.asked[run.step]])
        known = {run.id: people.facts(run.customer_id, run.version, variables.get(run.id, {}), run.id) for run in ready}
        answers = act(cursor, ready, known, now, work)
        for run in ready:
            facts = known[run.id]
            step, taken = run.version.steps[run.step], best.get(run.id)
            if run.is_too_old:
                run_out(run, facts, now, work)
            elif run.id in answers:
                outcome, event = answers[run.id]
                walk(run, outcome, facts, now, work, event, since=run.due_at)
            elif taken is None:
                here = Here(facts, now, run.version.enter_rules[run.step], run)
                walk(run, step.due(here), facts, now, work, since=run.due_at)
            else:
                take(run, *taken, facts, now, work)
        write(cursor, work, now)
        # No lock keeps a profile from moving meanwhile: what was decided for a customer who is no longer this one (no
        # address, no traits) is thrown away and decided anew. The move stands in the queue of merges until our locks
        # let the runs follow.
        if not moving_customers(cursor).isdisjoint(run.customer_id for run in ready):
            raise CustomerMoved
    return len(ready) + aside


def _looks_at_people(run: RunState) -> bool:
    version = run.version
    weighs = version.steps[run.step].takes_the_best() and version.needs_person
    return weighs or bool(of_person(version.asked[run.step]))


def _ready(cursor: Cursor[Any], runs: Sequence[RunState], now: datetime) -> list[RunState]:
    """Those whose customer is settled and, where an event could mean something, who have none accepted in time that
    no stage has looked at yet (DESIGN §4: received by the deadline).

    That is not for holds alone: who bought before a delay was over is out of the journey, and is not reminded.

    The way of an event is looked at from its beginning, so that none slips past between two looks.
    """
    awaiting = [run for run in runs if _waits_for_events(run)]
    customers = list({run.customer_id for run in awaiting})
    arriving = [oldest_unresolved(cursor, customers, now)] if awaiting else []
    moving = moving_customers(cursor)
    astray = _astray(cursor, runs)
    unseen: set[int] = set()
    if awaiting:
        arriving.append(dict(cursor.execute(_ON_THEIR_WAY, [customers], prepare=True).fetchall()))
        unseen = {row[0] for row in cursor.execute(_UNSEEN, [[run.id for run in awaiting]], prepare=True).fetchall()}
    return [
        run
        for run in runs
        if run.id not in unseen and run.id not in astray and run.customer_id not in moving
        and not (_waits_for_events(run) and _in_time(run, arriving))
    ]  # fmt: skip


def _waits_for_events(run: RunState) -> bool:
    """What a journey itself said of its people is an event on its way too."""
    return run.version.awaits_at(run.step) or run.version.tells


def _in_time(run: RunState, arriving: Sequence[Mapping[UUID, datetime]]) -> bool:
    deadline = run.due_at
    return any(
        deadline is None or received_at <= deadline
        for received_at in (oldest[run.customer_id] for oldest in arriving if run.customer_id in oldest)
    )


def _astray(cursor: Cursor[Any], runs: Sequence[RunState]) -> set[int]:
    """Runs whose profile is no longer with the customer they stand with; the merge stage will move them."""
    homes = dict(cursor.execute(_HOMES, [list({run.profile_id for run in runs})], prepare=True).fetchall())
    return {run.id for run in runs if homes.get(run.profile_id) != run.customer_id}


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
            tell_of_failure(cursor, run_id, now)


QUEUE = Queue(
    name="advance",
    table="journeys_run",
    pick="SELECT id FROM journeys_run WHERE status = 1 AND due_at <= %(now)s"
    f" AND {not_alone('advance', 'journeys_run.id')}"
    " ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED",
    work=advance,
    ready="status = 1 AND due_at <= %(now)s",
    order="due_at",
    give_up=fail_run,
)


def advance_due(now: datetime, limit: int = 1000) -> int:
    return work_once(QUEUE, now, limit)
