"""What others' rows say of an erased person: the name is masked where it stands, and the rest stays theirs.

Nothing leads from a person to such rows, so a table is walked from its first row to its last, a window at a time.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import JSONField

from customers.ids import NIL
from customers.privacy import patterns
from customers.privacy.stores import Spoken
from customers.privacy.subject import Subject

MASK: Final = "•••"
_WINDOW: Final = 2_000
_TELLING: Final = 8
# Of a name like this nothing tells that it means the person where others have it: it may be a first name or a plan.
_WORD: Final = re.compile(rf"[^\W\d_]{{1,{_TELLING - 1}}}")
# What stands about a name and was found with it.
_EDGE_BEFORE: Final = re.compile(r"[^\w+]*")
_EDGE_AFTER: Final = re.compile(r"\W*$")

# The key of a row, as JSON has it.
Key = list[str]


def mask_some(table: Spoken, subject: Subject, after: Key | None) -> tuple[int, Key | None]:
    """Mask what the next rows say; how many said something, and where to go on, None at the end."""
    end = _end_of_window(table, after)
    with transaction.atomic(), connection.cursor() as cursor:
        columns = ", ".join(f"t.{name}::text" for name in table.columns)
        keys = ", ".join(f"t.{name}::text" for name in table.key)
        bounds, given = _bounds(table, after, end)
        named = patterns.mentions(f"concat_ws(' ', {columns})", "u.space")
        cursor.execute(
            f"SELECT {table.namespace}, {keys}, {columns} FROM {table.name} t WHERE {bounds} AND {named}"
            f" ORDER BY {', '.join(f't.{name}' for name in table.key)} FOR UPDATE OF t",
            {**subject.values(), **given},
        )
        rows = cursor.fetchall()
        count = sum(_mask(cursor, table, subject, row) for row in rows)
    return count, end


def _end_of_window(table: Spoken, after: Key | None) -> Key | None:
    keys = ", ".join(f"t.{name}::text" for name in table.key)
    order = ", ".join(f"t.{name}" for name in table.key)
    bounds, given = _bounds(table, after, None)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {keys} FROM {table.name} t WHERE {bounds} ORDER BY {order} OFFSET {_WINDOW - 1} LIMIT 1", given
        )
        row = cursor.fetchone()
    return None if row is None else list(row)


def _bounds(table: Spoken, after: Key | None, end: Key | None) -> tuple[str, dict[str, str]]:
    row = ", ".join(f"t.{name}" for name in table.key)
    parts, given = ["true"], dict[str, str]()
    for sign, name, key in ((">", "after", after), ("<=", "end", end)):
        if key is not None:
            values = ", ".join(f"%({name}{at})s::{type_}" for at, type_ in enumerate(table.key_types))
            parts.append(f"({row}) {sign} ({values})")
            given |= {f"{name}{at}": value for at, value in enumerate(key)}
    return " AND ".join(parts), given


def _mask(cursor: Any, table: Spoken, subject: Subject, row: Sequence[Any]) -> bool:
    """Write the row without the names; whether there were any that mean the subject there."""
    space, key, told = row[0], row[1 : 1 + len(table.key)], row[1 + len(table.key) :]
    words = _words(subject, space)
    masked = [_masked(table, name, text, words) for name, text in zip(table.columns, told, strict=True)]
    if masked == list(told):
        return False
    changes = ", ".join(f"{name} = %s::{table.type_of(name)}" for name in table.columns)
    where = " AND ".join(f"{name} = %s::{type_}" for name, type_ in zip(table.key, table.key_types, strict=True))
    cursor.execute(f"UPDATE {table.name} SET {changes} WHERE {where}", [*masked, *key])
    return True


def _words(subject: Subject, space: UUID | None) -> "Words":
    """By what the subject is called there: a local name is another's elsewhere, and a mere word anybody's."""
    names = [one for one in subject.names if one.namespace == NIL or (one.namespace == space and _tells(one.value))]
    own = {word for one in names for word in (one.value, one.original)}
    return Words.of(own | {value for _id, _channel, value in subject.reached})


def _tells(name: str) -> bool:
    return _WORD.fullmatch(name.strip()) is None


def _masked(table: Spoken, name: str, text: str | None, words: "Words") -> str | None:
    if text is None:
        return None
    field = table.model._meta.get_field(name)
    if not isinstance(field, JSONField):
        return mask_text(text, words)
    before = orjson.loads(text)
    after = mask_document(before, words)
    return text if after == before else orjson.dumps(after).decode()


@dataclass(frozen=True, slots=True)
class Words:
    """By what somebody is called, in small letters, and how that stands in a text."""

    whole: frozenset[str]
    standing: "re.Pattern[str] | None"

    @classmethod
    def of(cls, words: Iterable[str]) -> "Words":
        whole = frozenset(word.lower() for word in words if word)
        return cls(whole, patterns.standing(whole))


def mask_document(value: Any, words: Words) -> Any:
    """The same, with every name of these in it masked, in keys as well."""
    if isinstance(value, dict):
        return {mask_text(key, words): mask_document(held, words) for key, held in value.items()}
    if isinstance(value, list):
        return [mask_document(one, words) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return MASK if len(str(value)) >= _TELLING and str(value) in words.whole else value
    return mask_text(value, words) if isinstance(value, str) else value


def mask_text(text: str, words: Words) -> str:
    if text.strip().lower() in words.whole:
        return MASK
    # Small letters may be more than the capital they are of: then the text is left small.
    while words.standing is not None and (found := words.standing.search(text.lower())):
        told = text if len(text.lower()) == len(text) else text.lower()
        text = told[: found.start()] + _with_its_edges(told[found.start() : found.end()]) + told[found.end() :]
    return text


def _with_its_edges(found: str) -> str:
    before, after = _EDGE_BEFORE.match(found), _EDGE_AFTER.search(found)
    return f"{before[0] if before else ''}{MASK}{after[0] if after else ''}"
