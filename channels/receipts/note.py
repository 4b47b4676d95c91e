"""What a provider says of an address in the very answer to a call: a receipt like those it calls us back with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from channels.models.callback import Receipt
from customers import bells
from customers.ids import hash_uuid
from customers.pg import raw_cursor

# In order of their keys, so that two who note the same never wait for each other.
_NOTE: Final = """
    INSERT INTO channels_receipt
        (connector_id, message_key, provider_id, happened, at, received_at, code, detail, is_machine, key, look_at,
         tries, outcome)
    SELECT u.connector, u.message, '', u.happened, %(now)s, %(now)s, u.code, '', false, u.key, %(now)s, 0, ''
    FROM unnest(%(connectors)s::uuid[], %(messages)s::uuid[], %(happened)s::text[], %(codes)s::text[],
                %(keys)s::uuid[]) AS u(connector, message, happened, code, key)
    ORDER BY u.key ON CONFLICT (key) DO NOTHING
"""


class Told(NamedTuple):
    connector_id: UUID
    message_id: UUID
    happened: Receipt.Happened
    code: str = ""


def note(connector_id: UUID, message_id: UUID, happened: Receipt.Happened, code: str, now: datetime) -> None:
    """Within the caller's transaction; applied once that is over, as the message is locked until then."""
    note_all([Told(connector_id, message_id, happened, code)], now)


def note_all(told: Sequence[Told], now: datetime) -> None:
    """The same for all of these by one statement and one bell; the very same for each repetition, so kept once."""
    if not told:
        return
    values = {
        "now": now,
        "connectors": [one.connector_id for one in told],
        "messages": [one.message_id for one in told],
        "happened": [one.happened.value for one in told],
        "codes": [one.code[:60] for one in told],
        "keys": [_key(one) for one in told],
    }
    with raw_cursor() as cursor:
        cursor.execute(_NOTE, values)
    bells.ring("engine")


def _key(told: Told) -> UUID:
    return hash_uuid("receipt", str(told.connector_id), str(told.message_id), told.happened, "answer")
