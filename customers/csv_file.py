"""A CSV file as people open it in a spreadsheet: handed out piece by piece, and no cell of it is a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from customers.neutral import neutral

# By which spreadsheets know UTF-8.
_MARK: Final = b"\xef\xbb\xbf"
_ROWS_AT_ONCE: Final = 500


def csv_file(heading: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The file in pieces of some hundred rows, in UTF-8 with the mark by which spreadsheets know it."""
    left = iter(chain([heading], rows))
    yield _MARK
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield _as_text(some)


def _as_text(rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return out.getvalue().encode(errors="backslashreplace")
