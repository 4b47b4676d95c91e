"""Parts of a document in words: conditions, ways between steps, values of fields."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from customers.authoring import durations, rule_form
from customers.authoring.describe import Field
from customers.rules.leaf import every_kind

_LONGEST = 160


def rule_words(rule: object) -> str:
    """“plan is pro and cart.total is more than 50”; what is no rule, as JSON."""
    return _node(rule, top=True)


def _node(node: Any, *, top: bool = False) -> str:
    kind = rule_form.kind_of(node)
    if kind in rule_form.GROUPS:
        word = _(" and ") if kind == "all" else _(" or ")
        text = word.join(_node(part) for part in node[kind])
        return text if top or len(node[kind]) < 2 else f"({text})"
    if kind == rule_form.NOT:
        return _("not (%(condition)s)") % {"condition": _node(node[rule_form.NOT], top=True)}
    if kind in every_kind():
        return every_kind()[kind].words(dict(_said(rule_form.leaf_fields(kind), node)))
    return "" if node is None else json.dumps(node, ensure_ascii=False)


def _said(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields that say something: given, or of a usual value."""
    for one in fields:
        value = values.get(one.name, None if one.required else one.default)
        if value is None or value == []:
            continue
        if one.kind == "list" and isinstance(value, list):
            rows = (dict(_said(one.fields, row)).values() for row in value if isinstance(row, Mapping))
            yield one.name, _(" and ").join(" ".join(row) for row in rows)
        else:
            yield one.name, value_words(one, value)


def value_words(one: Field, value: Any) -> str:
    """A field's value as a person would say it."""
    if value is None:
        return "–"
    if one.kind == "rule":
        return _short(rule_words(value))
    if one.kind == "duration":
        return durations.words(value)
    if one.choices:
        return str(dict(one.choices).get(value, value))
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(map(str, value))
    if isinstance(value, list) and one.fields:
        return "; ".join(row_words(one.fields, row) for row in value)
    if isinstance(value, dict) and one.fields:
        return row_words(one.fields, value)
    return _short(json.dumps(value, ensure_ascii=False))


def row_words(fields: Iterable[Field], row: object, *, without: str = "") -> str:
    """The values of a row that are there, in order; of what is said with yes or no, what is so."""
    if not isinstance(row, Mapping):
        return _short(json.dumps(row, ensure_ascii=False))
    given = [one for one in fields if one.name in row and not (without and one.hint.refers == without)]
    return ", ".join(_in_row(one, row[one.name]) for one in given if one.kind != "flag" or row[one.name] is not False)


def _in_row(one: Field, value: Any) -> str:
    return str(one.label) if one.kind == "flag" and value is True else value_words(one, value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
