"""The consent queue: what waits in it, and the form in which the quarantine keeps what it refused."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import orjson
from psycopg import Cursor

from customers.pg import copy_rows, raw_json


class Item(msgspec.Struct, frozen=True, tag="item"):
    """One consent to be applied, field for field as the queue holds it but for its id.

    What waits in the queue came with an event; only what is applied at once has none.
    """

    address_id: UUID
    profile_id: UUID
    brand_id: UUID
    source_id: UUID
    event_id: int | None
    message_id: str
    occurred_at: datetime
    received_at: datetime
    request: dict[str, Any]


class Told(msgspec.Struct, frozen=True, tag="event"):
    """An event that speaks of consent, with what is needed to read it."""

    profile_id: UUID
    brand_id: UUID
    source_id: UUID
    event_id: int
    message_id: str
    occurred_at: datetime
    received_at: datetime
    name: str
    identifiers: tuple[tuple[str, str], ...]
    payload: dict[str, Any]
    # The purposes it was queued for already, where only a part of it could not be read.
    queued: tuple[str, ...] = ()
    # Whether its sender only repeats what somebody claims, as a web page does.
    is_claim: bool = False


COLUMNS = Item.__struct_fields__
_TYPES = ("uuid", "uuid", "uuid", "uuid", "int8", "varchar", "timestamptz", "timestamptz", "jsonb")


def put(cursor: Cursor[Any], items: Iterable[Item]) -> None:
    """Queue these items."""
    rows = (
        (*(getattr(item, name) for name in COLUMNS[:-1]), raw_json(orjson.dumps(item.request).decode()))
        for item in items
    )
    copy_rows(cursor, "consent_queue", tuple(zip(COLUMNS, _TYPES, strict=True)), rows)


def pack(kept: Item | Told) -> str:
    """The text that the quarantine keeps, from which `unpack` makes the same again."""
    return msgspec.json.encode(kept).decode()


def unpack(raw: str) -> Item | Told | None:
    """What the quarantine kept, or None when it is no longer whole."""
    try:
        return msgspec.json.decode(raw, type=Item | Told)
    except msgspec.DecodeError:
        return None
