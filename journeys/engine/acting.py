"""Acting: runs whose time is up at a step that does something before it is known where they go, as asking a ledger.

What it is that a step does is said by the step (`Step.act`), of all the runs of a batch at once; here is what it may do
it with. The customers of those that hold them are taken only where nobody has them, which waits for nobody: a run whose
customer is busy comes again with the next pass.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor

from customers.rules import Facts
from journeys.engine.asking import having
from journeys.engine.calls.answers import answer
from journeys.engine.entitling import entitle
from journeys.engine.handing import hand_over
from journeys.engine.runs import RunState
from journeys.engine.write import Work
from journeys.steps.base import Answer, Step

_LOCK_CUSTOMERS: Final = (
    "SELECT id FROM customers_customer WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
)
# A grant, say, that would let the person in.
_UNSETTLED: Final = """
    SELECT p.customer_id FROM customers_profile p
    WHERE p.customer_id = ANY(%b) AND EXISTS (SELECT 1 FROM consent_queue q WHERE q.profile_id = p.id OFFSET 0)
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """The runs that rest at steps of one type, locked, with their customers where the type holds them; what their rules
    may look at, by run, which a step renews that changes it; and what is to be written when all is decided."""

    cursor: Cursor[Any]
    runs: Sequence[RunState]
    facts: dict[int, Facts]
    now: datetime
    work: Work

    def hand_over(self) -> dict[int, Answer]:
        """Ask the journeys that the steps name (`HandsOver`) to take the customers."""
        return dict(hand_over(self.cursor, self.runs, self.facts, self.now, self.work))

    def entitle(self) -> dict[int, Answer]:
        """Grant what the steps say (`Entitles`), or take it back."""
        answers = entitle(self.cursor, self.runs, self.now)
        having(self.cursor, self.facts, self.runs, self.now)
        return dict(answers)

    def take_replies(self) -> dict[int, Answer]:
        """Have what other systems said to what the steps asked (`Calling`)."""
        return dict(answer(self.cursor, self.runs, self.now, self.work))


def settled(cursor: Cursor[Any], runs: Sequence[RunState]) -> list[RunState]:
    """Without those at a step that holds the customer, where somebody else does, or consent is being worked on."""
    customers = {run.customer_id for run in runs if _holds_customer(run)}
    if not customers:
        return list(runs)
    held = {row[0] for row in cursor.execute(_LOCK_CUSTOMERS, [sorted(customers)]).fetchall()}
    held -= {row[0] for row in cursor.execute(_UNSETTLED, [sorted(held)]).fetchall()}
    return [run for run in runs if not _holds_customer(run) or run.customer_id in held]


def act(
    cursor: Cursor[Any], runs: Sequence[RunState], facts: dict[int, Facts], now: datetime, work: Work
) -> dict[int, Answer]:
    """Have the steps act that do; by run, what it does now, and the event by which it does."""
    by_type: dict[type[Step], list[RunState]] = defaultdict(list)
    for run in runs:
        if _acts(run):
            by_type[type(run.version.steps[run.step])].append(run)
    answers: dict[int, Answer] = {}
    for step_type, resting in by_type.items():
        answers |= step_type.act(Batch(cursor, resting, facts, now, work))
    return answers


def _acts(run: RunState) -> bool:
    return run.version.steps[run.step].acts and not run.is_too_old


def _holds_customer(run: RunState) -> bool:
    return _acts(run) and run.version.steps[run.step].holds_customer
