"""The names of a file's columns: every column has one, and no two the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext

from customers.imports.limits import MAX_COLUMNS, MAX_HEADING, FileRefused

# What stands before the cells of refused rows in the file that they are handed out in.
REFUSED_HEADINGS: Final = ("refused_row", "refused_code", "refused_message", "refused_hint")


@dataclass(frozen=True, slots=True)
class Naming:
    """The names, and in words what was changed about the first row to get them."""

    names: list[str]
    notes: list[str]


def name_columns(cells: Sequence[str], *, has_header: bool) -> Naming:
    """Names for the columns of a file whose first row is `cells`; or FileRefused."""
    if len(cells) > MAX_COLUMNS:
        raise FileRefused("too_many_columns", count=len(cells), limit=MAX_COLUMNS)
    if not has_header:
        return Naming([_numbered(number) for number in range(1, len(cells) + 1)], [])
    naming = Naming([], [])
    for number, cell in enumerate(cells, start=1):
        naming.names.append(_unlike(_name(cell, number, naming.notes), naming))
    return naming


def _name(cell: str, number: int, notes: list[str]) -> str:
    # What cannot be read or stored has no place in a name, either.
    name = "".join(sign for sign in " ".join(cell.split()) if sign.isprintable())
    if not name:
        name = _numbered(number)
        notes.append(
            gettext("Column %(number)s has no name; it is called %(name)s.") % {"number": number, "name": name}
        )
    elif len(name) > MAX_HEADING:
        name = name[:MAX_HEADING].rstrip()
        notes.append(gettext("The name of column %(number)s is too long; it was cut.") % {"number": number})
    return name


def _numbered(number: int) -> str:
    return f"Column {number}"


def _unlike(name: str, naming: Naming) -> str:
    if name not in naming.names:
        return name
    other = next(one for one in _others(name) if one not in naming.names)
    words = gettext("Two columns are called %(name)s; the second is called %(other)s.")
    naming.notes.append(words % {"name": name, "other": other})
    return other


def _others(name: str) -> Iterator[str]:
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1


def is_of_refused(columns: Sequence[str]) -> bool:
    """Whether a file is one that we handed out, in which some cells were made harmless to spreadsheets."""
    return tuple(columns[: len(REFUSED_HEADINGS)]) == REFUSED_HEADINGS
