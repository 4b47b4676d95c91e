"""Changes to a document that buttons make: rows and conditions are added, moved, removed and turned.

A place is named by its JSON pointer; in a list, `=id` names the row of that id. Nothing here is stored.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

import msgspec
from django.utils.translation import gettext as _

from customers.authoring import rule_form


class CannotEdit(Exception):
    """The button's part of the document is not there (any more)."""


@dataclass(slots=True)
class Removal:
    """What was taken out, and what it takes to put it back."""

    holder: str
    index: int
    item: Any
    name: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Edited:
    """`focus` is the pointer of what a person wants to see next, `said` what happened in words."""

    focus: str = ""
    said: str = ""
    removal: Removal | None = None


R = TypeVar("R", bound=Removal)
Act = Callable[[dict[str, Any], str], Edited]


def apply(document: dict[str, Any], order: str, verbs: Mapping[str, Act] | None = None) -> Edited:
    """Do as a button says: `verb:pointer`. Raises CannotEdit."""
    verb, _colon, rest = order.partition(":")
    act = (VERBS if verbs is None else verbs).get(verb)
    if act is None:
        raise CannotEdit(order)
    return act(document, rest)


def add_row(document: dict[str, Any], pointer: str) -> Edited:
    holder, name = holder_of(document, pointer)
    if isinstance(holder, list) or not isinstance(holder.setdefault(name, []), list):
        raise CannotEdit(pointer)
    rows = holder[name]
    rows.append({})
    return Edited(f"{pointer}/{len(rows) - 1}", _("A row was added."))


def add_part(document: dict[str, Any], pointer: str) -> Edited:
    group = part_at(document, pointer)
    if not isinstance(group, list):
        raise CannotEdit(pointer)
    group.append(None)
    return Edited(f"{pointer}/{len(group) - 1}", _("A condition was added."))


def deny(document: dict[str, Any], pointer: str) -> Edited:
    holder, key = holder_of(document, pointer)
    node = part_at(document, pointer)
    if not pointer or node is None:
        raise CannotEdit(pointer)
    turned = rule_form.denied(node)
    if isinstance(holder, list):
        holder[int(key)] = turned
    else:
        holder[key] = turned
    said = _("The condition was turned into its opposite.")
    return Edited(pointer, said)


def remove(document: dict[str, Any], pointer: str) -> Edited:
    rows, at = row_at(document, pointer)
    item = rows.pop(at)
    return taken(pointer, rows, Removal(pointer.rpartition("/")[0], at, item, name_of(item, at)))


def taken(pointer: str, rows: list[Any], removal: Removal) -> Edited:
    """What is told of a removal; the next in the list is looked at, or the whole list if nothing is left."""
    above = pointer.rpartition("/")[0]
    focus = f"{above}/{min(removal.index, len(rows) - 1)}" if rows else above
    return Edited(focus, _("“%(name)s” was removed.") % {"name": removal.name}, removal)


def put_back(document: dict[str, Any], removal: Removal) -> Edited:
    """Undo a removal, as far as its place is still there; raises CannotEdit."""
    rows = part_at(document, removal.holder)
    if not isinstance(rows, list) or removal.index < 0:
        raise CannotEdit(removal.holder)
    rows.insert(removal.index, removal.item)
    place = min(removal.index, len(rows) - 1)
    return Edited(f"{removal.holder}/{place}", _("“%(name)s” is back.") % {"name": name_of(removal.item, place)})


def kept(values: object, kind: type[R]) -> R | None:
    """The removal that a form remembers; what a browser sends is not to be trusted to be one."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError:
        return None


def duplicate(document: dict[str, Any], pointer: str) -> Edited:
    rows, at = row_at(document, pointer)
    return doubled(pointer, rows, at, copy.deepcopy(rows[at]))


def doubled(pointer: str, rows: list[Any], at: int, twin: Any) -> Edited:
    rows.insert(at + 1, twin)
    said = _("A copy was added: “%(name)s”.") % {"name": name_of(twin, at)}
    return Edited(f"{pointer.rpartition('/')[0]}/{at + 1}", said)


def move(by: int) -> Act:
    def act(document: dict[str, Any], pointer: str) -> Edited:
        rows, at = row_at(document, pointer)
        to = at + by
        if not 0 <= to < len(rows):
            return Edited(pointer)
        rows[at], rows[to] = rows[to], rows[at]
        said = _("“%(name)s” is now number %(place)s of %(count)s.")
        values = {"name": name_of(rows[to], to), "place": to + 1, "count": len(rows)}
        return Edited(f"{pointer.rpartition('/')[0]}/{to}", said % values)

    return act


def name_of(item: Any, at: int) -> str:
    names = [item.get(key) for key in ("id", "name", "event")] if isinstance(item, dict) else []
    return str(next((name for name in names if name), at + 1))


def nothing(document: dict[str, Any], _rest: str) -> Edited:
    return Edited()


def row_at(document: dict[str, Any], pointer: str) -> tuple[list[Any], int]:
    holder, key = holder_of(document, pointer)
    if not isinstance(holder, list) or not key.isdecimal() or int(key) >= len(holder):
        raise CannotEdit(pointer)
    return holder, int(key)


def holder_of(document: Any, pointer: str) -> tuple[Any, str]:
    above, _slash, key = pointer.rpartition("/")
    holder = part_at(document, above)
    if not isinstance(holder, dict | list):
        raise CannotEdit(pointer)
    return holder, key


def part_at(document: Any, pointer: str) -> Any:
    here = document
    for key in pointer.split("/")[1:]:
        if isinstance(here, list):
            key = str(index_of(here, key))
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdecimal() and int(key) < len(here):
            here = here[int(key)]
        else:
            raise CannotEdit(pointer)
    return here


def index_of(rows: list[Any], key: str) -> str:
    """The number of the row named by `=id`; any other key as it is."""
    if not key.startswith("="):
        return key
    found = [n for n, row in enumerate(rows) if isinstance(row, dict) and row.get("id") == key[1:]]
    return str(found[0]) if found else key


VERBS: Final[Mapping[str, Act]] = {
    "refresh": nothing,
    "row": add_row,
    "part": add_part,
    "deny": deny,
    "remove": remove,
    "up": move(-1),
    "down": move(1),
    "copy": duplicate,
}
