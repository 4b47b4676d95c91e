"""Making a task of a message: in the very transaction that sends it, so that there is one exactly where it was sent."""

from typing import Any, Final
from uuid import UUID

from channels.models import Task
from channels.providers.base import Accepted, DeliveryError, Outgoing
from channels.worklist.telling import CREATED, tell
from customers.ids import new_id
from customers.pg import raw_cursor

_LONGEST: Final = 500
_QUEUE: Final = 60
_MAKE: Final = """
    INSERT INTO channels_task (id, key, brand_id, squad_id, connector_id, message_id, profile_id, address_id, kind,
        queue, title, instructions, priority, state, reason, made_at, due_at, outcome, note)
    SELECT %b, %b, m.brand_id, c.squad_id, m.connector_id, m.id, m.profile_id, m.address_id, %b,
           %b, %b, %b, m.priority, 'open', '', %b, m.expires_at, '', ''
    FROM channels_message m JOIN channels_connector c ON c.id = m.connector_id WHERE m.id = %b
    ON CONFLICT (key) DO NOTHING RETURNING id
"""


def make(outgoing: Outgoing, kind: Task.Kind, queue: str) -> Accepted:
    """The task of this message, new or there already."""
    title = (outgoing.subject or outgoing.text.partition("\n")[0]).strip()[:_LONGEST]
    named = str(outgoing.options.get("queue", "")).strip() or queue
    if not title:
        raise DeliveryError("the template says nothing to be done", permanent=True)
    if len(named) > _QUEUE:
        raise DeliveryError(f"the queue's name is longer than {_QUEUE} characters", permanent=True)
    values: list[Any] = [new_id(), outgoing.key, kind.value, named, title, outgoing.text, outgoing.at]
    with raw_cursor() as cursor:
        row = cursor.execute(_MAKE, [*values, outgoing.message_id]).fetchone()
        if row is not None:
            tell(cursor, CREATED, [row[0]], outgoing.at)
    return Accepted(f"task-{row[0] if row else _known(outgoing.key)}")


def _known(key: UUID) -> UUID:
    found = Task.objects.filter(key=key).values_list("pk", flat=True).first()
    if found is None:
        raise DeliveryError("the message of this task is gone", permanent=True)
    return found
