"""Halts: the runs of a paused journey rest when they come due, and are brought back, or ended, batch by batch.

A pause takes hold at once by one row; no run is touched for it. Advance sets aside what comes due meanwhile, so that a
paused journey does not stand in the way of others.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import Cursor

from channels.models import Message, Reason
from channels.outbox import cancel_unsent
from customers.pg import raw_cursor
from customers.work import Queue, not_alone
from journeys.engine.calls.wake import wake
from journeys.engine.ending import end_all
from journeys.engine.looking_back import have_look_back
from journeys.engine.runs import RunState, lock_live
from journeys.models import Cause, Halt

_STANDS, _END = Halt.Waiting.TIME_STANDS.value, Halt.Waiting.END.value
# Of a journey's runs ever, so many are gone through at a time.
_CHUNK: Final = 2_000

_UNSETTLED: Final = "SELECT id, journey_id, waiting, resumed_at FROM journeys_halt WHERE settled_at IS NULL"
# Whoever resumes waits for those who are setting aside; afterwards nobody does.
_STILL: Final = "SELECT journey_id FROM journeys_halt WHERE id = ANY(%b) AND resumed_at IS NULL FOR SHARE"
_SET_ASIDE: Final = "UPDATE journeys_run SET rests_due_at = due_at, due_at = NULL WHERE id = ANY(%b)"
_HALT: Final = (
    "SELECT journey_id, waiting, since, resumed_at, coalesce(worked_at, 'epoch'), worked_run"
    " FROM journeys_halt WHERE id = %b"
)
_NEXT: Final = """
    SELECT entered_at, id FROM journeys_run WHERE journey_id = %b AND (entered_at, id) > (%b, %b)
    ORDER BY entered_at, id LIMIT %b
"""
# Who came to their wait during the pause waits longer by what was left of it; the age at which runs end is higher by
# what they saw of it.
_BRING_BACK: Final = """
    UPDATE journeys_run r SET rests_due_at = NULL, ends_at = r.ends_at + u.of_age,
        waits_until = r.waits_until + u.of_wait,
        due_at = least(coalesce(r.waits_until, r.due_at, r.rests_due_at) + u.of_wait, r.ends_at + u.of_age)
    FROM (
        SELECT id,
            CASE WHEN %b THEN greatest(interval '0', %b - greatest(%b, stepped_at)) ELSE interval '0' END AS of_wait,
            CASE WHEN %b THEN greatest(interval '0', %b - greatest(%b, entered_at)) ELSE interval '0' END AS of_age
        FROM journeys_run WHERE id = ANY(%b) AND status = 1 ORDER BY id FOR NO KEY UPDATE
    ) u
    WHERE r.id = u.id AND (%b OR r.rests_due_at IS NOT NULL)
    RETURNING r.id
"""


class _Halted(NamedTuple):
    id: int
    journey_id: UUID
    waiting: str
    resumed_at: datetime | None


def moving(cursor: Cursor[Any], due: Sequence[RunState]) -> tuple[list[RunState], int]:
    """Those of the due runs whose journey lets them go on, and how many of the others were set aside."""
    halted = [_Halted(*row) for row in cursor.execute(_UNSETTLED).fetchall()]
    standing = [one for one in halted if one.resumed_at is None and one.waiting != _END]
    concerned = {one.journey_id for one in standing} & {run.journey_id for run in due}
    resting: set[UUID] = set()
    if concerned:
        asked = [one.id for one in standing if one.journey_id in concerned]
        resting = {row[0] for row in cursor.execute(_STILL, [asked]).fetchall()}
    aside = [run for run in due if run.journey_id in resting]
    if aside:
        cursor.execute(_SET_ASIDE, [[run.id for run in aside]])
        _look_back(cursor, aside, {one.journey_id for one in standing if one.waiting == _STANDS})
    # What is just being brought back has its time still to come.
    back = {one.journey_id for one in halted if one.waiting == _STANDS}
    return [run for run in due if run.journey_id not in resting | back], len(aside)


def _look_back(cursor: Cursor[Any], aside: Sequence[RunState], timeless: Collection[UUID]) -> None:
    """While time stands there is no deadline: an event counts that came after it, before the run was set aside."""
    waiting = [run.id for run in aside if run.journey_id in timeless and run.version.awaits_at(run.step)]
    have_look_back(cursor, waiting)


def settle(ids: Sequence[int], now: datetime) -> int:
    """Go through some more runs of these halts; how many halts there was something to do for."""
    with raw_cursor() as cursor:
        for id_ in ids:
            _settle_some(cursor, id_, now)
    return len(ids)


def _settle_some(cursor: Cursor[Any], id_: int, now: datetime) -> None:
    row = cursor.execute(_HALT, [id_]).fetchone()
    if row is None:
        return
    journey_id, waiting, since, resumed_at, *worked = row
    runs = cursor.execute(_NEXT, [journey_id, *worked, _CHUNK]).fetchall()
    if not runs:
        cursor.execute("UPDATE journeys_halt SET settled_at = %b WHERE id = %b", [now, id_])
        return
    found = [run_id for _entered_at, run_id in runs]
    if waiting == _END:
        _end(cursor, found, now)
    else:
        is_longer = waiting == _STANDS
        pause = (is_longer, resumed_at, since)
        back = cursor.execute(_BRING_BACK, [*pause, *pause, found, is_longer]).fetchall()
        if is_longer:
            # What came after a deadline that has moved was matched as too late, where nobody had set the run aside yet.
            have_look_back(cursor, (run_id for (run_id,) in back))
        # Whose call was over meanwhile waits for nothing any more, however long the pause was.
        wake(cursor, found, now)
    cursor.execute("UPDATE journeys_halt SET worked_at = %b, worked_run = %b WHERE id = %b", [*runs[-1], id_])


def _end(cursor: Cursor[Any], run_ids: Sequence[int], now: datetime) -> None:
    ended = end_all(cursor, (run for run, _began in lock_live(cursor, "id", run_ids)), Cause.STOPPED, now)
    origins = [str(run.id) for run in ended]
    cancel_unsent(cursor, Message.Origin.RUN.value, origins, Reason.ENDED.value, now)


_TO_SETTLE: Final = f"settled_at IS NULL AND (resumed_at IS NOT NULL OR waiting = '{_END}')"
QUEUE = Queue(
    name="halt",
    table="journeys_halt",
    pick=f"SELECT id FROM journeys_halt WHERE {_TO_SETTLE} AND {not_alone('halt', 'journeys_halt.id')}"
    " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    work=settle,
    ready=_TO_SETTLE,
)
