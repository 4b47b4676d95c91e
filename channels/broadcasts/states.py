"""Where a broadcast may go from where it stands, and the one door through which it goes: each move is a row."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from psycopg import Cursor
from psycopg.types.json import Jsonb

from channels.models import Broadcast
from customers.pg import raw_cursor

State = Broadcast.State

# What it does by itself, or would if it were not paused.
UNDER_WAY: Final = frozenset((State.ENROLLING, State.PILOT, State.WAITING, State.SENDING))
OVER: Final = frozenset((State.STOPPED, State.DONE))
MOVES: Final[Mapping[str, frozenset[str]]] = {
    State.DRAFT: frozenset((State.SCHEDULED,)),
    State.SCHEDULED: frozenset((State.DRAFT, State.ENROLLING, State.STOPPED)),
    State.ENROLLING: frozenset((State.PILOT, State.SENDING, State.PAUSED, State.STOPPED)),
    State.PILOT: frozenset((State.WAITING, State.PAUSED, State.STOPPED)),
    # To itself once its rule leaves it to a person.
    State.WAITING: frozenset((State.WAITING, State.SENDING, State.PAUSED, State.STOPPED)),
    State.SENDING: frozenset((State.DONE, State.PAUSED, State.STOPPED)),
    # Back to where it came from, and nowhere else: see `_is_allowed`.
    State.PAUSED: frozenset((*UNDER_WAY, State.STOPPED)),
    State.STOPPED: frozenset(),
    State.DONE: frozenset(),
}
_SET: Final = """
    UPDATE channels_broadcast b SET state = %(to)s::text,
        came_from = CASE WHEN %(to)s::text = 'paused' THEN %(from)s::text ELSE '' END,
        ended_at = CASE WHEN %(over)s::bool THEN %(now)s::timestamptz END
    WHERE b.id = %(id)s
"""
_KEEP: Final = """
    INSERT INTO channels_broadcastmove (broadcast_id, at, by_id, token_id, state_from, state_to, reason, numbers)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_LONGEST: Final = 500


class NotPossible(Exception):
    """The broadcast does not stand where this can be done; the text is for people."""


class NotThere(NotPossible):
    """It stands elsewhere than the move begins: somebody else was quicker."""


@dataclass(frozen=True, slots=True)
class By:
    """Who has it moved: one of the staff, a partner by its token, or neither: the schedule or a rule."""

    user: AbstractBaseUser | None = None
    token_id: UUID | None = None

    @property
    def user_id(self) -> int | None:
        return None if self.user is None else self.user.pk


ITSELF: Final = By()


def move(
    broadcast_id: UUID,
    to: str,
    now: datetime,
    *,
    by: By = ITSELF,
    why: str = "",
    numbers: Mapping[str, Any] | None = None,
    begins: Collection[str] | None = None,
) -> str:
    """Bring it to `to`, from one of `begins` if given; return where it stood. Raises NotThere where that is no move.

    Within the caller's transaction, which others that move it wait for.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        stood, came_from = _lock(cursor, broadcast_id)
        if (begins is not None and stood not in begins) or not is_allowed(stood, came_from, to):
            raise NotThere(stood)
        values = {"id": broadcast_id, "to": str(to), "from": stood, "now": now, "over": to in OVER}
        cursor.execute(_SET, values)
        kept = None if numbers is None else Jsonb(dict(numbers))
        cursor.execute(_KEEP, [broadcast_id, now, by.user_id, by.token_id, stood, str(to), why[:_LONGEST], kept])
    return stood


def is_allowed(stood: str, came_from: str, to: str) -> bool:
    """A paused one goes back to where it came from."""
    if stood == State.PAUSED and to != State.STOPPED:
        return to == came_from
    return to in MOVES[stood]


def _lock(cursor: Cursor[Any], broadcast_id: UUID) -> tuple[str, str]:
    # Those who write to recipients hold the row's key, which is no hindrance.
    row = cursor.execute(
        "SELECT state, came_from FROM channels_broadcast WHERE id = %s FOR NO KEY UPDATE", [broadcast_id]
    ).fetchone()
    if row is None:
        raise NotThere("")
    return row[0], row[1]


def keep_at(cursor: Cursor[Any], broadcast_id: UUID, states: Collection[str]) -> str | None:
    """Its state, if it is one of these; whoever wants it to be quite still waits for this transaction's end."""
    row = cursor.execute("SELECT state FROM channels_broadcast WHERE id = %s FOR KEY SHARE", [broadcast_id]).fetchone()
    return row[0] if row is not None and row[0] in states else None


def await_those_at_work(cursor: Cursor[Any], broadcast_id: UUID) -> None:
    """Return once nobody is left who began before it came to stand as it does."""
    cursor.execute("SELECT 1 FROM channels_broadcast WHERE id = %s FOR UPDATE", [broadcast_id])
