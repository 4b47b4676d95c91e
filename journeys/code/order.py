"""A document in the order in which its fields are declared, so that files differ where journeys do."""

from typing import Any

from customers.authoring import rule_form
from customers.authoring.describe import Field
from customers.rules.leaf import every_kind
from journeys.authoring.describe import TYPE, definition_fields, step_forms
from journeys.authoring.tidy import tidy

_LEAF = "leaf"


def in_order(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, tidied; what no struct declares stands last, by its name."""
    ordered: dict[str, Any] = _fields(tidy(document), definition_fields())
    forms = step_forms()
    if isinstance(ordered.get("steps"), list):
        ordered["steps"] = [_step(step, forms) for step in ordered["steps"]]
    return ordered


def _step(step: Any, forms: Any) -> Any:
    form = forms.get(str(step.get(TYPE))) if isinstance(step, dict) else None
    return _fields(step, form.fields, first=(TYPE,)) if form else _by_name(step)


def _fields(values: Any, fields: tuple[Field, ...], first: tuple[str, ...] = ()) -> Any:
    if not isinstance(values, dict):
        return values
    known = {one.name: one for one in fields}
    names = [name for name in (*first, *known, *sorted(values.keys() - {*first, *known})) if name in values]
    return {name: _value(known.get(name), values[name]) for name in names}


def _value(one: Field | None, value: Any) -> Any:
    if one is None:
        return _by_name(value)
    if one.kind == "group":
        return _fields(value, one.fields)
    if one.kind in ("list", "states") and isinstance(value, list):
        return [_fields(row, one.fields) for row in value]
    # Steps are put in order by their own forms.
    return _rule(value) if one.kind == "rule" else value


def _rule(node: Any) -> Any:
    if isinstance(node, list):
        return [_rule(part) for part in node]
    if not isinstance(node, dict):
        return node
    kind = node.get(_LEAF)
    if isinstance(kind, str) and kind in every_kind():
        return _fields(node, rule_form.leaf_fields(kind), first=(_LEAF,))
    return {name: _rule(node[name]) for name in sorted(node)}


def _by_name(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _by_name(value[name]) for name in sorted(value)}
    return [_by_name(one) for one in value] if isinstance(value, list) else value
