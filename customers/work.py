"""Queues worked off in batches, with crashes counted before the work (DESIGN §2.11).

A worker locks a batch, notes its units on a connection of its own, deletes the note within the work's
transaction and does the work. Commit: note and work are settled together. Crash: the deletion is undone, and
an old, unlocked note tells whose worker died. Its units are then worked on alone (`customers.attempts`), so that a
poison unit is found and given up after five attempts while its neighbours pass.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Error as PsycopgError
from psycopg import OperationalError

from customers.attempts import CLAIM_GRACE, RETRY_AFTER, adopt_orphans, count_attempts, due_alone, forget
from customers.limit import at_work
from customers.pg import raw_cursor

logger = logging.getLogger(__name__)

# Units of a full batch.
MOST = 1000
# Then a batch of those has its turn with which nothing is wrong.
MOST_ALONE = 100
# SQLSTATE classes and codes that may pass by themselves: connection, rollback, resources, lock, shutdown.
_PASSING = ("08", "40", "53", "55P03", "57P")


_BY_KEY = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('enable_memoize', 'off', true)"
)


@dataclass(frozen=True, slots=True)
class Queue:
    """A table of units. `pick` selects ids of `%(limit)s` units ready at `%(now)s`, locked with SKIP LOCKED;
    it must leave out units that have a row in customers_unitattempt (see `not_alone`). Where not every row waits to
    be worked on, `ready` is the condition of those that do, in the `order` of an index."""

    name: str
    table: str
    pick: str
    work: Callable[[Sequence[int], datetime], int]
    # Where a dead letter is not the end of a row (a run, say), what happens to the unit instead of deletion.
    give_up: Callable[[int, str, datetime], None] | None = None
    ready: str = "true"
    order: str = "id"


class TryAgain(Exception):
    """The world changed under the work: nothing is wrong with the units, and the next attempt sees it as it is."""


def not_alone(queue: str, column: str = "id") -> str:
    """SQL condition that leaves out units which have failed before and are worked on alone."""
    return f"NOT EXISTS (SELECT 1 FROM customers_unitattempt a WHERE a.queue = '{queue}' AND a.unit_id = {column})"


def first_in_line(queue: str, table: str) -> str:
    """The `pick` of a queue that is worked in the order of its ids."""
    return (
        f"SELECT id FROM {table} WHERE id >= %(floor)s AND {not_alone(queue, f'{table}.id')}"
        " ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED"
    )


def is_passing(error: BaseException) -> bool:
    """Whether the database says this may succeed when tried again."""
    if isinstance(error, TryAgain):
        return True
    cause = error if isinstance(error, PsycopgError) else error.__cause__
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # A connection that broke has no SQLSTATE, whether Django was told of it or a cursor beneath it.
        return isinstance(cause, OperationalError)
    return bool(state.startswith(_PASSING))


_MISSED = "ARRAY(SELECT DISTINCT queue FROM customers_batchclaim WHERE started_at < %(missed)s)"
_ALONE = "ARRAY(SELECT DISTINCT queue FROM customers_unitattempt WHERE next_at <= %(now)s)"

# By queue, the id below which nothing was left when it was last picked from. A queue begins with thousands of rows
# that are done and not yet vacuumed away; who comes back again and again need not pass them each time. What a failed
# neighbour left behind lies below, so whoever finds nothing must look once more without floors.
Floors = dict[str, int]


class Waiting(NamedTuple):
    """A queue that has something to work on; whether the dead left something to count, or units are due alone."""

    queue: Queue
    to_mend: bool


def waiting(queues: Sequence[Queue], now: datetime, floors: Floors) -> list[Waiting]:
    """Those that have something to work on, a dead worker's note to take up, or a unit due alone, by one statement.

    What the dead held may have been done by somebody else before it was missed, and what was set aside may have been in
    hand: then nothing but the note, or the attempt, is left.
    """
    first = (
        f"EXISTS (SELECT 1 FROM {q.table} WHERE id >= {floors.get(q.name, 0)} AND {q.ready} ORDER BY {q.order} LIMIT 1)"
        for q in queues
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(first)}, {_MISSED}, {_ALONE}", {"now": now, "missed": now - CLAIM_GRACE})
        *any_rows, missed, alone = cursor.fetchone()
        return [
            Waiting(queue, queue.name in missed or queue.name in alone)
            for queue, any_row in zip(queues, any_rows, strict=True)
            if any_row or queue.name in missed or queue.name in alone
        ]


def work_once(
    queue: Queue, now: datetime, limit: int = MOST, floors: Floors | None = None, *, to_mend: bool | None = None
) -> int:
    """Work on one batch and on the units that are due alone; return how many units were done. Whether there is anything
    to mend is looked for where the caller does not say."""
    done = _mend(queue, now, limit) if (_needs_mending(queue, now) if to_mend is None else to_mend) else 0
    return done + _attempt(queue, lambda: _pick(queue, now, limit, {} if floors is None else floors), now)


def _needs_mending(queue: Queue, now: datetime) -> bool:
    with raw_cursor() as cursor:
        row = cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM customers_batchclaim WHERE queue = %b AND started_at < %b)"
            " OR EXISTS (SELECT 1 FROM customers_unitattempt WHERE queue = %b AND next_at <= %b)",
            [queue.name, now - CLAIM_GRACE, queue.name, now],
            prepare=True,
        ).fetchone()
        return bool(row and row[0])


def _mend(queue: Queue, now: datetime, limit: int) -> int:
    """Count what dead workers held, then work on the units that are due alone."""
    adopt_orphans(queue, now)
    return sum(_work_on(queue, [unit], now) for unit in due_alone(queue, now, min(limit, MOST_ALONE)))


def _look_up_by_key() -> None:
    """Have this transaction plan for batches of keys: nothing else fits tables that outgrow their statistics.

    A table that was empty when it was last looked at would be read whole for every key, and prepared statements
    would go on doing so.
    """
    with raw_cursor() as cursor:
        cursor.execute(_BY_KEY, prepare=True)


def _pick(queue: Queue, now: datetime, limit: int, floors: Floors) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(queue.pick, {"now": now, "limit": limit, "floor": floors.get(queue.name, 0)})
        ids = [row[0] for row in cursor.fetchall()]
    if ids and queue.order == "id":
        floors[queue.name] = ids[0]
    return ids


def _work_on(queue: Queue, ids: Sequence[int], now: datetime) -> int:
    return _attempt(queue, lambda: ids, now)


def _attempt(queue: Queue, choose: Callable[[], Sequence[int]], now: datetime) -> int:
    """Work on the chosen units; on failure halve them until the unit at fault stands alone."""
    ids: Sequence[int] = ()
    try:
        with transaction.atomic():
            _look_up_by_key()
            ids = choose()
            if not ids:
                return 0
            _note(queue.name, ids, now)
            with at_work(queue.name, len(ids)):
                done = queue.work(ids, now)
            if len(ids) == 1:
                forget(queue, ids[0], now, is_done=bool(done))
            return done
    except Exception as error:
        if not ids:
            raise
        return _after_failure(queue, ids, error, now)


def _after_failure(queue: Queue, ids: Sequence[int], error: Exception, now: datetime) -> int:
    _drop_lost()
    # The note came back with the rollback; what failed without killing its worker is counted here, not as a death.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM customers_batchclaim WHERE queue = %s AND unit_ids = %s::bigint[]",
                [queue.name, list(ids)],
            )
        if len(ids) == 1:
            _after_failure_alone(queue, ids[0], error, now)
            return 0
    logger.warning("a batch of %s in %s failed: %s", len(ids), queue.name, describe(error))
    if is_passing(error):
        return 0
    middle = len(ids) // 2
    return _work_on(queue, ids[:middle], now) + _work_on(queue, ids[middle:], now)


def _after_failure_alone(queue: Queue, unit: int, error: Exception, now: datetime) -> None:
    """Count it, unless it says more of the database than of the unit."""
    if not is_passing(error):
        count_attempts(queue, [unit], describe(error), now)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_unitattempt SET next_at = %s WHERE queue = %s AND unit_id = %s",
            [now + RETRY_AFTER, queue.name, unit],
        )


def _drop_lost() -> None:
    """psycopg noticed the loss of a connection beneath Django; the next statement connects anew."""
    for one in (connection, getattr(_own, "connection", None)):
        if one is not None and one.connection is not None and one.connection.closed:
            one.close()


def _note(queue: str, ids: Sequence[int], now: datetime) -> None:
    """Commit a note of these units beside the present transaction, then delete it inside."""
    claim = _beside(
        "INSERT INTO customers_batchclaim (queue, unit_ids, started_at) VALUES (%b, %b, %b) RETURNING id",
        [queue, list(ids), now],
    )
    with raw_cursor() as cursor:
        cursor.execute("DELETE FROM customers_batchclaim WHERE id = %b", [claim], prepare=True)


_own = threading.local()


def _beside(sql: str, parameters: list[Any]) -> int:
    """Run one statement in a transaction of its own, on this thread's second connection."""
    if _nested():
        # Somebody else's transaction is open around us: no note could outlive it.
        return _returned(connection, sql, parameters)
    if getattr(_own, "connection", None) is None:
        _own.connection = _second_connection()
    _own.connection.close_if_unusable_or_obsolete()
    return _returned(_own.connection, sql, parameters)


def _returned(wrapper: BaseDatabaseWrapper, sql: str, parameters: list[Any]) -> int:
    with raw_cursor(wrapper) as cursor:
        row = cursor.execute(sql, parameters, prepare=True).fetchone()
        return int(row[0]) if row else 0


def _second_connection() -> BaseDatabaseWrapper:
    """A connection for notes, which need to outlive this process but not the database server's disk."""
    second = connection.copy()
    options = dict(second.settings_dict.get("OPTIONS", {}))
    options["options"] = f"{options.get('options', '')} -c synchronous_commit=off".strip()
    second.settings_dict["OPTIONS"] = options
    return second


def _nested() -> bool:
    return len(connection.savepoint_ids) > 0


def close() -> None:
    """Close this thread's second connection."""
    if getattr(_own, "connection", None) is not None:
        _own.connection.close()
        _own.connection = None


def describe(error: BaseException) -> str:
    """The kind of failure and its SQLSTATE; never the message, which may quote personal values."""
    cause = error.__cause__ or error
    state = getattr(cause, "sqlstate", None)
    return f"{type(cause).__name__}{f' ({state})' if state else ''}"
