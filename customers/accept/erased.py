"""Messages that tell of people who were erased since: refused, counted, and not kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from customers import erased
from customers.accept.message import Message, Reading
from customers.accept.refusal import Refusal
from customers.belief import BELIEVED_FOR
from customers.ids import NIL
from customers.pg import raw_cursor


@dataclass(slots=True)
class _Glance:
    at: datetime | None = None
    any_known: bool = False


_glance = _Glance()


def turn_away(messages: dict[int, Message], reading: Reading) -> dict[int, Refusal]:
    """Refuse those messages that name an erased person and occurred by then; they are counted and nothing else."""
    if not messages or not any_known(reading.received_at):
        return {}
    named = {index: names_of(message, reading) for index, message in messages.items()}
    with raw_cursor() as cursor:
        known = erased.times(cursor, {name for names in named.values() for name in names})
        hits = {
            index: [name for name in names if name in known and messages[index].occurred_at <= known[name]]
            for index, names in named.items()
        }
        erased.count(cursor, (name for names in hits.values() for name in names))
    return {index: _REFUSAL for index, names in hits.items() if names}


_REFUSAL: Final = Refusal(
    "erased_subject", "It tells of somebody who was erased since.", "Stop sending what happened before."
)


def names_of(message: Message, reading: Reading) -> list[erased.Name]:
    """Everybody whom the message names."""
    kinds, namespace = reading.kinds, reading.writer.namespace
    return [
        (NIL if kinds[kind].organisation_wide else namespace, kind, value)
        for kind, value, *_rest in orjson.loads(message.identifiers)
    ]


def any_known(now: datetime) -> bool:
    """Whether anybody was ever erased; believed for a moment, as resolve looks again."""
    if _glance.at is None or not timedelta(0) <= now - _glance.at < BELIEVED_FOR:
        with raw_cursor() as cursor:
            _glance.at, _glance.any_known = now, erased.any_known(cursor)
    return _glance.any_known


def forget() -> None:
    """Believe nothing any more."""
    _glance.at = None
