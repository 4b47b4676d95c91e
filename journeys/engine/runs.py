"""A run in the engine's hands, and what the database knows of many at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from journeys.models import Run
from journeys.version import Version, version

ACTIVE = int(Run.Status.ACTIVE)


@dataclass(slots=True, eq=False)
class RunState:
    """The columns of a run, changed in memory while it walks and written once. `id` 0: not yet written."""

    id: int
    version: Version
    customer_id: UUID
    profile_id: UUID
    entry_key: str
    status: int
    step: int
    state: int
    seq: int
    timed_out_step: int | None
    entered_at: datetime
    stepped_at: datetime
    due_at: datetime | None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """The entry event's place in time: what came later is in the run's window."""

    occurred_at: datetime
    message_id: str
    event_id: int | None


_COLUMNS = (
    "r.id, r.version_id, r.customer_id, r.profile_id, r.entry_key, r.status, r.step, r.state, r.seq,"
    " r.timed_out_step, r.entered_at, r.stepped_at, r.due_at"
)


def _run(row: Sequence[Any]) -> RunState:
    return RunState(row[0], version(row[1]), *row[2:13])


def lock_due(cursor: Cursor[Any], ids: Sequence[int], now: datetime) -> list[RunState]:
    """Those of the runs that are still due and that nobody else holds: a timer passed over comes again."""
    rows = cursor.execute(
        f"SELECT {_COLUMNS} FROM journeys_run r WHERE r.id = ANY(%b) AND r.status = 1 AND r.due_at <= %b"
        " ORDER BY r.id FOR NO KEY UPDATE SKIP LOCKED",
        [list(ids), now],
    ).fetchall()
    return [_run(row) for row in rows]


def read_live(cursor: Cursor[Any], ids: Collection[int]) -> list[tuple[RunState, Began]]:
    """The live runs of these ids as they are now, without a lock."""
    return _live(cursor, "id", list(ids), "")


def lock_live(cursor: Cursor[Any], column: str, values: Sequence[Any]) -> list[tuple[RunState, Began]]:
    """The live runs by id or by customer, waited for: a run passed over would be a lost wake-up."""
    return _live(cursor, column, values, "ORDER BY r.id FOR NO KEY UPDATE OF r")


def _live(cursor: Cursor[Any], column: str, values: Sequence[Any], locked: str) -> list[tuple[RunState, Began]]:
    rows = cursor.execute(
        f"SELECT {_COLUMNS}, c.occurred_at, c.message_id, c.event_id"
        " FROM journeys_run r JOIN journeys_runcontext c ON c.run_id = r.id"
        f" WHERE r.{column} = ANY(%b) AND r.status = 1 {locked}",
        [list(values)],
    ).fetchall()
    return [(_run(row), Began(*row[13:16])) for row in rows]


def variables_of(cursor: Cursor[Any], run_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = cursor.execute(
        "SELECT run_id, variables FROM journeys_runcontext WHERE run_id = ANY(%b)",
        [list(run_ids)],
    ).fetchall()
    return dict(rows)


def traits_of(cursor: Cursor[Any], customer_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = cursor.execute(
        "SELECT id, traits FROM customers_customer WHERE id = ANY(%b)", [list(customer_ids)]
    ).fetchall()
    return dict(rows)
