"""Merges: runs follow their profile to its customer. Of two live runs of one key the elder lives, and the other comes
back when the merge is undone."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from channels.models import Message, Reason
from channels.outbox import cancel_unsent, restore_cancelled
from consent.privacy.restricting import restricted
from customers import bells
from customers.pg import raw_cursor
from customers.segments import follow as segments
from customers.work import Queue, first_in_line, work_once
from journeys.engine.calls.note import note_again
from journeys.engine.calls.wake import wake
from journeys.engine.ending import end_all
from journeys.engine.looking_back import have_look_back
from journeys.engine.looks import look
from journeys.engine.runs import RunState, lock_live, lock_merged
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
_HOMES = "SELECT id, customer_id FROM customers_profile WHERE id = ANY(%b) OR customer_id = ANY(%b)"
_NOTE = """
    UPDATE journeys_run r SET merged_into_id = u.elder, merged_due_at = u.due
    FROM unnest(%b::bigint[], %b::bigint[], %b::timestamptz[]) AS u(id, elder, due) WHERE r.id = u.id
"""
_FORGET_END = """
    UPDATE journeys_entrymemory m SET last_ended_at = NULL
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::timestamptz[]) AS u(journey_id, profile_id, entry_key, ended_at)
    WHERE m.journey_id = u.journey_id AND m.profile_id = u.profile_id AND m.entry_key = u.entry_key
      AND m.last_ended_at = u.ended_at
"""

# (customer, journey, entry key): of which there is one live run.
Key = tuple[UUID, UUID, str]


def follow(ids: Sequence[int], now: datetime) -> int:
    """Move the runs of these profiles to where the profiles are now; return how many items are done."""
    with raw_cursor() as cursor:
        items = cursor.execute(_LOCK_ITEMS, [list(ids)]).fetchall()
        if not items:
            return 0
        profiles = sorted({item[1] for item in items})
        customers = sorted({one for item in items for one in item[2:]})
        cursor.execute(_LOCK_CUSTOMERS, [customers, profiles])
        homes: dict[UUID, UUID] = dict(cursor.execute(_HOMES, [profiles, customers]).fetchall())
        live = _live_of(cursor, profiles, homes)
        _end_losers(cursor, live, homes, now)
        cursor.execute(_MOVE, [profiles])
        segments.follow(cursor, [item[1:] for item in items], now)
        alive = [run for run in live if run.status == Run.Status.ACTIVE]
        alive += _bring_back(cursor, homes, alive, now)
        alive = _without_restricted(cursor, alive, homes, now)
        for run in alive:
            run.customer_id = homes.get(run.profile_id, run.customer_id)
        # What is known of the united may be what an exit rule asks; no event tells of it.
        look(cursor, alive, now)
        if alive:
            # The other profiles' events may be what these wait for.
            have_look_back(cursor, (run.id for run in alive))
        cursor.execute("DELETE FROM customers_merge_queue WHERE id = ANY(%b)", [[item[0] for item in items]])
    return len(items)


def _live_of(cursor: Cursor[Any], profiles: Sequence[UUID], homes: dict[UUID, UUID]) -> list[RunState]:
    """Live runs of the moved profiles and of the customers they moved to."""
    runs = {run.id: run for run, _began in lock_live(cursor, "profile_id", profiles)}
    runs.update({run.id: run for run, _began in lock_live(cursor, "customer_id", sorted(set(homes.values())))})
    return list(runs.values())


def _key(run: RunState, homes: dict[UUID, UUID]) -> Key:
    return homes.get(run.profile_id, run.customer_id), run.version.journey_id, run.entry_key


def _by_key(runs: Iterable[RunState], homes: dict[UUID, UUID]) -> list[list[RunState]]:
    """Runs of one key together, the eldest first."""
    rivals: dict[Key, list[RunState]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: (run.entered_at, run.id)):
        rivals[_key(run, homes)].append(run)
    return list(rivals.values())


def _end_losers(cursor: Cursor[Any], live: Sequence[RunState], homes: dict[UUID, UUID], now: datetime) -> None:
    """Of the runs of one key all but the eldest end as merged into it."""
    work, into = Work(), []
    for eldest, *losers in _by_key(live, homes):
        for loser in losers:
            into.append((loser.id, eldest.id, loser.due_at))
            _end_as_merged(loser, now, work)
    write(cursor, work, now)
    if into:
        cursor.execute(_NOTE, [list(column) for column in zip(*into, strict=True)])
    cancel_unsent(cursor, Message.Origin.RUN.value, [str(run.id) for run in work.ended], Reason.MERGED.value, now)


def _end_as_merged(run: RunState, now: datetime, work: Work) -> None:
    run.seq += 1
    work.moves.append(Moved(run, run.seq, run.step, None, run.state, Cause.MERGED, None, None))
    run.status, run.due_at, run.ended_at = int(Run.Status.MERGED), None, now
    work.touch(run)
    work.ended.append(run)


def _bring_back(
    cursor: Cursor[Any], homes: dict[UUID, UUID], alive: Collection[RunState], now: datetime
) -> list[RunState]:
    """Runs whose elder is no longer the same person's go on from where they stood; return them.

    What came due meanwhile is due at once: its messages are as old as it is, so what is too late is not sent. Where a
    live run of the key has begun, the merged one stays as it is, for good.
    """
    merged = [one for one in lock_merged(cursor, sorted(homes)) if one.left_its_elder]
    if not merged:
        return []
    taken = {_key(run, homes): run for run in alive}
    due = {one.run.id: one.due_at for one in merged}
    work, back = Work(), list[RunState]()
    notes: list[tuple[int, int | None, datetime | None]] = []
    for rivals in _by_key((one.run for one in merged), homes):
        live = taken.get(_key(rivals[0], homes))
        eldest = None
        for run in rivals:
            run.seq += 1
            if live is not None:
                work.moves.append(Moved(run, run.seq, None, None, run.state, Cause.SUPERSEDED, None, None))
                work.touch(run)
                notes.append((run.id, None, None))
            elif eldest is None:
                eldest = run
                _revive(run, now, work, due[run.id])
                back.append(run)
                notes.append((run.id, None, None))
            else:
                # Still one person's, and two of a key: this one waits for the eldest now.
                work.moves.append(Moved(run, run.seq, None, None, run.state, Cause.MERGED, None, None))
                work.touch(run)
                notes.append((run.id, eldest.id, due[run.id]))
    write(cursor, work, now)
    cursor.execute(_NOTE, [list(column) for column in zip(*notes, strict=True)])
    _remember_as_live(cursor, back, {one.run.id: one.ended_at for one in merged})
    note_again(cursor, [run.id for run in back], now)
    wake(cursor, [run.id for run in back], now)
    keys = [str(run.id) for run in back]
    if restore_cancelled(cursor, Message.Origin.RUN.value, keys, Reason.MERGED.value, now):
        bells.ring("dispatch")
    return back


def _without_restricted(
    cursor: Cursor[Any], alive: Sequence[RunState], homes: dict[UUID, UUID], now: datetime
) -> list[RunState]:
    """Whoever turns out to be somebody who had processing restricted is in no journey any more either."""
    held = restricted(cursor, set(homes.values()))
    gone = end_all(cursor, (run for run in alive if homes[run.profile_id] in held), Cause.RESTRICTED, now)
    return [run for run in alive if run not in gone]


def _revive(run: RunState, now: datetime, work: Work, due_at: datetime | None) -> None:
    run.status, run.due_at, run.ended_at = int(Run.Status.ACTIVE), due_at or now, None
    work.moves.append(Moved(run, run.seq, None, run.step, run.state, Cause.UNMERGED, None, None))
    work.touch(run)


def _remember_as_live(cursor: Cursor[Any], runs: Sequence[RunState], ended: dict[int, datetime | None]) -> None:
    """That they had ended is forgotten, as it was undone."""
    if runs:
        rows = [(run.version.journey_id, run.profile_id, run.entry_key, ended[run.id]) for run in runs]
        cursor.execute(_FORGET_END, [list(column) for column in zip(*rows, strict=True)])


QUEUE = Queue(
    name="merge",
    table="customers_merge_queue",
    pick=first_in_line("merge", "customers_merge_queue"),
    work=follow,
)


def follow_merges(now: datetime, limit: int = 1000) -> int:
    return work_once(QUEUE, now, limit)
