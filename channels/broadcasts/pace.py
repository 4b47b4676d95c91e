"""The throttle of a broadcast: at most so many people in any minute, spread over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor
from psycopg.types.json import Jsonb

_MINUTE: Final = timedelta(minutes=1)
_READ: Final = "SELECT paced_until, lately FROM channels_broadcastprogress WHERE broadcast_id = %b FOR UPDATE"
_WRITE: Final = "UPDATE channels_broadcastprogress SET paced_until = %b, lately = %b WHERE broadcast_id = %b"
# What was saved up while nobody looked is let go at once up to so much.
_SAVED: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Pace:
    """`until`: up to when what was let go is spread. `lately`: how many were let go when, in the last minute."""

    until: datetime | None = None
    lately: Sequence[tuple[datetime, int]] = ()

    def leave(self, per_minute: int, now: datetime) -> int:
        """How many may be let go now."""
        each = _MINUTE / per_minute
        saved = now - self._since(per_minute, now)
        spread = saved // each
        return max(min(spread, per_minute - sum(count for _at, count in self._recent(now))), 0)

    def after(self, count: int, per_minute: int, now: datetime) -> "Pace":
        """Once `count` were let go."""
        until = self._since(per_minute, now) + count * _MINUTE / per_minute
        recent = self._recent(now)
        if recent and recent[-1][0].replace(microsecond=0) == now.replace(microsecond=0):
            # One entry a second, by the later moment: so a minute is never taken for over too early.
            count += recent.pop()[1]
        return Pace(until, [*recent, *([(now, count)] if count else [])])

    def _since(self, per_minute: int, now: datetime) -> datetime:
        # Of a slow one the first goes at once, and each has its span behind it.
        most = _SAVED + _MINUTE / per_minute
        first = now - max(timedelta(seconds=1), _MINUTE / per_minute)
        return first if self.until is None else max(self.until, now - most)

    def _recent(self, now: datetime) -> list[tuple[datetime, int]]:
        return [(at, count) for at, count in self.lately if at > now - _MINUTE]


def take_turn(cursor: Cursor[Any], broadcast_id: UUID) -> Pace:
    """The pace so far; nobody else lets anybody go until the transaction ends."""
    [[until, lately]] = cursor.execute(_READ, [broadcast_id]).fetchall()
    return Pace(until, [(datetime.fromisoformat(at), count) for at, count in lately])


def keep(cursor: Cursor[Any], broadcast_id: UUID, pace: Pace) -> None:
    lately = [[at.isoformat(), count] for at, count in pace.lately]
    cursor.execute(_WRITE, [pace.until, Jsonb(lately), broadcast_id])
