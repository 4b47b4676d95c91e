"""A document in the one spelling that forms write: what is left out by default is left out, durations are short."""

from collections.abc import Mapping
from typing import Any

from customers.authoring import durations
from customers.authoring.choices import Choices
from customers.authoring.describe import Field
from customers.authoring.posted import TooLarge, tree
from customers.authoring.read import default_of
from journeys.authoring.controls import controls
from journeys.authoring.describe import TYPE, definition_fields, step_forms
from journeys.authoring.read import read
from journeys.authoring.references import items
from journeys.authoring.submitted import submitted


def tidy(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same document; what no form knows stays as it is."""
    tidied: dict[str, Any] = _fields(document, definition_fields())
    forms = step_forms()
    if isinstance(document.get("steps"), list):
        tidied["steps"] = [_step(step, forms) for step in document["steps"]]
    return tidied


def lost_in_the_form(document: dict[str, Any]) -> list[str]:
    """Pointers of what the form cannot show and would change or drop when it is saved."""
    try:
        kept = read(tree(submitted(controls(document, Choices()).values()))).document
    except TooLarge as error:
        return [f"/{error}"]
    return list(_differences(tidy(document), kept, ""))


def _step(step: Any, forms: Mapping[str, Any]) -> Any:
    form = forms.get(str(step.get(TYPE))) if isinstance(step, dict) else None
    return step if form is None else _fields(step, form.fields)


def _fields(values: Any, fields: tuple[Field, ...]) -> Any:
    if not isinstance(values, Mapping):
        return values
    known = {one.name: one for one in fields}
    tidied = {name: _value(known.get(name), value, values) for name, value in values.items()}
    for one in fields:
        # A form always has its lists and groups, be they empty.
        if one.required and one.kind in _ALWAYS and tidied.get(one.name) is None:
            tidied[one.name] = {} if one.kind == "group" else []
    return {name: value for name, value in tidied.items() if not _is_left_out(known.get(name), value)}


_ALWAYS = ("group", "list", "names", "states", "steps", "moves")


def _is_left_out(one: Field | None, value: Any) -> bool:
    if one is None:
        return False
    return value is None or (one.kind == "text" and value == "") or (not one.required and value == default_of(one))


def _value(one: Field | None, value: Any, values: Mapping[str, Any]) -> Any:
    kind = one.kind if one else ""
    if one is not None and kind == "group":
        return _fields(value, one.fields)
    if one is not None and kind in ("list", "states") and isinstance(value, list):
        return [_fields(row, one.fields) for row in value]
    if kind == "duration":
        span = durations.read(value)
        return value if span is None else durations.spell(span)
    if kind == "moves" and isinstance(value, list):
        return _in_order(value, values)
    return value


def _in_order(moves: list[Any], document: Mapping[str, Any]) -> list[Any]:
    """As the table of states has them, each once; those of no state behind."""
    names = [state.get("name") if isinstance(state, dict) else None for state in items(document, "states")]
    pairs = [list(move) if isinstance(move, list | tuple) else move for move in moves]
    unique = [move for n, move in enumerate(pairs) if move not in pairs[:n]]
    last = len(names)

    def place(move: Any) -> tuple[int, int, str]:
        if not isinstance(move, list) or len(move) != 2 or move[0] == move[1] or not set(move) <= set(names):
            return last, last, str(tuple(move) if isinstance(move, list) else move)
        return names.index(move[0]), names.index(move[1]), ""

    return sorted(unique, key=place)


def _differences(one: Any, other: Any, pointer: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [found for key in keys for found in _differences(one.get(key), other.get(key), f"{pointer}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for n, (a, b) in enumerate(zip(one, other, strict=True))
            for found in _differences(a, b, f"{pointer}/{n}")
        ]
    return [] if one == other and isinstance(one, bool) == isinstance(other, bool) else [pointer]
