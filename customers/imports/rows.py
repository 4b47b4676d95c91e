"""What a row of a file can be, and the register of such kinds: whoever owns what the rows say registers its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from customers.hints import Text
from customers.models import Import

# What a column may become: whose it is, something under a name of its own, a part that the kind of row knows.
IDENTIFIER: Final = "identifier:"
PART: Final = "part:"
TRAIT: Final = "trait"
PROPERTY: Final = "property"
TIME: Final = "occurred_at"
NAME: Final = "name"
ID: Final = "id"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that rows of a kind say. `headings` are names of columns that most likely hold it, in small letters
    without accents; what is `for_all` may be said once for all rows; `options` are the words there are for it."""

    label: Text
    headings: str = ""
    is_time: bool = False
    # Which of customers.imports.choices.As it most likely is, if not text.
    as_: str = ""
    for_all: bool = False
    options: Mapping[str, Text] = field(default_factory=dict)
    help: Text = ""


@dataclass(frozen=True, slots=True)
class RowKind:
    """`types` of messages that its rows become; what columns may become under a `free` name, and which of the `told`
    fields of a message. `finish` makes of the rule, and of what was said for all rows, what acceptance expects; it
    raises FileRefused."""

    types: tuple[str, ...]
    free: str = ""
    told: tuple[str, ...] = ()
    needs_time: bool = False
    # What tells of a thing names nobody (customers.things).
    names_people: bool = True
    parts: Mapping[str, Part] = field(default_factory=dict)
    finish: Callable[[dict[str, Any], Mapping[str, str]], None] | None = None

    @property
    def said_for_all(self) -> Mapping[str, Part]:
        return {name: part for name, part in self.parts.items() if part.for_all}


_kinds: Final[dict[str, RowKind]] = {
    Import.Rows.CUSTOMERS: RowKind(("identify",), free=TRAIT),
    Import.Rows.EVENTS: RowKind(("track", "group"), free=PROPERTY, told=(TIME, NAME, ID), needs_time=True),
}


def register(rows: str, kind: RowKind) -> None:
    _kinds[rows] = kind


def kind_of(parent: Import) -> RowKind:
    return _kinds[parent.rows]
