"""Merges: runs follow their profile to its customer; of two live runs of one key the elder lives."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from channels.models import Message, Reason
from channels.outbox import cancel_unsent
from customers.pg import copy_rows, raw_cursor
from customers.work import Queue, first_in_line, work_once
from journeys.engine.runs import RunState, lock_live
from journeys.engine.walk import Moved
from journeys.engine.write import Work, write
from journeys.models import Cause, Run

_LOCK_ITEMS = """
    SELECT id, profile_id, from_customer_id, to_customer_id FROM customers_merge_queue
    WHERE id = ANY(%b) ORDER BY id FOR UPDATE SKIP LOCKED
"""
_LOCK_CUSTOMERS = """
    SELECT id FROM customers_customer WHERE id = ANY(%b)
        OR id IN (SELECT customer_id FROM customers_profile WHERE id = ANY(%b))
    ORDER BY id FOR NO KEY UPDATE
"""
_MOVE = """
    UPDATE journeys_run r SET customer_id = p.customer_id FROM customers_profile p
    WHERE p.id = r.profile_id AND r.profile_id = ANY(%b) AND r.customer_id <> p.customer_id
"""


def follow(ids: Sequence[int], now: datetime) -> int:
    """Move the runs of these profiles to where the profiles are now; return how many items are done."""
    with raw_cursor() as cursor:
        items = cursor.execute(_LOCK_ITEMS, [list(ids)]).fetchall()
        if not items:
            return 0
        profiles = sorted({item[1] for item in items})
        cursor.execute(_LOCK_CUSTOMERS, [sorted({one for item in items for one in item[2:]}), profiles])
        homes = dict(
            cursor.execute("SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b)", [profiles]).fetchall()
        )
        live = _live_of(cursor, profiles, homes)
        work = Work()
        for loser in _losers(live, homes):
            _end_as_merged(loser, now, work)
        write(cursor, work, now)
        cancel_unsent(cursor, Message.Origin.RUN.value, [str(run.id) for run in work.ended], Reason.MERGED.value, now)
        cursor.execute(_MOVE, [profiles])
        alive = [run for run in live if run.status == Run.Status.ACTIVE]
        if alive:
            # The other profiles' events may be what these wait for.
            copy_rows(cursor, "journeys_recheck_queue", (("run_id", "int8"),), ((run.id,) for run in alive))
        cursor.execute("DELETE FROM customers_merge_queue WHERE id = ANY(%b)", [[item[0] for item in items]])
    return len(items)


def _live_of(cursor: Cursor[Any], profiles: Sequence[UUID], homes: dict[UUID, UUID]) -> list[RunState]:
    """Live runs of the moved profiles and of the customers they moved to."""
    runs = {run.id: run for run, _began in lock_live(cursor, "profile_id", profiles)}
    runs.update({run.id: run for run, _began in lock_live(cursor, "customer_id", sorted(set(homes.values())))})
    return list(runs.values())


def _losers(live: Iterable[RunState], homes: dict[UUID, UUID]) -> list[RunState]:
    rivals: dict[tuple[UUID, UUID, str], list[RunState]] = defaultdict(list)
    for run in live:
        customer = homes.get(run.profile_id, run.customer_id)
        rivals[customer, run.version.journey_id, run.entry_key].append(run)
    return [loser for group in rivals.values() for loser in sorted(group, key=lambda run: (run.entered_at, run.id))[1:]]


def _end_as_merged(run: RunState, now: datetime, work: Work) -> None:
    run.seq += 1
    work.moves.append(Moved(run, run.seq, run.step, None, run.state, Cause.MERGED, None, None))
    run.status, run.due_at, run.ended_at = int(Run.Status.MERGED), None, now
    work.touch(run)
    work.ended.append(run)


QUEUE = Queue(
    name="merge",
    table="customers_merge_queue",
    pick=first_in_line("merge", "customers_merge_queue"),
    work=follow,
)


def follow_merges(now: datetime, limit: int = 1000) -> int:
    return work_once(QUEUE, now, limit)
