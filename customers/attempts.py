"""Units that failed, or over which a worker died: counted, worked on alone, and given up after five attempts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from customers.work import Queue

MAX_ATTEMPTS = 5
# Between noting a batch and deleting the note lie milliseconds; a note unlocked for longer is a dead worker's.
CLAIM_GRACE = timedelta(seconds=5)
RETRY_AFTER = timedelta(seconds=1)
ALONE_LEASE = timedelta(seconds=30)

_DIED = "worker died"


def adopt_orphans(queue: "Queue", now: datetime) -> None:
    """Set aside every unit whose worker died while it held it, and free those notes.

    A death over a single unit counts against it. One over a batch says of none that it was at fault, and until it is
    missed, other workers may die over the same batch: its units are set aside to be worked on alone, once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_batchclaim WHERE id IN (SELECT id FROM customers_batchclaim"
            " WHERE queue = %s AND started_at < %s ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING unit_ids",
            [queue.name, now - CLAIM_GRACE],
        )
        held = [row[0] for row in cursor.fetchall()]
        if company := sorted({unit for units in held if len(units) > 1 for unit in units}):
            _set_aside(queue, company, _DIED, now)
        for (unit,) in sorted(units for units in held if len(units) == 1):
            count_attempts(queue, [unit], _DIED, now)


def due_alone(queue: "Queue", now: datetime, most: int) -> Iterator[int]:
    """Units whose turn to be worked on alone has come, each set aside from other workers only when it is its turn:
    whoever dies over one of them holds up none of the others. Those least tried come first, as the others are more
    likely to kill."""
    for _turn in range(most):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE customers_unitattempt SET next_at = %s WHERE (queue, unit_id) IN ("
                " SELECT queue, unit_id FROM customers_unitattempt WHERE queue = %s AND next_at <= %s"
                " ORDER BY attempts, unit_id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING unit_id",
                [now + ALONE_LEASE, queue.name, now],
            )
            row = cursor.fetchone()
        if row is None:
            return
        yield row[0]


_TRIED = (
    "INSERT INTO customers_unitattempt AS a (queue, unit_id, attempts, reason, next_at)"
    " SELECT %s, id, 1, %s, %s FROM {table} WHERE id = ANY(%s) ON CONFLICT (queue, unit_id) DO "
)


def _set_aside(queue: "Queue", units: Sequence[int], reason: str, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_TRIED.format(table=queue.table)} NOTHING", [queue.name, reason, now + RETRY_AFTER, list(units)]
        )


def count_attempts(queue: "Queue", units: Sequence[int], reason: str, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_TRIED.format(table=queue.table)} UPDATE SET attempts = a.attempts + 1,"
            " reason = excluded.reason, next_at = excluded.next_at RETURNING unit_id, attempts",
            [queue.name, reason, now + RETRY_AFTER, list(units)],
        )
        spent = [unit for unit, attempts in cursor.fetchall() if attempts >= MAX_ATTEMPTS]
    for unit in spent:
        _bury(queue, unit, reason, now)


def _bury(queue: "Queue", unit: int, reason: str, now: datetime) -> None:
    """Move a unit out of its queue into the dead letters, whole, so that a replay can put it back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_deadletter (at, queue, unit_id, reason, attempts, row)"
            f" SELECT %s, %s, id, %s, %s, to_jsonb(t) FROM {queue.table} t WHERE id = %s",
            [now, queue.name, reason, MAX_ATTEMPTS, unit],
        )
        if queue.give_up is None:
            cursor.execute(f"DELETE FROM {queue.table} WHERE id = %s", [unit])
    if queue.give_up is not None:
        queue.give_up(unit, reason, now)
    forget(queue, unit, now, is_done=True)


def forget(queue: "Queue", unit: int, now: datetime, *, is_done: bool) -> None:
    """Strike a unit's attempts; of one that was not done, if it does not wait to be worked on any more."""
    waits = f"EXISTS (SELECT 1 FROM {queue.table} WHERE id = %(unit)s AND {queue.ready})"
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM customers_unitattempt WHERE queue = %(queue)s AND unit_id = %(unit)s"
            f" AND (%(is_done)s OR NOT {waits})",
            {"queue": queue.name, "unit": unit, "now": now, "is_done": is_done},
        )
