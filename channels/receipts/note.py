"""What a provider says of an address in the very answer to a call: a receipt like those it calls us back with."""

from datetime import datetime
from typing import Final
from uuid import UUID

from channels.models.callback import Receipt
from customers import bells
from customers.ids import hash_uuid
from customers.pg import raw_cursor

_NOTE: Final = """
    INSERT INTO channels_receipt
        (connector_id, message_key, provider_id, happened, at, received_at, code, detail, is_machine, key, look_at,
         tries, outcome)
    VALUES (%s, %s, '', %s, %s, %s, %s, '', false, %s, %s, 0, '') ON CONFLICT (key) DO NOTHING
"""


def note(connector_id: UUID, message_id: UUID, happened: Receipt.Happened, code: str, now: datetime) -> None:
    """Within the caller's transaction; applied once that is over, as the message is locked until then."""
    key = hash_uuid("receipt", str(connector_id), str(message_id), happened, "answer")
    with raw_cursor() as cursor:
        cursor.execute(_NOTE, [connector_id, message_id, happened.value, now, now, code[:60], key, now])
    bells.ring("engine")
