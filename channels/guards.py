"""Send guards: who may still say no to a message, asked last inside the sending transaction."""

from collections.abc import Callable, Mapping, Sequence
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

# The same of many messages; an answer for each, in order.
Guards = Callable[[Sequence[GuardAsk]], Sequence[Answer]]

_guards: dict[str, list[Guard]] = {}
_many: dict[Guard, Guards] = {}


def register(origin_kind: str, guard: Guard, many: Guards | None = None) -> None:
    """Have `guard` asked about every message of this origin; `many` answers for several at once."""
    guards = _guards.setdefault(origin_kind, [])
    if many is not None:
        _many[guard] = many
    if guard not in guards:
        guards.append(guard)


def unregister(origin_kind: str, guard: Guard) -> None:
    _guards.get(origin_kind, []).remove(guard)


def names(origin_kind: str) -> list[str]:
    """Who is asked about messages of this origin, in order."""
    return [guard.__module__ for guard in _guards.get(origin_kind, ())]


def ask_all(messages: Sequence[GuardAsk]) -> list[Answer]:
    """An answer for each, in order: a guard that can look at many does so at once."""
    answers: list[Answer] = [None] * len(messages)
    for kind in {one.origin_kind for one in messages}:
        for guard in _guards.get(kind, ()):
            open_ = [n for n, one in enumerate(messages) if one.origin_kind == kind and answers[n] is None]
            many = _many.get(guard)
            asked = [messages[n] for n in open_]
            told = many(asked) if many is not None else [guard(one) for one in asked]
            for n, answer in zip(open_, told, strict=True):
                answers[n] = answer
    return answers


def ask(message: GuardAsk) -> Answer:
    """The first objection, or None: nobody minds."""
    for guard in _guards.get(message.origin_kind, ()):
        answer = guard(message)
        if answer is not None:
            return answer
    return None
