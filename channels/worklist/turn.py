"""A task's turn: claimed by somebody, given back, or done; one at a time, whoever asks at once.

A claim asks what a send asks, under the same locks in the same order (stop, address, cap, task), as does every further
claim of who has it in hand: the call happens now, not when the task was made.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import DatabaseError, transaction
from psycopg import Cursor

from channels.models import Reason, Receipt, Task
from channels.receipts import apply as receipts
from channels.stops import is_stopped
from channels.worklist.asking import NotNow, Objection, objection, pace, subject_of
from channels.worklist.telling import CANCELLED, CLAIMED, DONE, tell
from consent.permission import lock_address
from customers.pg import raw_cursor

State = Task.State
# Whoever asks for a task waits for a call that is being made to the address, and not much longer.
_PATIENCE_SECONDS: Final = 2.0
_BUSY: Final = frozenset(("55P03", "40001", "40P01"))
_LOCK: Final = "SELECT state, due_at, assignee_id, token_id FROM channels_task WHERE id = %b FOR UPDATE"
_CLAIM: Final = """
    WITH mine AS (
        UPDATE channels_task SET state = 'claimed', reason = '', not_before = NULL, claimed_at = %(now)s,
            assignee_id = %(user)s, token_id = %(token)s
        WHERE id = %(id)s RETURNING message_id
    )
    -- They are called now: from now on it counts under caps.
    UPDATE channels_message m SET settled_at = %(now)s FROM mine WHERE m.id = mine.message_id
"""
_OPEN: Final = "state = 'open', claimed_at = NULL, assignee_id = NULL, token_id = NULL"
_RELEASE: Final = f"UPDATE channels_task SET {_OPEN} WHERE id = %b"
_PUT_OFF: Final = f"UPDATE channels_task SET {_OPEN}, reason = %b, not_before = %b WHERE id = %b"
_END: Final = "UPDATE channels_task SET state = %b, reason = %b, not_before = NULL, ended_at = %b WHERE id = %b"
_DONE: Final = "UPDATE channels_task SET state = 'done', outcome = %b, note = %b, ended_at = %b WHERE id = %b"
# What somebody said on the phone that takes an agreement, or a number, away: it holds once it is written down.
_AT_ONCE: Final = (Receipt.Happened.UNSUBSCRIBED.value, Receipt.Happened.BOUNCED.value)


@dataclass(frozen=True, slots=True)
class By:
    """Who does it: one of the staff, or a partner by its token."""

    user_id: int | None = None
    token_id: UUID | None = None


class NotYours(Exception):
    """It is in nobody's hand, in another's, or over: `state` says."""

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(state)


def claim(task_id: UUID, by: By, now: datetime) -> Objection | None:
    """Take it in hand; None if so. Else why it is not to be done: it was cancelled then and there, or put off.
    Raises NotYours or NotNow."""
    try:
        with transaction.atomic(), raw_cursor() as cursor:
            return _claim(cursor, task_id, by, now)
    except (psycopg.Error, DatabaseError) as error:
        if _sqlstate(error) in _BUSY:
            raise NotNow(Reason.BUSY) from error
        raise


def _claim(cursor: Cursor[Any], task_id: UUID, by: By, now: datetime) -> Objection | None:
    task = subject_of(cursor, task_id)
    if task is None:
        raise NotYours("")
    if is_stopped(cursor, task.scopes, patience=_PATIENCE_SECONDS):
        raise NotNow(Reason.STOPPED)
    if not task.is_on:
        raise NotNow(Reason.CONNECTOR_OFF)
    if task.address_id is not None:
        lock_address(task.address_id)
    paced = pace(cursor, task, now)
    state, due_at, assignee_id, token_id = _locked(cursor, task_id)
    is_mine = state == State.CLAIMED and (assignee_id, token_id) == (by.user_id, by.token_id)
    if state != State.OPEN and not is_mine:
        raise NotYours(state)
    # What is in hand as its time is over may be finished.
    late = None if is_mine else Objection(Reason.LATE)
    found = late if due_at <= now else objection(task, paced, due_at, now)
    if found is None and not is_mine:
        cursor.execute(_CLAIM, {"now": now, "user": by.user_id, "token": by.token_id, "id": task_id})
        tell(cursor, CLAIMED, [task_id], now)
    elif found is not None and found.until is not None:
        cursor.execute(_PUT_OFF, [found.reason, found.until, task_id])
    elif found is not None:
        cursor.execute(_END, [State.CANCELLED.value, found.reason, now, task_id])
        tell(cursor, CANCELLED, [task_id], now)
    return found


def release(task_id: UUID, by: By, now: datetime) -> None:
    """Give it back, for anybody to claim. Raises NotYours."""
    with transaction.atomic(), raw_cursor() as cursor:
        _in_hand(cursor, task_id, by)
        cursor.execute(_RELEASE, [task_id])


def take_back(task_id: UUID) -> None:
    """Have it open again, whoever has it in hand. Raises NotYours where nobody has."""
    with transaction.atomic(), raw_cursor() as cursor:
        state, *_rest = _locked(cursor, task_id)
        if state != State.CLAIMED:
            raise NotYours(state)
        cursor.execute(_RELEASE, [task_id])


def complete(task_id: UUID, by: By, outcome: Task.Outcome, note: str, now: datetime) -> None:
    """It is done, and this came of it; a no holds once this returns. Raises NotYours; the same said again of what they
    did is no error."""
    with transaction.atomic(), raw_cursor() as cursor:
        try:
            _in_hand(cursor, task_id, by)
        except NotYours as error:
            if error.state != State.DONE or not _is_theirs(task_id, by, outcome):
                raise
        else:
            cursor.execute(_DONE, [outcome.value, note, now, task_id])
            tell(cursor, DONE, [task_id], now)
    told = Receipt.objects.filter(message_key__in=Task.objects.filter(pk=task_id).values("message_id"))
    ids = list(told.filter(happened__in=_AT_ONCE, applied_at=None).values_list("pk", flat=True))
    if ids:
        receipts.apply(ids, now, patiently=True)


def _locked(cursor: Cursor[Any], task_id: UUID) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = cursor.execute(_LOCK, [task_id]).fetchone()
    if row is None:
        raise NotYours("")
    return row


def _in_hand(cursor: Cursor[Any], task_id: UUID, by: By) -> None:
    state, _due, assignee_id, token_id = _locked(cursor, task_id)
    if state != State.CLAIMED or (assignee_id, token_id) != (by.user_id, by.token_id):
        raise NotYours(state)


def _is_theirs(task_id: UUID, by: By, outcome: Task.Outcome) -> bool:
    return Task.objects.filter(pk=task_id, assignee_id=by.user_id, token_id=by.token_id, outcome=outcome.value).exists()


def _sqlstate(error: Exception) -> str | None:
    return getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
