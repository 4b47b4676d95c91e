"""Replay of dead letters: the row goes back into its queue as it stood, for five attempts more."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import connection, transaction

from customers import bells
from customers.work import Queue

_tables: dict[str, str] = {}
# Of queues whose rows stay where they are: what has units worked on anew, closes their letters and says how many.
_anew: dict[str, Callable[[Sequence[int], datetime], int]] = {}

_CHOSEN = """
    SELECT queue, array_agg(id), array_agg(unit_id) FROM (
        SELECT id, queue, unit_id FROM customers_deadletter
        WHERE id = ANY(%s) AND replayed_at IS NULL ORDER BY id FOR UPDATE
    ) chosen GROUP BY queue
"""
# A unit's row that is still there (or there again) is the truth about it; the letter's copy is not.
_PUT_BACK = """
    WITH back AS (
        INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, d.row)).*
        FROM customers_deadletter d WHERE d.id = ANY(%s) ORDER BY d.unit_id
        ON CONFLICT DO NOTHING RETURNING id
    )
    UPDATE customers_deadletter d SET replayed_at = %s FROM back
    WHERE d.id = ANY(%s) AND d.unit_id = back.id
"""

_CLOSE = """
    UPDATE customers_deadletter SET replayed_at = %s
    WHERE queue = %s AND unit_id = ANY(%s) AND replayed_at IS NULL
"""


def register(*queues: Queue) -> None:
    """Let the dead letters of these queues be replayed; not those whose rows stay where they are."""
    _tables.update({queue.name: queue.table for queue in queues})


def register_staying(queue: str, anew: Callable[[Sequence[int], datetime], int]) -> None:
    """Let the dead letters of this queue, whose rows stay where they are, be replayed by `anew`."""
    _anew[queue] = anew


def close(queue: str, units: Sequence[int], now: datetime) -> None:
    """Nothing lies here any more of units that are worked on anew."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [now, queue, list(units)])


def replay(ids: Sequence[int], now: datetime) -> int:
    """Put back what these letters tell of, where it is missing; return how many units are queued again."""
    replayed = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CHOSEN, [list(ids)])
        for queue, letters, units in cursor.fetchall():
            if queue in _anew:
                replayed += _anew[queue](units, now)
            elif queue in _tables:
                cursor.execute(_PUT_BACK.format(table=_tables[queue]), [letters, now, letters])
                replayed += cursor.rowcount
        if replayed:
            bells.ring("engine")
    return replayed
