"""What a process may go on believing of small tables for a moment, so that hot paths do not read them each time."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db import connection

_T = TypeVar("_T")

# How long after a change the old answer may still be given.
BELIEVED_FOR = timedelta(seconds=1)

_beliefs: list["Belief[object]"] = []


class Belief(Generic[_T]):
    """What `load` made of these tables, made again when something about them has changed."""

    def __init__(self, tables: Sequence[str], load: Callable[[], _T]) -> None:
        self._tables = tables
        self._load = load
        self._read_at: datetime | None = None
        self._signature = ""
        self._value: _T | None = None
        _beliefs.append(self)  # type: ignore[arg-type]  # forgotten all alike

    def current(self, now: datetime) -> _T:
        if self._value is None or self._read_at is None or not timedelta(0) <= now - self._read_at < BELIEVED_FOR:
            signature = self._look()
            if self._value is None or signature != self._signature:
                self._value, self._signature = self._load(), signature
            self._read_at = now
        return self._value

    def forget(self) -> None:
        self._value, self._read_at, self._signature = None, None, ""

    def _look(self) -> str:
        """Where every row stands in its table: PostgreSQL moves a row with each change."""
        parts = " UNION ALL ".join(
            f"SELECT '{table}.' || ctid || '.' || xmin AS at FROM {table}" for table in self._tables
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(md5(string_agg(at, ',' ORDER BY at)), 'none') FROM ({parts}) rows")
            return str(cursor.fetchone()[0])


def forget_all() -> None:
    """Believe nothing any more."""
    for belief in _beliefs:
        belief.forget()
