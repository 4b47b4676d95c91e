"""Consent that could not be applied, kept in the quarantine where people find it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor

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
    rows = (
        (
            one.received_at,
            one.source_id,
            DOOR,
            one.code,
            one.pointer[:500],
            one.detail,
            one.message_id,
            one.name,
            one.raw[:_MAX_RAW],
            QuarantinedEvent.Status.OPEN.value,
        )
        for one in refused
    )
    copy_rows(cursor, "customers_quarantinedevent", _COLUMNS, rows)
