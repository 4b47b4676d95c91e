"""Changeovers: when a version is published, those for whom its plan says so are moved to it or taken out, batch by
batch; whoever is not named stays on the version they entered.

A run is found at its step under its lock, so that it either moved on before and is where it then stands, or moves on
afterwards by the new version. Batch and place are one transaction: a worker that dies is followed by another.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg import Cursor

from channels.models import Message, Reason
from channels.outbox import cancel_unsent
from customers.pg import raw_cursor
from customers.rules import Facts
from customers.work import Queue, TryAgain, not_alone, work_once
from journeys.changeover import PlanRow
from journeys.compiling import version
from journeys.engine.asking import Asked, ask
from journeys.engine.ending import end_all
from journeys.engine.itself import with_run
from journeys.engine.on_their_way import moving_customers
from journeys.engine.runs import NOBODY, RunState, lock_live, people_of, variables_of
from journeys.engine.variables import read_variables
from journeys.engine.walk import Moved, ask_outside, enter_step, wait_until, walk
from journeys.engine.write import Work, write
from journeys.models import Cause
from journeys.moves import KEEPS_MESSAGES, WAIT_ANEW
from journeys.steps.base import TRAITS, Here, Wait
from journeys.variables import VARIABLES
from journeys.version import Version

# Of a journey's runs ever, so many are gone through at a time.
_CHUNK: Final = 1_000
# A stage's transaction that read of the earlier version as the live one has ended by then.
_STRAGGLERS: Final = timedelta(minutes=1)

_CHANGEOVER: Final = (
    "SELECT id, journey_id, version_id, plan, since, coalesce(worked_at, 'epoch'), worked_run, looks_again_at"
    " FROM journeys_changeover WHERE id = %b"
)
_NEXT: Final = """
    SELECT entered_at, id, status = 1 AND version_id = ANY(%b) FROM journeys_run
    WHERE journey_id = %b AND (entered_at, id) > (%b, %b) ORDER BY entered_at, id LIMIT %b
"""
_NUMBERS: Final = "SELECT number, id FROM journeys_journeyversion WHERE journey_id = %b"
_RESTS: Final = "SELECT id, rests_due_at FROM journeys_run WHERE id = ANY(%b)"
_SET_VERSION: Final = """
    UPDATE journeys_run r SET version_id = %b, ends_at = u.ends_at
    FROM unnest(%b::bigint[], %b::timestamptz[]) AS u(id, ends_at) WHERE r.id = u.id
"""
_WORKED: Final = (
    "UPDATE journeys_changeover SET worked_at = %b, worked_run = %b, moved = moved + %b, ended = ended + %b"
    " WHERE id = %b"
)
_LOOK_AGAIN: Final = "UPDATE journeys_changeover SET looks_again_at = %b, worked_at = %b, worked_run = 0 WHERE id = %b"
_SETTLED: Final = "UPDATE journeys_changeover SET settled_at = %b WHERE id = %b"

# By version and step index, what is said of those who stand there.
Plan = dict[tuple[int, int], PlanRow]


class _Changeover(NamedTuple):
    id: int
    journey_id: UUID
    version_id: int
    plan: list[dict[str, Any]]
    since: datetime
    worked_at: datetime
    worked_run: int
    looks_again_at: datetime | None


def settle(ids: Sequence[int], now: datetime) -> int:
    """Go through some more runs of these changeovers; how many there was something to do for."""
    with raw_cursor() as cursor:
        for id_ in ids:
            row = cursor.execute(_CHANGEOVER, [id_]).fetchone()
            if row is not None:
                _settle_some(cursor, _Changeover(*row), now)
    return len(ids)


def _settle_some(cursor: Cursor[Any], one: _Changeover, now: datetime) -> None:
    plan = _by_place(cursor, one)
    versions = sorted({version_id for version_id, _step in plan})
    runs = cursor.execute(_NEXT, [versions, one.journey_id, one.worked_at, one.worked_run, _CHUNK]).fetchall()
    if not runs:
        if one.looks_again_at is None:
            cursor.execute(_LOOK_AGAIN, [now + _STRAGGLERS, one.since - _STRAGGLERS, one.id])
        else:
            cursor.execute(_SETTLED, [now, one.id])
        return
    live = lock_live(cursor, "id", [id_ for _entered_at, id_, is_concerned in runs if is_concerned])
    concerned = [(run, plan[run.version.id, run.step]) for run, _began in live if (run.version.id, run.step) in plan]
    concerned.sort(key=lambda pair: pair[0].id)
    moving = [(run, row) for run, row in concerned if row.then == "move"]
    ending = [run for run, row in concerned if row.then == "exit"]
    if moving:
        _move(cursor, moving, version(one.version_id), now)
    if ending:
        end_all(cursor, ending, Cause.VERSION_EXIT, now)
        _cancel(cursor, ending, Reason.ENDED, now)
    entered_at, last, _is_concerned = runs[-1]
    cursor.execute(_WORKED, [entered_at, last, len(moving), len(ending), one.id])


def _by_place(cursor: Cursor[Any], one: _Changeover) -> Plan:
    numbers = dict(cursor.execute(_NUMBERS, [one.journey_id]).fetchall())
    rows = msgspec.convert(one.plan, list[PlanRow])
    return {(numbers[row.version], version(numbers[row.version]).index[row.step]): row for row in rows}


def _move(cursor: Cursor[Any], moving: Sequence[tuple[RunState, PlanRow]], to: Version, now: datetime) -> None:
    runs = [run for run, _row in moving]
    _recall(cursor, [run for run in runs if run.due_at is None])
    looking = [run for run, row in moving if _looks_at_facts(run, to, row)]
    people = people_of(cursor, {run.customer_id for run in looking}) if looking else NOBODY
    people = ask(cursor, people, (_asked(run, to, row) for run, row in moving if run in looking and to.asks), now)
    variables = variables_of(cursor, [run.id for run in looking])
    read_variables(cursor, (run for run, row in moving if VARIABLES in to.asked[to.index[row.to or ""]]))
    work = Work()
    for run, row in moving:
        facts = people.facts(run.customer_id, to, variables.get(run.id, {}), run.id)
        put(run, row, to, facts, now, work)
    # What was made on the way to the old step goes, not what is made from the new one on.
    _cancel(cursor, [run for run, row in moving if row.messages == "cancel"], Reason.MOVED, now)
    write(cursor, work, now)
    cursor.execute(_SET_VERSION, [to.id, [run.id for run in runs], [run.ends_at for run in runs]])
    # As with timers: what was decided by the facts of who is no longer this customer is thrown away.
    if looking and not moving_customers(cursor).isdisjoint(run.customer_id for run in looking):
        raise TryAgain


def _recall(cursor: Cursor[Any], resting: Sequence[RunState]) -> None:
    """When those came due who rest while their journey's time stands still."""
    if resting:
        rests = dict(cursor.execute(_RESTS, [[run.id for run in resting]]).fetchall())
        for run in resting:
            run.due_at = rests[run.id]


def _looks_at_facts(run: RunState, to: Version, row: PlanRow) -> bool:
    step = to.steps[to.index[row.to or ""]]
    return bool(step.reads() or step.at_once() or run.version.steps[run.step].reads())


def _asked(run: RunState, to: Version, row: PlanRow) -> Asked:
    """What may be asked of somebody from where they are put to the next wait."""
    return Asked(run.customer_id, to, to.asked[to.index[row.to or ""]], run.id)


def put(run: RunState, row: PlanRow, to: Version, facts: Facts, now: datetime, work: Work) -> None:
    """Move one run to its step of the new version: without a query, so that a preview and a test may ask it too."""
    left, left_step = run.version, run.step
    is_anew = row.wait == "anew"
    arrived = now if is_anew else run.stepped_at
    due_at = deadline(run, row, to, facts, now)
    run.ends_at, run.waits_until = _ends_at(run, to, now), None
    run.version, run.step = to, to.index[row.to or ""]
    run.state = to.state_of[run.step]
    run.timed_out_step = _timed_out(left, run.timed_out_step, to)
    run.seq += 1
    said = (WAIT_ANEW if is_anew else 0) + (KEEPS_MESSAGES if row.messages == "keep" else 0)
    work.moves.append(
        Moved(run, run.seq, left_step, run.step, run.state, Cause.MOVED, said, None, version_from=left.id)
    )
    work.touch(run)
    if due_at is not None:
        run.stepped_at = arrived
        wait_until(run, due_at)
        ask_anew(run, facts, now, work)
        if to.awaits_at(run.step):
            work.parked.append(run)
        return
    walk(run, enter_step(run, facts, arrived, work), facts, now, work)


def ask_anew(run: RunState, facts: Facts, now: datetime, work: Work) -> None:
    """Who is moved to a step that asks another system has it asked there, whatever was asked before."""
    if run.version.steps[run.step].calls:
        facts = with_run(facts, run, now, Cause.MOVED, None)
        outcome = _entered(run, run.version, run.step, facts, now)
        ask_outside(run, outcome, work)


def deadline(run: RunState, row: PlanRow, to: Version, facts: Facts, now: datetime) -> datetime | None:
    """Until when the run waits at its new step, counted from when it came to the old one; None if it does not wait.

    By how much a pause or a repeated event had made the old wait longer, the new one is longer too. It is never over
    before it has begun: an event that came until now counts.
    """
    step = to.index[row.to or ""]
    if row.wait == "anew":
        outcome = _entered(run, to, step, facts, now)
        return outcome.until if isinstance(outcome, Wait) else None
    new = _entered(run, to, step, facts, run.stepped_at)
    if not isinstance(new, Wait):
        return None
    old = _entered(run, run.version, run.step, facts, run.stepped_at)
    due = run.waits_until or run.due_at
    if isinstance(old, Wait) and due is not None:
        if run.version.steps[run.step].calls:
            # Of a run whose call is over only what wakes it: it is asked anew, and has its time for that.
            due = max(due, old.until)
        if old.until == new.until:
            return due
        # Traits may have changed since, so what they name today says nothing about the wait as it was begun.
        if TRAITS not in run.version.steps[run.step].reads() | to.steps[step].reads():
            return max(new.until + max(due - old.until, timedelta()), now)
    return max(new.until, now)


def _ends_at(run: RunState, to: Version, now: datetime) -> datetime | None:
    """At which age the new version ends the run, later by what a pause had added; not before the move."""
    limit, former = to.definition.timeout, run.version.definition.timeout
    if limit is None:
        return None
    added = timedelta()
    if former is not None and run.ends_at is not None:
        added = max(run.ends_at - run.entered_at - former.after, added)
    return max(run.entered_at + limit.after + added, now)


def _entered(run: RunState, of: Version, step: int, facts: Facts, at: datetime) -> Any:
    return of.steps[step].enter(Here(facts, at, of.enter_rules[step], run))


def _timed_out(left: Version, step: int | None, to: Version) -> int | None:
    """The hold whose events make needless what follows, if the new version has it."""
    found = None if step is None else to.index.get(left.steps[step].id)
    return found if found is not None and to.steps[found].awaits() else None


def _cancel(cursor: Cursor[Any], runs: Collection[RunState], reason: Reason, now: datetime) -> None:
    if runs:
        cancel_unsent(cursor, Message.Origin.RUN.value, [str(run.id) for run in runs], reason.value, now)


_TO_SETTLE: Final = "settled_at IS NULL AND (looks_again_at IS NULL OR looks_again_at <= %(now)s)"
QUEUE = Queue(
    name="changeover",
    table="journeys_changeover",
    # One after the other for a journey: a later plan is about where an earlier one has put people.
    pick=f"SELECT id FROM journeys_changeover WHERE {_TO_SETTLE}"
    f" AND {not_alone('changeover', 'journeys_changeover.id')}"
    " AND NOT EXISTS (SELECT 1 FROM journeys_changeover o WHERE o.journey_id = journeys_changeover.journey_id"
    " AND o.settled_at IS NULL AND o.looks_again_at IS NULL AND o.id < journeys_changeover.id)"
    " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    work=settle,
    ready=_TO_SETTLE,
)


def settle_changeovers(now: datetime) -> int:
    return work_once(QUEUE, now)
