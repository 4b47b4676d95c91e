"""Entitling: runs that rest at a step which grants something, or takes it back; for the steps that act so.

What a customer has is read while the customer is held, as for handing over, and is granted in the transaction that
moves the run, under a key that tells this visit from all others: a run that comes twice grants once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, cast
from uuid import UUID

from psycopg import Cursor

from channels.entitlements import ledger
from channels.entitlements.balance import Standing, open_grants, standing
from channels.entitlements.ledger import Act, Grant, Revoking
from channels.models import Origin
from journeys.engine.runs import RunState
from journeys.models import Cause
from journeys.steps.base import Go

Place = tuple[UUID, UUID, str]


class Entitles(Protocol):
    """A step that grants something, or takes it back, as far as the ledger is asked by it."""

    id: str
    key: str
    quantity: int | None
    good_for: timedelta | None
    reason: str

    @property
    def do(self) -> str: ...

    def decided(self, open_: int, ever: int) -> Go: ...


def entitle(cursor: Cursor[Any], runs: Sequence[RunState], now: datetime) -> dict[int, tuple[Go, None]]:
    """By run, what it does now. The customers of the runs are held."""
    answers, granting, revoking = dict[int, tuple[Go, None]](), list[Grant](), list[Revoking]()
    stands, grants = _before(cursor, runs, now)
    for run in runs:
        held, open_ = stands.setdefault(_place(run), Standing()), grants.setdefault(_place(run), [])
        go = _step(run).decided(held.open, held.ever)
        answers[run.id] = go, None
        if go.cause is Cause.GRANTED:
            held.open, held.ever = held.open + 1, held.ever + 1
            granting.append(_grant(run, now))
            open_.append(granting[-1].id)
        elif go.cause is Cause.REVOKED:
            held.open, held.ever = 0, held.ever - held.open
            # What earlier runs of the batch were granted too; what later ones are stays.
            revoking.append(Revoking(open_.copy(), _act(run), _step(run).reason))
            open_.clear()
    ledger.grant(cursor, granting, now)
    ledger.revoke_all(cursor, revoking, now)
    return answers


def _before(
    cursor: Cursor[Any], runs: Sequence[RunState], now: datetime
) -> tuple[dict[Place, Standing], dict[Place, list[UUID]]]:
    """What the customers have before any of the runs is heeded; which grants, only where some may be taken back."""
    customers, keys = {run.customer_id for run in runs}, {_step(run).key for run in runs}
    stands = standing(cursor, customers, keys, now)
    takes = any(_step(run).do == "revoke" for run in runs)
    return stands, open_grants(cursor, customers, keys, now) if takes else {}


def _grant(run: RunState, now: datetime) -> Grant:
    step = _step(run)
    return Grant(
        brand_id=run.version.brand_id,
        profile_id=run.profile_id,
        key=step.key,
        act=_act(run),
        quantity=step.quantity,
        expires_at=None if step.good_for is None else now + step.good_for,
        reason=step.reason,
        scope_id=run.journey_id,
        step_id=step.id,
        entry_key=run.entry_key,
    )


def _act(run: RunState) -> Act:
    """The visit: a run's number of moves tells it from every other."""
    return Act(Origin.RUN, str(run.id), f"run-{run.id}-{run.seq}")


def _place(run: RunState) -> Place:
    return run.customer_id, run.version.brand_id, _step(run).key


def _step(run: RunState) -> Entitles:
    return cast("Entitles", run.version.steps[run.step])
