"""Exit rules asked of runs that wait, wherever they do, since something that the rules ask about has changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor

from customers.rules import Facts
from journeys.engine.asking import ask, of_any_step
from journeys.engine.itself import with_run
from journeys.engine.runs import ACTIVE, RunState, people_of, variables_of
from journeys.engine.variables import read_variables
from journeys.engine.walk import Walked, leave
from journeys.engine.write import Work, write
from journeys.version import EndState

# The cause of a run's last move, and from which step it came.
Last = tuple[int, int | None]

_NEVER: Final[Last] = 0, None
_LAST: Final = """
    SELECT u.id, t.* FROM unnest(%b::bigint[]) AS u(id), LATERAL (
        SELECT t.cause, CASE WHEN t.version_from IS NULL THEN t.step_from END FROM journeys_transition t
        WHERE t.run_id = u.id ORDER BY t.seq DESC LIMIT 1
    ) t
"""


def leave_by_rule(run: RunState, facts: Facts, now: datetime, walked: Walked, last: Last) -> EndState | None:
    """End the run by the first of its exit rules that holds.

    Versions are published with a way to such an end from every state that waits. Some were when rules were asked before
    messages only: a rule of theirs without one is not asked here.
    """
    asked, version = with_run(facts, run, now, *last), run.version
    exit_ = next(
        (end for rule, end in version.exit_rules if version.has_way(run.state, end) and rule.holds(asked)), None
    )
    if exit_ is not None:
        walked.note(run, version.exit_traits, asked, version.told_at_exit)
        leave(run, exit_, facts, now, walked)
    return exit_


def last_moves(cursor: Cursor[Any], runs: Iterable[RunState]) -> dict[int, Last]:
    """By run, its last move, of versions whose rules ask the run itself."""
    asked = [run.id for run in runs if run.version.asks.run]
    if not asked:
        return {}
    return {row[0]: (row[1], row[2]) for row in cursor.execute(_LAST, [asked], prepare=True).fetchall()}


def of_this_run(run: RunState, walked: Walked, written: Mapping[int, Last]) -> Last:
    """The last of this batch's own moves, else of those written."""
    if not run.version.asks.run:
        return _NEVER
    own = (moved for moved in reversed(walked.moves) if moved.run is run)
    return next(((int(moved.cause), moved.step_from) for moved in own), written.get(run.id, _NEVER))


def look(cursor: Cursor[Any], runs: Iterable[RunState], now: datetime) -> None:
    """Ask those of these locked runs that have exit rules; their customers are who they are now."""
    asked = [run for run in runs if _is_asked(run, now)]
    if not asked:
        return
    people = people_of(cursor, {run.customer_id for run in asked if run.version.needs_person})
    people = ask(cursor, people, of_any_step(asked), now)
    variables = variables_of(cursor, [run.id for run in asked if run.version.needs_variables])
    read_variables(cursor, (run for run in asked if run.version.reads_variables))
    work, last = Work(), last_moves(cursor, asked)
    for run in asked:
        facts = people.facts(run.customer_id, run.version, variables.get(run.id, {}), run.id)
        leave_by_rule(run, facts, now, work, of_this_run(run, work, last))
    write(cursor, work, now)


def _is_asked(run: RunState, now: datetime) -> bool:
    return bool(run.version.exit_rules) and run.status == ACTIVE and not run.had_ended_by(now)
