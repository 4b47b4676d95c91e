"""Answers: what runs do whose calls are over, one way or the other; for the stage of timers, which has them locked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor

from journeys.engine.calls.step import calling
from journeys.engine.runs import RunState
from journeys.engine.variables import Kept
from journeys.engine.walk import Walked
from journeys.engine.write import Work
from journeys.steps.base import Fail, Outcome

QUEUE: Final = "calls"
_LAST: Final = """
    SELECT DISTINCT ON (c.run_id) c.run_id, c.id, c.version_id, c.step, c.state, c.error, t.gave
    FROM journeys_call c LEFT JOIN journeys_callcontent t ON t.call_id = c.id
    WHERE c.run_id = ANY(%b) ORDER BY c.run_id, c.visit DESC
"""
_EXPIRE: Final = """
    UPDATE journeys_call SET state = 'failed', error = 'expired', settled_at = %b, lease_token = NULL
    WHERE id = ANY(%b) AND state IN ('waiting', 'calling', 'left')
"""
# The row stays where it is; its letter is how people find it, and have it go on.
_LETTERS: Final = """
    INSERT INTO customers_deadletter (at, queue, unit_id, reason, attempts, row)
    SELECT %b, %b, c.id, c.error, c.attempts, to_jsonb(c) FROM journeys_call c WHERE c.id = ANY(%b) ORDER BY c.id
"""


def answer(cursor: Cursor[Any], runs: Sequence[RunState], now: datetime, work: Work) -> dict[int, tuple[Outcome, None]]:
    """By run, what it does now; no event moves it. A run that is due before its call is over has run out of time."""
    rows = cursor.execute(_LAST, [[run.id for run in runs]]).fetchall()
    last: Mapping[int, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}
    answers: dict[int, tuple[Outcome, None]] = {}
    expired, failed = [], []
    for run in runs:
        step = calling(run.version.steps[run.step])
        id_, version_id, at_step, state, error, gave = last.get(run.id, (0, 0, 0, "", "", None))
        is_this = (version_id, at_step) == (run.version.id, run.step)
        if is_this and state == "answered":
            take_reply(run, gave or {}, work)
            answers[run.id] = step.replied(), None
            continue
        if not (is_this and state == "failed"):
            error = "expired"
            expired += [id_] if is_this else []
        outcome = step.failed(error)
        answers[run.id] = outcome, None
        failed += [id_] if isinstance(outcome, Fail) and is_this else []
    if expired:
        cursor.execute(_EXPIRE, [now, expired])
    if failed:
        cursor.execute(_LETTERS, [now, QUEUE, failed])
    return answers


def take_reply(run: RunState, gave: Mapping[str, Any], walked: Walked) -> None:
    """Let the reply give the variables what it gives; called before the move is made."""
    run.variables = {**(run.variables or {}), **gave}
    walked.kept += [Kept(run, run.seq + 1, name, value) for name, value in gave.items()]
