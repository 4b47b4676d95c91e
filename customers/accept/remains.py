"""Which refused texts name somebody who was erased: of those the reason, the time and the size are kept, not a word."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from customers import erased, kinds
from customers.accept import erased as at_the_door
from customers.accept.timestamps import FUTURE_LIMIT
from customers.accept.words_in import words_in
from customers.erased import Name
from customers.identifiers import IdentifierError
from customers.ids import NIL
from customers.kinds import EMAIL, PHONE, Kind
from customers.models import Source
from customers.models.address import Channel
from customers.pg import raw_cursor

_DIGITS: Final = re.compile(r"\+?[\d ().-]{8,40}")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
# Numbers are slow to read; those beyond are compared as they stand.
_MOST_NUMBERS: Final = 2_000
_LIVE: Final = """
    SELECT i.namespace, i.kind_id, i.value
    FROM unnest(%b::uuid[], %b::text[], %b::text[]) AS u(namespace, kind, value)
    JOIN customers_identifier i ON i.value = u.value AND i.kind_id = u.kind AND i.namespace = u.namespace
    WHERE i.closed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Texts that may name people, and when it happened where that is known. `spared` are names that it tells of and
    that were looked at already."""

    texts: Sequence[str]
    at: datetime | None = None
    spared: Collection[Name] = field(default=())


@dataclass(frozen=True, slots=True)
class Sender:
    """Within which names mean somebody, and the country of numbers that name none."""

    namespace: UUID
    region: str = ""


def as_text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")


def sender_of(source_id: UUID) -> Sender | None:
    row = Source.objects.filter(pk=source_id).values_list("namespace", "region").first()
    return None if row is None else Sender(*row)


def naming_the_erased(told: Sequence[Told], sender: Sender, now: datetime) -> list[set[str]]:
    """For each, the words in it by which it names somebody erased; they are counted as dropped.

    What happened after the erasure is about somebody new, and so is what tells no time once they came back.
    """
    if not told or not at_the_door.any_known(now):
        return [set() for _one in told]
    words = [{word for text in one.texts for word in words_in(text)} for one in told]
    names = _names({word for found in words for word in found}, sender, now)
    with raw_cursor() as cursor:
        times = _times(cursor, {name for found in names.values() for name in found})
        live = _live(cursor, times)
        found = [
            {
                word: hit
                for word in words[index]
                for hit in ([name for name in names[word] if _is_gone(name, one, times, live, now)],)
                if hit
            }
            for index, one in enumerate(told)
        ]
        erased.count(cursor, {name for hits in found for held in hits.values() for name in held})
    return [set(hits) for hits in found]


def _is_gone(name: Name, told: Told, times: Mapping[Name, datetime], live: set[Name], now: datetime) -> bool:
    if name not in times or name in told.spared:
        return False
    if told.at is None or told.at > now + FUTURE_LIMIT:
        return name not in live
    return told.at <= times[name]


def _names(words: Iterable[str], sender: Sender, now: datetime) -> dict[str, list[Name]]:
    known = kinds.current(now)
    names: dict[str, list[Name]] = {}
    numbers = 0
    for word in words:
        is_number = _DIGITS.fullmatch(word) is not None and _DAY.match(word) is None
        numbers += is_number
        names[word] = [
            (NIL if kind.organisation_wide else sender.namespace, kind.key, value)
            for kind in known.values()
            if _may_be(kind, word, is_number)
            for value in _values(kind, word, sender.region if numbers <= _MOST_NUMBERS else None)
        ]
    return names


def _may_be(kind: Kind, word: str, is_number: bool) -> bool:
    if kind.scheme.key == "email":
        return "@" in word
    return kind.scheme.key == "opaque" or is_number


def _values(kind: Kind, word: str, region: str | None) -> Iterator[str]:
    """How the word may be compared as a name of this kind."""
    if kind.scheme.key == "email" and word.isascii():
        yield word.lower()
        return
    digits = "".join(one for one in word if one.isdigit())
    if kind.scheme.key != "opaque":
        yield f"+{digits}" if kind.scheme.key == "phone" else digits
    try:
        if region is not None or kind.scheme.key == "opaque":
            yield kind.scheme.read(word, region or "")[0]
    except IdentifierError:
        return


def _times(cursor: Cursor[Any], names: set[Name]) -> dict[Name, datetime]:
    """When they were erased: as names, and as addresses that letters went to."""
    times = dict(erased.times(cursor, names))
    for name, at in erased.address_times(cursor, {name: _channels(name[1]) for name in names}).items():
        times[name] = max(at, times.get(name, at))
    return times


def _channels(kind: str) -> Sequence[str]:
    if kind == EMAIL:
        return (Channel.EMAIL.value,)
    return (Channel.SMS.value, Channel.WHATSAPP.value, Channel.CALL.value) if kind == PHONE else ()


def _live(cursor: Cursor[Any], names: Iterable[Name]) -> set[Name]:
    """Those whom somebody goes by again."""
    asked = sorted(names, key=str)
    if not asked:
        return set()
    columns = [list(column) for column in zip(*asked, strict=True)]
    return {(space, kind, value) for space, kind, value in cursor.execute(_LIVE, columns).fetchall()}
