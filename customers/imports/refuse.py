"""Rows that become nothing: why, in words, and the rows that keep it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection

from customers.accept.refusal import Refusal
from customers.accept.remains import Sender, Told, naming_the_erased
from customers.imports.limits import MAX_CELL, MAX_ROW
from customers.models import Import
from customers.pg import raw_cursor

# What a row's faults say, by code; the words for what an event lacks come from whoever refused it.
FAULTS: Final[Mapping[str, Refusal]] = {
    one.code: one
    for one in (
        Refusal(
            "broken_quotes",
            "The quotation marks do not match: one is never closed, or something follows a closed one.",
            "Put cells that hold quotation marks in quotation marks, and write each one inside twice.",
        ),
        Refusal("row_too_long", f"The row is longer than {MAX_ROW:,} characters.", "Import less of it."),
        Refusal("cell_too_long", f"A cell is longer than {MAX_CELL:,} characters.", "Shorten it or leave it out."),
        Refusal(
            "invalid_encoding",
            "The row holds bytes that are no characters in the encoding of the file.",
            "Save the file in UTF-8, or choose the encoding that it is written in.",
        ),
        Refusal(
            "wrong_cell_count",
            "The row does not have as many cells as there are columns.",
            "Look for a delimiter inside a cell, or a quotation mark that is never closed.",
        ),
    )
}
# What is refused of whoever was erased is not kept.
_NOT_KEPT: Final = "erased_subject"
_KEPT: Final = 64 * 1024
_INSERT: Final = """
    INSERT INTO customers_refusedrow (parent_id, row, code, message, hint, place, cells)
    SELECT %s::uuid, r.row, r.code, r.message, r.hint, r.place, r.cells
      FROM jsonb_to_recordset(%s::jsonb) AS r
           (row bigint, code text, message text, hint text, place text, cells jsonb)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class RefusedCells:
    """A row that becomes nothing, and when what it tells happened where that could be read."""

    row: int
    cells: list[str]
    refusal: Refusal
    at: datetime | None = None


def keep(parent: Import, refused: Sequence[RefusedCells], now: datetime) -> None:
    """Note each with its reason, in the caller's transaction; of those who were erased no more than that."""
    sender = Sender(parent.source.namespace, parent.source.region)
    named = naming_the_erased([Told(one.cells, one.at) for one in refused], sender, now)
    rows = [
        _as_row(one.row, [] if words else one.cells, one.refusal) for one, words in zip(refused, named, strict=True)
    ]
    with connection.wrap_database_errors, raw_cursor() as cursor:
        cursor.execute(_INSERT, (parent.pk, orjson.dumps(rows).decode()))


def _as_row(row: int, cells: list[str], refusal: Refusal) -> dict[str, Any]:
    kept = [] if refusal.code == _NOT_KEPT else [_storable(cell) for cell in cells]
    if sum(map(len, kept)) > _KEPT:
        kept = []
    told = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint, "place": refusal.pointer}
    return {"row": row, **{name: _storable(value) for name, value in told.items()}, "cells": kept}


def _storable(text: str) -> str:
    """As PostgreSQL can hold it: broken characters and NUL as they are written in escapes."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
