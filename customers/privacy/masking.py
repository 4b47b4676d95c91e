"""What others' rows say of an erased person: the name is masked where it stands, and the rest stays theirs.

Nothing leads from a person to such rows, so a table is walked from its first row to its last, a window at a time.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import JSONField

from customers.ids import NIL
from customers.privacy.patterns import mentions
from customers.privacy.stores import Spoken
from customers.privacy.subject import Subject

MASK: Final = "•••"
_WINDOW: Final = 2_000
# Shorter names count where they are the whole of a text, as they do where one looks for them.
_TELLING: Final = 8

# The key of a row, as JSON has it.
Key = list[str]


def mask_some(table: Spoken, subject: Subject, after: Key | None) -> tuple[int, Key | None]:
    """Mask what the next rows say; how many said something, and where to go on, None at the end."""
    end = _end_of_window(table, after)
    with transaction.atomic(), connection.cursor() as cursor:
        columns = ", ".join(f"t.{name}::text" for name in table.columns)
        keys = ", ".join(f"t.{name}::text" for name in table.key)
        bounds, given = _bounds(table, after, end)
        named = mentions(f"concat_ws(' ', {columns})", "u.space")
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


def _words(subject: Subject, space: UUID | None) -> set[str]:
    """By what the subject is called there: a local name means somebody else elsewhere."""
    own = {word for one in subject.names if one.namespace in (NIL, space) for word in (one.value, one.original)}
    return {word.lower() for word in own | {value for _id, _channel, value in subject.reached} if word}


def _masked(table: Spoken, name: str, text: str | None, words: set[str]) -> str | None:
    if text is None:
        return None
    field = table.model._meta.get_field(name)
    if not isinstance(field, JSONField):
        return mask_text(text, words)
    before = orjson.loads(text)
    after = mask_document(before, words)
    return text if after == before else orjson.dumps(after).decode()


def mask_document(value: Any, words: set[str]) -> Any:
    """The same, with every name of these in it masked, in keys as well."""
    if isinstance(value, dict):
        return {mask_text(key, words): mask_document(held, words) for key, held in value.items()}
    if isinstance(value, list):
        return [mask_document(one, words) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return MASK if len(str(value)) >= _TELLING and str(value) in words else value
    return mask_text(value, words) if isinstance(value, str) else value


def mask_text(text: str, words: set[str]) -> str:
    if text.strip().lower() in words:
        return MASK
    # The longest first: an address may begin as another ends.
    telling = sorted((one for one in words if len(one) >= _TELLING or "@" in one), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, telling)), MASK, text, flags=re.IGNORECASE) if telling else text
