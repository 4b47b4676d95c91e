"""What is kept of refused messages: their reason, and enough to find, mend and replay them."""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from customers.accept import naming
from customers.accept.apart import apart
from customers.accept.refusal import Refusal
from customers.pg import raw_cursor

RAW_LIMIT = 64 * 1024
# As many bytes as base64 makes RAW_LIMIT characters of.
PACKED_LIMIT = RAW_LIMIT // 4 * 3
# How much of a compressed body is inflated to see whether a key is inside.
_LOOK = 512 * 1024
_CHUNK = 256
GZIP = 16 + zlib.MAX_WBITS
_COLUMNS = "received_at, source_id, door, code, pointer, detail, message_id, name, raw, naming, from_page, body_id"
# Parts of a statement, after each other: what is refused is kept, and counted for its source.
KEPT = f"""
    INSERT INTO customers_quarantinedevent ({_COLUMNS}, status)
    SELECT %s::timestamptz, %s::uuid, door, code, pointer, detail, message_id, name, raw, naming, from_page, body_id,
        'open'
    FROM json_to_recordset(%s::json) AS r
        (door text, code text, pointer text, detail text, message_id text, name text, raw text, naming bigint[],
         from_page boolean, body_id bigint)
    RETURNING received_at, source_id, code, name
"""
COUNTED = """
    INSERT INTO customers_tally (source_id, at, outcome, code, name, count)
    SELECT source_id, received_at, 'refused', code, name, count(*) FROM refused GROUP BY 1, 2, 4, 5
"""
_INSERT = f"WITH refused AS ({KEPT}) {COUNTED}"
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
    naming: tuple[int, ...] = ()
    from_page: bool = False
    body_id: int | None = None


def refused_item(
    door: str, item: Any, refusal: Refusal, *, from_page: bool = False, body_id: int | None = None
) -> RefusedItem:
    """An item that was JSON but not acceptable; its write key is not kept."""
    named = item if isinstance(item, dict) else {}
    kept = {key: value for key, value in named.items() if key != "writeKey"} if named else item
    return RefusedItem(
        door=door,
        code=refusal.code,
        pointer=_clean(refusal.pointer)[:500],
        detail=_clean(refusal.message),
        message_id=_clean(named.get("messageId", named.get("id")))[:100],
        name=_clean(_name_in(named))[:120],
        # The standard library writes what orjson cannot: integers beyond 64 bits, infinite numbers.
        raw=_excerpt(json.dumps(kept, ensure_ascii=False)),
        naming=naming.digests(item),
        from_page=from_page,
        body_id=body_id,
    )


def _name_in(item: Mapping[str, Any]) -> Any:
    """What the item seems to call its event; of a CloudEvent that is its type."""
    return item.get("type") if "specversion" in item else item.get("event", item.get("name"))


def refused_body(door: str, body: bytes, refusal: Refusal) -> RefusedItem:
    """A body that could not be taken apart, as far as it goes."""
    text = body[:RAW_LIMIT].decode(errors="backslashreplace")
    raw = _excerpt(_KEY_IN_BODY.sub(r"\1…", text))
    return RefusedItem(door, refusal.code, _clean(refusal.pointer)[:500], _clean(refusal.message), "", "", raw)


def refused_packed(door: str, sent: bytes, refusal: Refusal) -> RefusedItem:
    """A compressed body that could not be inflated: its bytes, where no write key can be among them.

    Otherwise the text it begins with, from which the key can be taken out.
    """
    packed = sent[:PACKED_LIMIT]
    inside = _inflated(packed)
    if len(inside) == _LOOK or b"writeKey" in inside or b"writeKey" in packed:
        row = refused_body(door, inside or packed, refusal)
        return replace(row, detail=f"{row.detail} Kept: the text it begins with, without its key.")
    much = "" if len(sent) == len(packed) else f" first {PACKED_LIMIT:,}"
    row = refused_body(door, b64encode(packed), refusal)
    return replace(row, detail=f"{row.detail} Kept: the{much} bytes as sent, in base64.")


def _inflated(packed: bytes) -> bytes:
    """What `packed` holds, as far as it can be read and no further than there is need."""
    inflater, inside = zlib.decompressobj(GZIP), bytearray()
    # In small pieces: what comes together with an error is lost.
    for start in range(0, len(packed), _CHUNK):
        piece = packed[start : start + _CHUNK]
        while piece and len(inside) < _LOOK:
            # One stream may follow another.
            inflater = zlib.decompressobj(GZIP) if inflater.eof else inflater
            try:
                inside += inflater.decompress(piece, _LOOK - len(inside))
            except zlib.error:
                return bytes(inside)
            piece = inflater.unused_data
    return bytes(inside)


def as_rows(refused: Sequence[RefusedItem]) -> str:
    """The rows for the last parameter of `KEPT`."""
    return orjson.dumps(refused).decode()


def keep(refused: Sequence[RefusedItem], source_id: UUID, now: datetime) -> None:
    """Put refused items into quarantine; of what the database cannot hold even there, the reason."""
    for item, state in apart(refused, lambda part: _insert(part, source_id, now)):
        detail = f"{item.detail} Nothing of it could be kept (SQLSTATE {state})."
        rest = RefusedItem(item.door, item.code, "", detail, "", "", "", from_page=item.from_page, body_id=item.body_id)
        _insert([rest], source_id, now)


def _insert(refused: Sequence[RefusedItem], source_id: UUID, now: datetime) -> None:
    with connection.wrap_database_errors, raw_cursor() as cursor:
        cursor.execute(_INSERT, (now, source_id, as_rows(refused)))


def _clean(value: object) -> str:
    return value.replace("\0", "\\u0000") if isinstance(value, str) else ""


def _excerpt(text: str) -> str:
    """At most 64 KB of UTF-8 that a text column takes."""
    encoded = text.replace("\0", "\\u0000").encode(errors="backslashreplace")
    return encoded[:RAW_LIMIT].decode(errors="ignore")
