"""Send guards: who may still say no to a message, asked last inside the sending transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class GuardAsk:
    """The message about to be handed to a provider; its row, its address and its stops are locked."""

    message_id: UUID
    origin_kind: str
    origin_id: str
    channel: str
    profile_id: UUID
    customer_id: UUID
    now: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never send it: it ends in `state` (cancelled, or suppressed) for `reason`. `because` names what decided, in
    plain data without personal values; it is kept with the message."""

    reason: str
    state: str = "cancelled"
    because: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold it and ask again after so many seconds."""

    seconds: float
    reason: str


Answer = Refuse | Wait | None
# A guard reads by `connection.cursor()`, so within the sending transaction; it neither commits nor locks.
Guard = Callable[[GuardAsk], Answer]

_guards: dict[str, list[Guard]] = {}


def register(origin_kind: str, guard: Guard) -> None:
    """Have `guard` asked about every message of this origin."""
    guards = _guards.setdefault(origin_kind, [])
    if guard not in guards:
        guards.append(guard)


def unregister(origin_kind: str, guard: Guard) -> None:
    _guards.get(origin_kind, []).remove(guard)


def names(origin_kind: str) -> list[str]:
    """Who is asked about messages of this origin, in order."""
    return [guard.__module__ for guard in _guards.get(origin_kind, ())]


def ask(message: GuardAsk) -> Answer:
    """The first objection, or None: nobody minds."""
    for guard in _guards.get(message.origin_kind, ()):
        answer = guard(message)
        if answer is not None:
            return answer
    return None
