"""What was chosen for each column on the page, and the mapping that it amounts to."""

from typing import Any, Final, Literal

from msgspec import Struct, field

from customers.imports.limits import FileRefused
from customers.imports.rows import ID, IDENTIFIER, NAME, PART, PROPERTY, TIME, TRAIT, kind_of
from customers.mapping.paths import escape
from customers.models import Import
from customers.money import minor_digits

As = Literal["text", "number", "money", "boolean", "time"]

IGNORE: Final = "ignore"
_CURRENCY: Final = "currency"


class Column(Struct, frozen=True, omit_defaults=True):
    """What a column is to become. `name` is a trait's or property's, `format` that of its times."""

    to: str = IGNORE
    name: str = ""
    as_: As = field(default="text", name="as")
    format: str = "iso"


class Choices(Struct, frozen=True):
    """`event` names all rows where no column does, and `currency` is that of the money in those that tell none of their
    own; `said` holds for all rows where no column says it."""

    columns: list[Column]
    zone: str = "UTC"
    decimal: Literal[".", ","] = "."
    event: str = ""
    currency: str = ""
    historical: bool = True
    said: dict[str, str] = {}


def as_mapping(parent: Import, choices: Choices) -> dict[str, Any]:
    """The mapping, written as `customers.mapping.parse` reads it; or FileRefused where two columns become one thing."""
    kind = kind_of(parent)
    rule: dict[str, Any] = {"key": "row", "type": kind.types[0]}
    if choices.historical:
        rule["historical"] = True
    if NAME in kind.told and choices.event and all(column.to != NAME for column in choices.columns):
        rule["name"] = {"constant": choices.event}
    currency = _own_currency(parent, choices)
    for heading, column in zip(parent.columns, choices.columns, strict=True):
        _add(rule, heading, column, choices, currency)
    if any(column.to.startswith((PROPERTY, PART)) and column.as_ == "money" for column in choices.columns):
        _say_currency(rule["properties"], currency, choices)
    if kind.finish is not None:
        kind.finish(rule, {name: text for name, text in choices.said.items() if text})
    return {"events": [rule]}


def _own_currency(parent: Import, choices: Choices) -> str:
    """The path of the currency that each row tells of itself, if any does."""
    for heading, column in zip(parent.columns, choices.columns, strict=True):
        if column.to == PART + _CURRENCY or (column.to == PROPERTY and column.name == _CURRENCY):
            return f"/{escape(heading)}"
    return ""


def _say_currency(properties: dict[str, Any], path: str, choices: Choices) -> None:
    """An amount was read in this currency, so it is told with it."""
    if path:
        held: dict[str, Any] = {"path": path, "steps": ["trim"]}
        properties[_CURRENCY] = held | ({"default": choices.currency} if choices.currency else {})
    elif choices.currency:
        properties[_CURRENCY] = {"constant": choices.currency}


def _add(rule: dict[str, Any], heading: str, column: Column, choices: Choices, currency: str) -> None:
    path = f"/{escape(heading)}"
    if column.to.startswith(IDENTIFIER):
        _put(rule.setdefault("identifiers", {}), column.to.removeprefix(IDENTIFIER), {"path": path, "steps": ["trim"]})
    elif column.to in (TRAIT, PROPERTY):
        part = "traits" if column.to == TRAIT else "properties"
        _put(rule.setdefault(part, {}), column.name, _value(path, column, choices, currency))
    elif column.to.startswith(PART):
        value = {"path": path, "steps": ["trim"]} if column.as_ == "text" else _value(path, column, choices, currency)
        _put(rule.setdefault("properties", {}), column.to.removeprefix(PART), value)
    elif column.to == TIME:
        _put(rule, TIME, {"path": path, "steps": [_time(column, choices)], "required": True})
    elif column.to in (NAME, ID):
        _put(rule, column.to, {"path": path, "steps": ["trim"], "required": True})


def _put(part: dict[str, Any], name: str, value: Any) -> None:
    if name in part:
        raise FileRefused("two_columns", name=name)
    part[name] = value


def _value(path: str, column: Column, choices: Choices, currency: str) -> Any:
    if column.as_ == "text":
        return path
    if column.as_ == "time":
        return {"path": path, "steps": [_time(column, choices)]}
    if column.as_ == "boolean":
        return {"path": path, "steps": ["boolean"]}
    number: dict[str, Any] = {
        "do": "number",
        "decimal": choices.decimal,
        "thousands": "." if choices.decimal == "," else ",",
    }
    if column.as_ == "money":
        number |= {"shift": minor_digits(choices.currency), "whole": True}
        if currency:
            number["currency"] = currency
    return {"path": path, "steps": [number]}


def _time(column: Column, choices: Choices) -> dict[str, str]:
    return {"do": "time", "format": column.format or "iso", "zone": choices.zone}
