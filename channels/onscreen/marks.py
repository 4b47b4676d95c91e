"""What a visitor did with what they were shown: noted once, and told as any other provider's receipt is.

An item that was shown has arrived, one that was read is opened; what a slot shows is read where it stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from channels.models.callback import Receipt
from channels.receipts.note import Told, note_all
from customers.pg import raw_cursor
from customers.visitors.profiles import Visitor

Happened = Receipt.Happened


class Mark(StrEnum):
    SHOWN = "shown"
    READ = "read"
    CLICKED = "clicked"
    DISMISSED = "dismissed"


_ITEMS: Final = "channels_inappitem"
_PLACEMENTS: Final = "channels_webplacement"
# In order of their keys, so that two calls of one visitor never wait for each other.
_LOCK: Final = """
    SELECT i.id, m.connector_id, i.message_id FROM {table} i JOIN channels_message m ON m.id = i.message_id
    WHERE i.id = ANY(%(ids)s) AND i.profile_id = ANY(%(profiles)s) AND i.brand_id = %(brand)s
    ORDER BY i.id FOR UPDATE OF i
"""
# What each mark implies: who clicks has read, who reads was shown it.
_IMPLIED: Final[Mapping[str, Mapping[Mark, Sequence[str]]]] = {
    _ITEMS: {
        Mark.SHOWN: ("shown_at",),
        Mark.READ: ("shown_at", "read_at"),
        Mark.CLICKED: ("shown_at", "read_at", "clicked_at"),
        Mark.DISMISSED: ("shown_at", "dismissed_at"),
    },
    _PLACEMENTS: {
        Mark.SHOWN: ("shown_at",),
        Mark.READ: ("shown_at",),
        Mark.CLICKED: ("shown_at", "clicked_at"),
        Mark.DISMISSED: ("shown_at", "dismissed_at"),
    },
}
# Nothing is told of what was put away unread: that it arrived is known.
_TOLD: Final[Mapping[str, Mapping[Mark, Happened]]] = {
    _ITEMS: {
        Mark.SHOWN: Happened.DELIVERED,
        Mark.READ: Happened.OPENED,
        Mark.CLICKED: Happened.CLICKED,
        Mark.DISMISSED: Happened.DELIVERED,
    },
    _PLACEMENTS: {
        Mark.SHOWN: Happened.OPENED,
        Mark.READ: Happened.OPENED,
        Mark.CLICKED: Happened.CLICKED,
        Mark.DISMISSED: Happened.OPENED,
    },
}


def mark_items(visitor: Visitor, brand_id: UUID, asked: Mapping[UUID, Iterable[Mark]], now: datetime) -> set[UUID]:
    """Which of these are the visitor's; what is not is left as it was, and nobody learns whether it is there."""
    return _mark(_ITEMS, visitor, brand_id, asked, now)


def mark_placements(visitor: Visitor, brand_id: UUID, asked: Mapping[UUID, Iterable[Mark]], now: datetime) -> set[UUID]:
    return _mark(_PLACEMENTS, visitor, brand_id, asked, now)


def _mark(
    table: str, visitor: Visitor, brand_id: UUID, asked: Mapping[UUID, Iterable[Mark]], now: datetime
) -> set[UUID]:
    if not visitor.customers:
        return set()
    by_mark: dict[Mark, list[UUID]] = {}
    for id_, marks in asked.items():
        for mark in marks:
            by_mark.setdefault(mark, []).append(id_)
    values = {"ids": list(asked), "profiles": visitor.profiles, "brand": brand_id}
    with transaction.atomic(), raw_cursor() as cursor:
        rows: list[tuple[UUID, UUID, UUID]] = cursor.execute(_LOCK.format(table=table), values).fetchall()
        theirs = {id_: (connector_id, message_id) for id_, connector_id, message_id in rows}
        told: list[Told] = []
        for mark, ids in sorted(by_mark.items()):
            known = [id_ for id_ in ids if id_ in theirs]
            cursor.execute(_statement(table, mark), {"ids": known, "now": now})
            told += [Told(*theirs[id_], _TOLD[table][mark]) for id_ in known]
        note_all(told, now)
    return set(theirs)


def _statement(table: str, mark: Mark) -> str:
    marked = ", ".join(f"{name} = coalesce({name}, %(now)s)" for name in _IMPLIED[table][mark])
    return f"UPDATE {table} SET {marked} WHERE id = ANY(%(ids)s)"
