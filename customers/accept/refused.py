"""What is kept of refused messages: their reason, and enough to find, mend and replay them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from customers.accept.refusal import Refusal
from customers.pg import raw_cursor

RAW_LIMIT = 64 * 1024
INSERT = """
    INSERT INTO customers_quarantinedevent
        (received_at, source_id, door, code, pointer, detail, message_id, name, raw, status)
    SELECT %s::timestamptz, %s::uuid, door, code, pointer, detail, message_id, name, raw, 'open'
    FROM json_to_recordset(%s::json) AS r
        (door text, code text, pointer text, detail text, message_id text, name text, raw text)
"""
_KEY_IN_BODY = re.compile(r'("writeKey"\s*:\s*")[^"]*')


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A row of the quarantine, as the statement above asks for it."""

    door: str
    code: str
    pointer: str
    detail: str
    message_id: str
    name: str
    raw: str


def refused_item(door: str, item: Any, refusal: Refusal) -> RefusedItem:
    """An item that was JSON but not acceptable; its write key is not kept."""
    named = item if isinstance(item, dict) else {}
    kept = {key: value for key, value in named.items() if key != "writeKey"} if named else item
    return RefusedItem(
        door=door,
        code=refusal.code,
        pointer=_clean(refusal.pointer)[:500],
        detail=_clean(refusal.message),
        message_id=_clean(named.get("messageId"))[:100],
        name=_clean(named.get("event"))[:120],
        # The standard library writes what orjson cannot: integers beyond 64 bits, infinite numbers.
        raw=_excerpt(json.dumps(kept, ensure_ascii=False)),
    )


def refused_body(door: str, body: bytes, refusal: Refusal) -> RefusedItem:
    """A body that could not be taken apart, as far as it goes."""
    text = body[:RAW_LIMIT].decode(errors="backslashreplace")
    raw = _excerpt(_KEY_IN_BODY.sub(r"\1…", text))
    return RefusedItem(door, refusal.code, _clean(refusal.pointer)[:500], _clean(refusal.message), "", "", raw)


def as_rows(refused: Sequence[RefusedItem]) -> str:
    """The rows for the last parameter of `INSERT`."""
    return orjson.dumps(refused).decode()


def keep(refused: Sequence[RefusedItem], source_id: UUID, now: datetime) -> None:
    """Put refused items into quarantine."""
    with connection.wrap_database_errors, raw_cursor() as cursor:
        cursor.execute(INSERT, (now, source_id, as_rows(refused)))


def _clean(value: object) -> str:
    return value.replace("\0", "\\u0000") if isinstance(value, str) else ""


def _excerpt(text: str) -> str:
    """At most 64 KB of UTF-8 that a text column takes."""
    encoded = text.replace("\0", "\\u0000").encode(errors="backslashreplace")
    return encoded[:RAW_LIMIT].decode(errors="ignore")
