"""A schema flattened: references followed and `allOf` merged, so that two schemas can be compared word by word.

What a merge cannot say in one word is named in `lost`: whoever needs the schema exactly must then say that it cannot
tell. A schema with more words than its flattened form knows of only allows less.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Any  # an object, or true or false
TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
DEFS: Final = "#/$defs/"
# Compared only for being the same.
OPAQUE: Final = (
    "not", "if", "then", "else", "contains", "minContains", "maxContains", "dependentSchemas", "patternProperties",
    "propertyNames", "unevaluatedItems",
)  # fmt: skip
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_OBJECT: Final = ("properties", "additionalProperties", "patternProperties")


@dataclass(slots=True)
class Flat:
    """`branches` are the groups of which one branch (`anyOf`), or exactly one (`oneOf`), must hold."""

    words: dict[str, Any] = field(default_factory=dict)
    branches: list[tuple[str, list[Schema]]] = field(default_factory=list)
    # Every conjunct's own value of the words that are compared as a whole, and its patterns.
    opaque: dict[str, list[Any]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    nothing: bool = False

    @property
    def types(self) -> set[str]:
        told = self.words.get("type")
        return set(TYPES) if told is None else set(told)

    @property
    def values(self) -> list[Any] | None:
        """All there can be, where that is listed."""
        listed: list[Any] | None = self.words.get("enum")
        return listed


def flatten(schema: Schema, defs: Mapping[str, Schema], *more: Schema) -> Flat:
    """The schema, together with `more` that must hold besides."""
    flat = Flat()
    for one in (schema, *more):
        _add(flat, one, defs, ())
    return flat


def same(one: Any, other: Any) -> bool:
    """Equality of JSON: 1 is 1.0 and is not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def kind_of(value: Any) -> str:
    """The narrowest type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if value == value // 1 else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _add(flat: Flat, schema: Schema, defs: Mapping[str, Schema], under: tuple[str, ...]) -> None:
    if schema is False:
        flat.nothing = True
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in under:
        _add(flat, defs.get(reference.removeprefix(DEFS), True), defs, (*under, reference))
    for part in schema.get("allOf", ()):
        _add(flat, part, defs, under)
    if any(word in flat.words for word in _OBJECT) and any(word in schema for word in _OBJECT):
        _mingle(flat, schema)
    left_out = _mingle_lists(flat, schema)
    for word, value in schema.items():
        if word in left_out:
            continue
        if word in ("anyOf", "oneOf"):
            flat.branches.append((word, list(value)))
        elif word in OPAQUE or word == "pattern":
            flat.opaque.setdefault(word, []).append(value)
            flat.words.setdefault(word, value)
        elif (merge := _MERGE.get(word)) is not None:
            merge(flat.words, word, value)


def _mingle(flat: Flat, schema: Mapping[str, Any]) -> None:
    """Two descriptions of one object: whose "nothing else" it is, one word cannot say."""
    declared = [one for one in (flat.words, schema) if "additionalProperties" in one or "patternProperties" in one]
    if declared:
        flat.lost.add("additionalProperties")


def _mingle_lists(flat: Flat, schema: Mapping[str, Any]) -> frozenset[str]:
    """Two descriptions of one list, where the one counts places and the other does not, or otherwise."""
    words = ("prefixItems", "items")
    if not any(word in flat.words for word in words) or not any(word in schema for word in words):
        return frozenset()
    if "prefixItems" not in flat.words and "prefixItems" not in schema:
        return frozenset()
    flat.lost.add("prefixItems")
    if "prefixItems" in flat.words and "prefixItems" in schema:
        flat.words.pop("items", None)
        return frozenset(words)
    return frozenset()


def _types(words: dict[str, Any], word: str, value: str | Sequence[str]) -> None:
    told = {value} if isinstance(value, str) else set(value)
    if "type" in words:
        told = _meet(set(words["type"]), told)
    words["type"] = told | ({"integer"} if "number" in told else set())


def _meet(one: set[str], other: set[str]) -> set[str]:
    def whole(types: set[str]) -> set[str]:
        return types | ({"integer"} if "number" in types else set())

    return whole(one) & whole(other)


def _listed(words: dict[str, Any], _word: str, values: Sequence[Any]) -> None:
    known = words.get("enum")
    words["enum"] = list(values) if known is None else [one for one in known if any(same(one, v) for v in values)]


def _single(words: dict[str, Any], word: str, value: Any) -> None:
    _listed(words, word, [value])


def _bound(choose: Callable[[Any, Any], Any]) -> Callable[[dict[str, Any], str, Any], None]:
    def merge(words: dict[str, Any], word: str, value: Any) -> None:
        words[word] = choose(words[word], value) if word in words else value

    return merge


def _both(words: dict[str, Any], word: str, value: Schema) -> None:
    words[word] = {"allOf": [words[word], value]} if word in words else value


def _rest(words: dict[str, Any], _word: str, value: Schema) -> None:
    """What else an object may hold; of two words on it the wider, which `lost` tells of."""
    known = words.get("additionalProperties")
    if known is None or known is False:
        words["additionalProperties"] = value
    elif value is not False and not same(known, value):
        words["additionalProperties"] = True


def _properties(words: dict[str, Any], _word: str, value: Mapping[str, Schema]) -> None:
    known = words.setdefault("properties", {})
    for name, schema in value.items():
        known[name] = {"allOf": [known[name], schema]} if name in known else schema


def _union(words: dict[str, Any], word: str, value: Sequence[str]) -> None:
    words[word] = sorted({*words.get(word, ()), *value})


def _depending(words: dict[str, Any], word: str, value: Mapping[str, Sequence[str]]) -> None:
    known = words.setdefault(word, {})
    for name, names in value.items():
        known[name] = sorted({*known.get(name, ()), *names})


def _positions(words: dict[str, Any], word: str, value: Sequence[Schema]) -> None:
    words[word] = list(value)


def _unique(words: dict[str, Any], word: str, value: bool) -> None:
    words[word] = words.get(word, False) or value


def _multiple(words: dict[str, Any], word: str, value: Any) -> None:
    words.setdefault(word, []).append(value)


_MERGE: Final[Mapping[str, Callable[[dict[str, Any], str, Any], None]]] = {
    "type": _types,
    "enum": _listed,
    "const": _single,
    "required": _union,
    "properties": _properties,
    "additionalProperties": _rest,
    "unevaluatedProperties": _rest,
    "dependentRequired": _depending,
    "items": _both,
    "prefixItems": _positions,
    "uniqueItems": _unique,
    "multipleOf": _multiple,
    **{word: _bound(min) for word in _UPPER},
    **{word: _bound(max) for word in _LOWER},
}
