"""What changed between two documents of a journey, in words that a person publishing it can check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _

from customers.authoring.describe import Field
from customers.authoring.words import row_words, value_words
from journeys.authoring.describe import TYPE, definition_fields, step_forms
from journeys.authoring.references import items
from journeys.authoring.tidy import tidy

# Named by their key and compared one by one; everything else is compared as a whole.
_KEYED = {"steps": "id", "states": "name", "variables": "name"}


@dataclass(frozen=True, slots=True)
class Change:
    """`pointer` is where it is in the newer document, or was in the older one; `part` is what it belongs to."""

    kind: Literal["added", "removed", "changed", "moved"]
    part: str
    pointer: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "part": self.part, "pointer": self.pointer, "text": self.text}


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every difference that means something; how a document is spelled does not."""
    old, new = tidy(before), tidy(after)
    return [change for one in definition_fields() for change in _field(one, old, new)]


def _field(one: Field, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    pointer = f"/{one.name}"
    if one.name in _KEYED:
        yield from _keyed(one, items(old, one.name), items(new, one.name))
    elif one.kind == "moves":
        yield from _moves(items(old, one.name), items(new, one.name))
    elif one.kind == "group":
        yield from _inside(one.fields, old.get(one.name), new.get(one.name), one.name, pointer)
    elif one.kind == "list":
        yield from _rows(one, items(old, one.name), items(new, one.name))
    elif old.get(one.name) != new.get(one.name):
        yield Change("changed", one.name, pointer, _from_to(one, old.get(one.name), new.get(one.name)))


def _keyed(one: Field, old: list[Any], new: list[Any]) -> Iterator[Change]:
    key = _KEYED[one.name]
    before, after = _by_key(old, key), _by_key(new, key)
    for name, (n, item) in before.items():
        if name not in after:
            words = _about(one, item)
            yield Change(
                "removed", one.name, f"/{one.name}/{n}", _("“%(name)s” is gone%(about)s.") % _named(name, words)
            )
    for name, (n, item) in after.items():
        at = f"/{one.name}/{n}"
        if name not in before:
            yield Change("added", one.name, at, _("“%(name)s” is new%(about)s.") % _named(name, _about(one, item)))
        else:
            yield from _inside(_fields_of(one, item), before[name][1], item, one.name, at, name)
    yield from _order(one, list(before), list(after))


def _order(one: Field, before: list[str], after: list[str]) -> Iterator[Change]:
    """Only the first step's place means something."""
    if one.name == "steps" and before and after and before[0] != after[0]:
        text = _("The journey now begins with “%(after)s”, before with “%(before)s”.")
        yield Change("moved", one.name, "/steps/0", text % {"after": after[0], "before": before[0]})


def _inside(
    fields: tuple[Field, ...], old: Any, new: Any, part: str, pointer: str, owner: str = ""
) -> Iterator[Change]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            text = _("“%(name)s” is written differently.") % {"name": owner or part}
            yield Change("changed", part, pointer, text)
        return
    if old.get(TYPE) != new.get(TYPE):
        values = {"name": owner, "before": _type_label(old), "after": _type_label(new)}
        text = _("“%(name)s” was “%(before)s” and is now “%(after)s”.") % values
        yield Change("changed", part, f"{pointer}/{TYPE}", text)
    for one in fields:
        if old.get(one.name) != new.get(one.name):
            text = _from_to(one, old.get(one.name), new.get(one.name))
            if owner:
                text = _("“%(name)s”: %(change)s") % {"name": owner, "change": text}
            yield Change("changed", part, f"{pointer}/{one.name}", text)


def _rows(one: Field, old: list[Any], new: list[Any]) -> Iterator[Change]:
    for n, row in enumerate(old):
        if row not in new:
            text = _("%(list)s: “%(row)s” is gone.") % {"list": one.label, "row": row_words(one.fields, row)}
            yield Change("removed", one.name, f"/{one.name}/{n}", text)
    for n, row in enumerate(new):
        if row not in old:
            text = _("%(list)s: “%(row)s” is new.") % {"list": one.label, "row": row_words(one.fields, row)}
            yield Change("added", one.name, f"/{one.name}/{n}", text)


def _moves(old: list[Any], new: list[Any]) -> Iterator[Change]:
    for move in old:
        if move not in new:
            text = _("%(move)s is no longer allowed.") % {"move": " → ".join(map(str, move))}
            yield Change("removed", "transitions", "/transitions", text)
    for move in new:
        if move not in old:
            text = _("%(move)s is allowed now.") % {"move": " → ".join(map(str, move))}
            yield Change("added", "transitions", "/transitions", text)


def _from_to(one: Field, old: Any, new: Any) -> str:
    values = {"label": one.label, "before": value_words(one, old), "after": value_words(one, new)}
    if old is None:
        return _("%(label)s is now “%(after)s”.") % values
    if new is None:
        return _("%(label)s was “%(before)s” and is now left out.") % values
    return _("%(label)s was “%(before)s” and is now “%(after)s”.") % values


def _by_key(rows: list[Any], key: str) -> dict[str, tuple[int, Any]]:
    return {str(row.get(key, n + 1)) if isinstance(row, dict) else str(n + 1): (n, row) for n, row in enumerate(rows)}


def _fields_of(one: Field, item: Any) -> tuple[Field, ...]:
    if one.name != "steps":
        return one.fields
    form = step_forms().get(str(item.get(TYPE))) if isinstance(item, dict) else None
    return form.fields if form else ()


def _about(one: Field, item: Any) -> str:
    fields = [field for field in _fields_of(one, item) if field.name not in ("id", "name")]
    words = row_words(fields, item) if fields else ""
    label = _type_label(item) if one.name == "steps" else ""
    return ": ".join(filter(None, (label, words)))


def _named(name: str, about: str) -> dict[str, str]:
    return {"name": name, "about": f" ({about})" if about else ""}


def _type_label(item: Any) -> str:
    form = step_forms().get(str(item.get(TYPE))) if isinstance(item, Mapping) else None
    return str(form.label) if form else str(item.get(TYPE, "")) if isinstance(item, Mapping) else ""
