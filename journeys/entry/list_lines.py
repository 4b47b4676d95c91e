"""The lines of a list that somebody pastes or hands in: what each names, and what it says for the journey."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from customers.imports.detect import Looker
from customers.imports.limits import FileRefused
from customers.imports.records import Record, records
from customers.neutral import as_it_was
from journeys.definition import Definition
from journeys.models import CallListRow
from journeys.variables import BOOLEAN, NUMBER, fit

Problem = CallListRow.Problem
MOST_LINES: Final = 100_000
MOST_BYTES: Final = 10 * 1024 * 1024
LONGEST: Final = 300
_YES: Final = {"true": True, "yes": True, "1": True, "sim": True, "false": False, "no": False, "0": False, "não": False}


class ListRefused(Exception):
    """A list that cannot be taken as a whole; `code` says why."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    value: str
    data: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the identifier stands, and by place which property a column is and of what kind."""

    identifier: int
    data: Mapping[int, tuple[str, str]]

    @property
    def names(self) -> list[str]:
        return [name for name, _kind in self.data.values()]


def properties_of(definition: Definition) -> dict[str, str]:
    """The properties of the entry event that the journey takes in, with the kind each has; its key is a text."""
    found: dict[str, str] = {one.property: one.kind for one in definition.variables if one.property}
    # A dot leads inside, where no key is looked for.
    if definition.entry.key and "." not in definition.entry.key:
        found.setdefault(definition.entry.key, "text")
    return found


def pasted(text: str) -> list[Line]:
    """One identifier a line; lines with nothing in them are none."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ListRefused("too_large")
    cells = ((number, cell.strip()) for number, cell in enumerate(text.splitlines(), 1))
    return _taken(_line(number, cell, {}) for number, cell in cells if cell)


def from_file(data: bytes, column: str, wanted: Mapping[str, str], kind: str) -> tuple[list[Line], Columns]:
    """The rows of a CSV file; raises ListRefused, and FileRefused of one that is none."""
    if len(data) > MOST_BYTES:
        raise ListRefused("too_large")
    looker = Looker()
    looker.look(data)
    dialect = looker.dialect()
    rows = records(io.BytesIO(data[dialect.mark :]), dialect, dialect.mark)
    columns = Columns(0, {})
    if dialect.has_header or column:
        heading = next(rows, None)
        if heading is None or heading.fault:
            raise FileRefused("first_row_broken")
        columns = _columns([cell.strip() for cell in heading.cells], column, wanted, kind)
    sound = (one for one in rows if one.fault or any(cell.strip() for cell in one.cells))
    return _taken(_row(one, columns) for one in sound), columns


def _columns(heading: Sequence[str], column: str, wanted: Mapping[str, str], kind: str) -> Columns:
    named = column.strip() or (kind if kind in heading else heading[0])
    if named not in heading:
        raise ListRefused("no_such_column", column=named[:60])
    place = heading.index(named)
    data = {n: (name, wanted[name]) for n, name in enumerate(heading) if name in wanted and n != place}
    return Columns(place, data)


def _row(record: Record, columns: Columns) -> Line:
    cells = [as_it_was(cell.strip()) for cell in record.cells]
    if record.fault or len(cells) <= columns.identifier or not cells[columns.identifier]:
        return Line(record.row, "", {}, Problem.BROKEN)
    said: dict[str, Any] = {}
    for place, (name, kind) in columns.data.items():
        cell = cells[place] if place < len(cells) else ""
        value = _typed(kind, cell) if cell else None
        if cell and value is None:
            return Line(record.row, _storable(cells[columns.identifier]), {}, Problem.BAD_DATA)
        if value is not None:
            _put(said, name, value)
    return _line(record.row, cells[columns.identifier], said)


def _line(number: int, value: str, data: Mapping[str, Any]) -> Line:
    if len(value) > LONGEST or "\0" in value:
        return Line(number, "", {}, Problem.BROKEN)
    return Line(number, _storable(value), data)


def _typed(kind: str, cell: str) -> Any:
    """The cell as a property of this kind; None where it does not fit."""
    if kind == NUMBER:
        try:
            return fit(kind, float(cell) if "." in cell or "e" in cell.lower() else int(cell))
        except (ValueError, OverflowError):
            return None
    if kind == BOOLEAN:
        return _YES.get(cell.casefold())
    return None if "\0" in cell else fit(kind, _storable(cell))


def _put(said: dict[str, Any], path: str, value: Any) -> None:
    """Where a dot leads inside, as whoever reads it goes."""
    *inside, last = path.split(".")
    here = said
    for name in inside:
        here = here.setdefault(name, {})
    here[last] = value


def _storable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _taken(lines: Iterator[Line]) -> list[Line]:
    found: list[Line] = []
    for one in lines:
        if len(found) >= MOST_LINES:
            raise ListRefused("too_many_lines")
        found.append(one)
    if not found:
        raise ListRefused("nothing_in_it")
    return found
