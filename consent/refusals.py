"""Consent that could not be applied, kept in the quarantine where people find it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

from customers.accept.refused import RefusedItem, without_the_erased
from customers.models import QuarantinedEvent
from customers.pg import copy_rows

DOOR = "consent"
_MAX_RAW = 65_536

_COLUMNS = (
    ("received_at", "timestamptz"),
    ("source_id", "uuid"),
    ("door", "varchar"),
    ("code", "varchar"),
    ("pointer", "varchar"),
    ("detail", "text"),
    ("message_id", "varchar"),
    ("name", "varchar"),
    ("raw", "text"),
    ("status", "varchar"),
    ("reason", "varchar"),
    ("settled_at", "timestamptz"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    received_at: datetime
    source_id: UUID
    code: str
    pointer: str
    detail: str
    message_id: str
    name: str
    raw: str


def keep(cursor: Cursor[Any], refused: Sequence[Refused]) -> None:
    """Write these refusals down, all in one statement."""
    if not refused:
        return
    items: dict[tuple[UUID, datetime], list[RefusedItem]] = {}
    for one in refused:
        items.setdefault((one.source_id, one.received_at), []).append(_item(one))
    rows = (
        _row(item, source_id, at)
        for (source_id, at), held in items.items()
        for item in without_the_erased(held, source_id, at)
    )
    # Whom they name is looked up on the connection that copies.
    copy_rows(cursor, "customers_quarantinedevent", _COLUMNS, list(rows))


def _item(one: Refused) -> RefusedItem:
    return RefusedItem(DOOR, one.code, one.pointer[:500], one.detail, one.message_id, one.name, one.raw[:_MAX_RAW])


def _row(item: RefusedItem, source_id: UUID, at: datetime) -> tuple[Any, ...]:
    told = (at, source_id, item.door, item.code, item.pointer, item.detail, item.message_id, item.name, item.raw)
    if item.is_gone:
        return (*told, QuarantinedEvent.Status.DISCARDED.value, QuarantinedEvent.Reason.ERASED.value, at)
    return (*told, QuarantinedEvent.Status.OPEN.value, "", None)
