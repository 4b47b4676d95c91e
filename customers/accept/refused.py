"""What is kept of refused messages: their reason, and enough to find, mend and replay them."""

import codecs
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
from customers.accept.erased import any_known
from customers.accept.refusal import Refusal
from customers.accept.remains import Told, naming_the_erased, sender_of
from customers.accept.words_in import told_at
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
    INSERT INTO customers_quarantinedevent ({_COLUMNS}, status, reason, settled_at)
    SELECT r.at, r.source_id, door, code, pointer, detail, message_id, name, raw, naming, from_page, body_id,
        CASE WHEN is_gone THEN 'discarded' ELSE 'open' END, CASE WHEN is_gone THEN 'erased' ELSE '' END,
        CASE WHEN is_gone THEN r.at END
    FROM (SELECT %s::timestamptz AS at, %s::uuid AS source_id, i.* FROM json_to_recordset(%s::json) AS i
        (door text, code text, pointer text, detail text, message_id text, name text, raw text, naming bigint[],
         from_page boolean, body_id bigint, is_gone boolean)) AS r
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
    # It names somebody who was erased, and nothing of what it said is kept.
    is_gone: bool = False


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
    """A compressed body that could not be inflated: the text it begins with, without a write key and so that whom it
    names can be found in it; where there is no text its bytes.
    """
    packed = sent[:PACKED_LIMIT]
    inside = _inflated(packed)
    text = inside or packed
    if len(inside) == _LOOK or b"writeKey" in text or _is_text(text):
        row = refused_body(door, text, refusal)
        return replace(row, detail=f"{row.detail} Kept: the text it begins with, without its key.")
    much = "" if len(sent) == len(packed) else f" first {PACKED_LIMIT:,}"
    row = refused_body(door, b64encode(packed), refusal)
    return replace(row, detail=f"{row.detail} Kept: the{much} bytes as sent, in base64.")


def _is_text(data: bytes) -> bool:
    try:
        # The last character may be cut in two.
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


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


def without_the_erased(refused: Sequence[RefusedItem], source_id: UUID, now: datetime) -> list[RefusedItem]:
    """The same rows; of those that name somebody who was erased only what was wrong, when, and how much it was."""
    sender = sender_of(source_id) if refused and any_known(now) else None
    if sender is None:
        return list(refused)
    told = [Told((item.raw, item.message_id, item.name, item.pointer), told_at(item.raw)) for item in refused]
    named = naming_the_erased(told, sender, now)
    return [_emptied(item, words) if words else item for item, words in zip(refused, named, strict=True)]


def _emptied(item: RefusedItem, words: set[str]) -> RefusedItem:
    def unless_named(text: str) -> str:
        return "" if any(word.lower() in text.lower() for word in words) else text

    size = len(item.raw.encode(errors="replace"))
    return replace(
        item,
        pointer=unless_named(item.pointer),
        detail=f"It names somebody who was erased: none of its {size:,} bytes are kept.",
        message_id="",
        name=unless_named(item.name),
        raw="",
        naming=(),
        is_gone=True,
    )


def as_rows(refused: Sequence[RefusedItem]) -> str:
    """The rows for the last parameter of `KEPT`."""
    return orjson.dumps(refused).decode()


def keep(refused: Sequence[RefusedItem], source_id: UUID, now: datetime) -> None:
    """Put refused items into quarantine; of what the database cannot hold even there, the reason."""
    for item, state in apart(without_the_erased(refused, source_id, now), lambda part: _insert(part, source_id, now)):
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
