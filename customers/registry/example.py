"""An example made from a schema: what somebody who is to send such events begins with.

It is the simplest thing that should fit. Whether it does is asked of the schema itself, by whoever shows it.
"""

from collections.abc import Mapping
from typing import Any, Final

from customers.registry.flat import Flat, Schema, flatten
from customers.registry.pattern import text_for

_DEEPEST: Final = 12
_FORMATS: Final = {
    "date-time": "2026-03-02T12:00:00-03:00",
    "date": "2026-03-02",
    "time": "12:00:00-03:00",
    "email": "ana@example.com",
    "uri": "https://example.com/",
    "uuid": "0195577f-7400-7000-8000-000000000000",
    "ipv4": "192.0.2.1",
}


def example(schema: Schema) -> Any:
    defs = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    made = _made(schema, defs, 0)
    return made if isinstance(made, dict) else {}


def _made(schema: Schema, defs: Mapping[str, Schema], depth: int) -> Any:
    flat = flatten(schema, defs)
    if flat.branches:
        _word, branches = flat.branches[0]
        flat = flatten(schema, defs, branches[0])
    told = schema.get("examples") if isinstance(schema, dict) else None
    if told:
        return told[0]
    if isinstance(schema, dict) and "default" in schema:
        return schema["default"]
    if flat.values:
        return flat.values[0]
    return _of_type(flat, schema, defs, depth)


def _of_type(flat: Flat, schema: Schema, defs: Mapping[str, Schema], depth: int) -> Any:
    types = flat.types
    # Whoever names properties means an object, whatever else might fit.
    if "object" in types and ("properties" in flat.words or len(types) == 1 or depth == 0):
        return _object(flat, defs, depth)
    if "string" in types:
        return _text(flat, schema)
    if "integer" in types:
        return _number(flat)
    if "array" in types:
        return _list(flat, defs, depth)
    return True if "boolean" in types else None


def _object(flat: Flat, defs: Mapping[str, Schema], depth: int) -> dict[str, Any]:
    required = set(flat.words.get("required", ()))
    properties = flat.words.get("properties", {})
    wanted = {name: schema for name, schema in properties.items() if name in required or depth < _DEEPEST}
    made = {name: _made(schema, defs, depth + 1) for name, schema in wanted.items() if schema is not False}
    return made | dict.fromkeys(sorted(required - properties.keys()), "text")


def _text(flat: Flat, schema: Schema) -> str:
    least, most = int(flat.words.get("minLength", 0)), flat.words.get("maxLength")
    if "pattern" in flat.words:
        return text_for(flat.words["pattern"], least)
    text = _FORMATS.get(schema.get("format", ""), "text") if isinstance(schema, dict) else "text"
    text = text if len(text) >= least else text + "x" * (least - len(text))
    return text if most is None else text[: int(most)]


def _number(flat: Flat) -> Any:
    words = flat.words
    # A whole number is a number as well, and easier to read.
    value = words.get("minimum", words.get("exclusiveMinimum", 0))
    if "exclusiveMinimum" in words and value <= words["exclusiveMinimum"]:
        value = words["exclusiveMinimum"] + 1
    most = words.get("maximum", words.get("exclusiveMaximum"))
    if most is not None and value > most:
        value = most
    step = (words.get("multipleOf") or [1])[0]
    value = -(-value // step) * step
    return int(value) if value == int(value) else value


def _list(flat: Flat, defs: Mapping[str, Schema], depth: int) -> list[Any]:
    places = flat.words.get("prefixItems", [])
    made = [_made(one, defs, depth + 1) for one in places]
    least = int(flat.words.get("minItems", 0))
    rest = flat.words.get("items", True)
    if rest is not False and depth < _DEEPEST:
        made += [_made(rest, defs, depth + 1) for _ in range(max(least, 1) - len(made))]
    most = flat.words.get("maxItems")
    return made if most is None else made[: int(most)]
