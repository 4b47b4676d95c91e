"""Events as they are stored, told in the same transaction to those who pass them on, whichever way they came."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor


class Stored(NamedTuple):
    """An event just written; `is_past` if it fills in history."""

    id: int
    received_at: datetime
    brand_id: UUID
    source_id: UUID
    profile_id: UUID
    name: str
    is_past: bool


# Writes with a few statements, however many events there are, and never commits.
Listener = Callable[[Cursor[Any], Sequence[Stored], datetime], None]

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    if listener not in _listeners:
        _listeners.append(listener)


def tell(cursor: Cursor[Any], events: Iterable[Stored], now: datetime) -> None:
    """Let everybody know who listens; most batches hold nothing that anybody asked for."""
    if told := list(events):
        for listener in _listeners:
            listener(cursor, told, now)
