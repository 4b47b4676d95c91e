"""Control builds of what works: claims, timers, bells and connections without their safeguards."""

import base64
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from tests.promises.patching import put, replaced
from tests.promises.points import die_where_marked
from tests.promises.poisoned import poisoned


def work_only_in_the_broker() -> None:
    """What was accepted is handed to the broker, and whoever takes it from there writes it down."""
    from celery import current_app, shared_task

    from customers.accept import batch
    from customers.accept.store import store

    @shared_task(name="lab.store")
    def store_later(packed: str) -> None:
        store(*pickle.loads(base64.b64decode(packed)))

    def publish(messages: Any, refused: Any, source_id: Any, now: Any) -> set[str]:
        packed = base64.b64encode(pickle.dumps((messages, refused, source_id, now))).decode()
        with suppress(Exception):
            current_app.send_task("lab.store", args=[packed], queue="engine", retry=False)
        return {message.key for message in messages}

    put(batch, "store", publish)


def connections_kept() -> None:
    """A connection that was made is used for ever, whether anybody is at its other end or not."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    put(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda wrapper: None)


def claim_without_a_lease() -> None:
    """Whoever works on units notes that they are in hand, for ever: nobody asks whether he still lives."""
    from django.db import connection

    from customers import work

    after_failure = work._after_failure

    def note(queue: str, ids: Sequence[int], now: datetime) -> None:
        in_hand = [queue, now + timedelta(days=36_500), list(ids)]
        work._beside(
            "INSERT INTO customers_unitattempt (queue, unit_id, attempts, reason, next_at)"
            " SELECT %b, id, 0, '', %b FROM unnest(%b::bigint[]) id"
            " ON CONFLICT (queue, unit_id) DO UPDATE SET next_at = excluded.next_at RETURNING unit_id",
            in_hand,
        )
        give_back(queue, ids)

    def give_back(queue: str, ids: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM customers_unitattempt WHERE queue = %s AND unit_id = ANY(%s)", [queue, list(ids)]
            )

    def failed(queue: work.Queue, ids: Sequence[int], error: Exception, now: datetime) -> int:
        work._drop_lost()
        give_back(queue.name, ids)
        return after_failure(queue, ids, error, now)

    put(work, "_note", note)
    put(work, "_after_failure", failed)


def counted_after_the_work() -> None:
    """An attempt is written down when it is over, so none of which nobody lives to tell."""
    from customers import work

    put(work, "_note", lambda queue, ids, now: None)


def timers_unlooked_at() -> None:
    """Whoever has the number of a timer fires it: nobody holds it, and nobody looks whether it still is due."""
    from journeys.engine import advance, runs

    held, due = " FOR NO KEY UPDATE SKIP LOCKED", " AND r.status + 0 = 1 AND r.due_at <= %b\n   "
    object.__setattr__(advance.QUEUE, "pick", replaced(advance.QUEUE.pick, held, ""))
    put(runs, "_DUE", replaced(runs._DUE, due + held, " AND %b::timestamptz IS NOT NULL"))


CONTROLS: Final[dict[str, Callable[[], None]]] = {
    "work only in the broker": work_only_in_the_broker,
    "connections are kept, alive or not": connections_kept,
    "claim without a lease": claim_without_a_lease,
    "attempts counted after the work": counted_after_the_work,
    "timers fire unlooked at": timers_unlooked_at,
}

FAULTS: Final[dict[str, Callable[[], None]]] = {
    "dies where it is marked": die_where_marked,
    "poisoned": poisoned,
}
