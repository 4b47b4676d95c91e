"""What a file is written in: its encoding, from all its bytes, and its delimiter and header, from its beginning."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from customers.imports.limits import FileRefused
from customers.models import Import

Encoding, Delimiter = Import.Encoding, Import.Delimiter

_SAMPLE: Final = 64 * 1024
_ROWS: Final = 50
_MARKS: Final = (
    (codecs.BOM_UTF8, Encoding.UTF_8),
    (codecs.BOM_UTF16_LE, Encoding.UTF_16_LE),
    (codecs.BOM_UTF16_BE, Encoding.UTF_16_BE),
)
# Zip archives, which workbooks are, gzip, and the workbooks of old.
_PACKED: Final = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_ESCAPED = re.compile("[\udc80-\udcff]")
_VALUE = re.compile(r"[-+]?[\d.,/: -]+|[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is read. `mark` is how many bytes at its beginning tell nothing but the encoding."""

    encoding: str
    delimiter: str
    mark: int = 0
    has_header: bool = True


class Looker:
    """Looks at a file that passes by: at its beginning closely, at all else for bytes that are no UTF-8."""

    def __init__(self) -> None:
        self.head = b""
        self.size = 0
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._beyond_ascii = self._broken = 0

    def look(self, piece: bytes) -> None:
        if not self.head and piece.startswith(_PACKED):
            raise FileRefused("file_packed")
        self.size += len(piece)
        if len(self.head) < _SAMPLE:
            self.head += piece[: _SAMPLE - len(self.head)]
        if piece.isascii() and not self._utf8.getstate()[0]:
            return
        text = self._utf8.decode(piece)
        broken = len(_ESCAPED.findall(text))
        self._broken += broken
        self._beyond_ascii += len(text.encode(errors="surrogateescape")) - len(text) - broken if broken else 1

    def dialect(self) -> Dialect:
        """What all that was looked at is written in, as far as can be told; or FileRefused."""
        if not self.size:
            raise FileRefused("file_empty")
        encoding, mark = self._encoding()
        if encoding.startswith("utf-16") and (self.size - mark) % 2:
            raise FileRefused("file_cut_off")
        if not encoding.startswith("utf-16") and b"\0" in self.head:
            raise FileRefused("file_binary")
        text = self.head[mark:].decode(encoding, errors="replace")
        delimiter = delimiter_of(text)
        return Dialect(encoding, delimiter, mark, has_header(text, delimiter))

    def _encoding(self) -> tuple[str, int]:
        for mark, encoding in _MARKS:
            if self.head.startswith(mark):
                return encoding.value, len(mark)
        even, odd = self.head[::2].count(0), self.head[1::2].count(0)
        # Most letters of Europe have a zero in one of their two bytes.
        if max(even, odd) > len(self.head) / 8 and min(even, odd) * 8 < max(even, odd):
            return (Encoding.UTF_16_LE if odd > even else Encoding.UTF_16_BE).value, 0
        # One broken character makes no other encoding of a file whose other characters are sound.
        return (Encoding.UTF_8 if self._broken <= self._beyond_ascii else Encoding.WINDOWS_1252).value, 0


def delimiter_of(text: str) -> str:
    """The sign that cuts the first rows into the same number of cells, as many as can be."""
    found = [(_regular(text, sign), sign) for sign in Delimiter.values]
    (best, _cells), sign = max(found, key=lambda one: (one[0][0] * (one[0][1] > 1), one[0][1]))
    return sign if best else Delimiter.COMMA.value


def _regular(text: str, sign: str) -> tuple[float, int]:
    """Which share of the rows has the usual number of cells, and what that number is."""
    counts = [len(row) for row in sample(text, sign)]
    if not counts:
        return 0.0, 0
    usual = max(set(counts), key=lambda count: (counts.count(count), count))
    return counts.count(usual) / len(counts), usual


def sample(text: str, delimiter: str) -> list[list[str]]:
    """The first rows as they come; whether they are sound is for the reader to say."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > _ROWS:
                break
    except csv.Error:
        pass
    # The last one may be cut off.
    return rows[:-1] if len(rows) > 1 else rows


def has_header(text: str, delimiter: str) -> bool:
    """Whether the first row looks like names: none twice, and none a number, a date or an address."""
    rows = sample(text, delimiter)
    return not rows or _names(rows[0])


def _names(row: Sequence[str]) -> bool:
    told = [cell.strip() for cell in row if cell.strip()]
    return bool(told) and len(set(told)) * 2 > len(told) and not any(_VALUE.fullmatch(cell) for cell in told)
