"""Rows out of bytes, one after the other: with where each ends, and past those that cannot be read."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from customers.imports.detect import Dialect
from customers.imports.limits import MAX_CELL, MAX_ROW

_BROKEN = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Record:
    """One row, counted from 1 as a spreadsheet counts; `end` is the offset behind it. Without `fault` it is sound."""

    row: int
    end: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: int
    is_cut: bool = False


class _RowTooLong(Exception):
    """A row goes on beyond what a row may be."""


def records(raw: io.RawIOBase | io.BytesIO, dialect: Dialect, offset: int, row: int = 0) -> Iterator[Record]:
    """The rows from `offset` on, where row number `row` ended.

    A row in which the quotation marks do not match is given up with its first line only: where a mark is never closed,
    the rows that follow are no part of it.
    """
    lines = _Lines(raw, dialect.encoding)
    cut = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            cells, fault = next(cut), ""
        except StopIteration:
            return
        except (csv.Error, _RowTooLong):
            cells, fault = [], lines.give_back()
        row += 1
        offset += sum(line.size for line in lines.taken)
        # An empty line says nothing, and is a row to whoever counts.
        if cells or fault:
            yield Record(row, offset, cells, fault or _fault(cells))


def _fault(cells: list[str]) -> str:
    for cell in cells:
        if len(cell) > MAX_CELL:
            return "cell_too_long"
        if not cell.isascii() and _BROKEN.search(cell):
            return "invalid_encoding"
    return ""


class _Lines:
    """The lines of a file for the reader of rows; those of the row at hand are kept, so that they can be given back."""

    def __init__(self, raw: io.RawIOBase | io.BytesIO, encoding: str) -> None:
        self._encoding = encoding
        self._is_wide = encoding.startswith("utf-16")
        self._errors: Final = "surrogatepass" if self._is_wide else "surrogateescape"
        # Bytes that are no characters are kept as such: they cost their own row only, and no offset.
        self._text = io.TextIOWrapper(io.BufferedReader(raw), encoding=encoding, errors=self._errors, newline="")
        self._again: deque[_Line] = deque()
        self.taken: list[_Line] = []
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.taken:
            self._length = 0
        line = self._again.popleft() if self._again else self._read()
        self.taken.append(line)
        self._length += len(line.text)
        if line.is_cut or self._length > MAX_ROW:
            raise _RowTooLong
        return line.text

    def give_back(self) -> str:
        """Keep the first line of a row that cannot be read, and have the others read again; return what is wrong."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        self.taken[:] = [first]
        return "row_too_long" if len(first.text) > MAX_ROW or first.is_cut else "broken_quotes"

    def _read(self) -> _Line:
        text = self._text.readline(MAX_ROW + 1)
        if not text:
            raise StopIteration
        if len(text) <= MAX_ROW or text.endswith(("\n", "\r")):
            return _Line(text, self._size(text))
        size = self._size(text)
        while rest := self._text.readline(MAX_ROW):
            size += self._size(rest)
            if rest.endswith(("\n", "\r")):
                break
        return _Line(text[:MAX_ROW], size, is_cut=True)

    def _size(self, text: str) -> int:
        if text.isascii():
            return len(text) * 2 if self._is_wide else len(text)
        return len(text.encode(self._encoding, self._errors))
