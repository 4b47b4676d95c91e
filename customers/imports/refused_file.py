"""The refused rows as a CSV file: to be mended in a spreadsheet, which must take no cell for a formula."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from customers.imports.columns import REFUSED_HEADINGS
from customers.imports.words import words_of
from customers.models import Import, RefusedRow
from customers.neutral import neutral

_ROWS_AT_ONCE: Final = 500


def refused_file(parent: Import, rows: Iterator[RefusedRow]) -> Iterator[bytes]:
    """The file piece by piece, in UTF-8 with the mark by which spreadsheets know it."""
    yield b"\xef\xbb\xbf" + _as_text([[*REFUSED_HEADINGS, *parent.columns]])
    held: list[Sequence[object]] = []
    for one in rows:
        held.append((one.row, one.code, *words_of(one.code, one.message, one.hint), *one.cells))
        if len(held) >= _ROWS_AT_ONCE:
            yield _as_text(held)
            held = []
    if held:
        yield _as_text(held)


def _as_text(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return out.getvalue().encode(errors="backslashreplace")
