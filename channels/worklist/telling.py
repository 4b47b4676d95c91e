"""What becomes of tasks: told as events of the reserved source, and as receipts of their messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels import origins
from channels.models import Receipt, Task
from channels.receipts.note import note
from channels.receipts.telling import about
from customers import bells
from customers.awaited import names_under_lock
from customers.internal import Cause, Internal
from customers.internal import tell as tell_inside

CREATED: Final = "task.created"
CLAIMED: Final = "task.claimed"
DONE: Final = "task.done"
CANCELLED: Final = "task.cancelled"
EXPIRED: Final = "task.expired"
RESERVED: Final = (CREATED, CLAIMED, DONE, CANCELLED, EXPIRED)
# What an outcome says of the message, and by that of the number: that it is nobody's of theirs, or may be called no
# more.
_SAYS: Final = {
    Task.Outcome.REACHED: Receipt.Happened.DELIVERED,
    Task.Outcome.NOT_REACHED: Receipt.Happened.FAILED,
    Task.Outcome.WRONG_NUMBER: Receipt.Happened.BOUNCED,
    Task.Outcome.NO_MORE: Receipt.Happened.UNSUBSCRIBED,
}
_NOTHING: Final = Cause()
_ABOUT: Final = """
    SELECT t.id, t.profile_id, t.brand_id, t.kind, t.queue, t.connector_id, t.outcome, t.reason, t.claimed_at,
           m.id, m.channel, m.scope_id, m.step_id, m.origin_kind, m.origin_id, m.copy_key
    FROM channels_task t JOIN channels_message m ON m.id = t.message_id WHERE t.id = ANY(%b) ORDER BY t.id
"""


class _Message:
    """A message as far as it says who asked for it."""

    def __init__(self, row: Sequence[Any]) -> None:
        self.id, self.channel, self.scope_id, self.step_id, self.origin_kind, self.origin_id, self.copy_key = row


def tell(cursor: Cursor[Any], name: str, ids: Sequence[UUID], now: datetime) -> None:
    """Tell of these tasks as they stand now."""
    rows = cursor.execute(_ABOUT, [list(ids)]).fetchall()
    for row in rows:
        _receipt(name, row, now)
    awaited = names_under_lock()
    if name not in awaited or not rows:
        return
    causes = origins.causes_of(cursor, {(row[13], row[14]) for row in rows})
    if tell_inside(cursor, [_event(name, row, causes) for row in rows], awaited, now):
        bells.ring("engine")


def _event(name: str, row: Sequence[Any], causes: dict[tuple[str, str], Cause]) -> Internal:
    id_, profile_id, brand_id, kind, queue, _connector, outcome, reason, claimed_at = row[:9]
    message = _Message(row[9:])
    said = about(message) | {"task": str(id_), "kind": kind, "queue": queue}
    said |= {word: value for word, value in (("outcome", outcome), ("reason", reason)) if value}
    # One that was released is claimed once more, which is something new.
    turn = f"-{claimed_at.timestamp():.6f}" if name == CLAIMED else ""
    cause = causes.get((message.origin_kind, message.origin_id), _NOTHING)
    return Internal(name, profile_id, f"{name}-{id_}{turn}", said, cause, brand_id)


def _receipt(name: str, row: Sequence[Any], now: datetime) -> None:
    connector_id, outcome, reason, message_id = row[5], row[6], row[7], row[9]
    if name == DONE:
        note(connector_id, message_id, _SAYS[Task.Outcome(outcome)], outcome, now)
    elif name in (CANCELLED, EXPIRED):
        note(connector_id, message_id, Receipt.Happened.FAILED, reason, now)
