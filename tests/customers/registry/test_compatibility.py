"""What may follow a schema, mode by mode, and where it may not."""

from typing import Any

import pytest

from customers.registry.compatibility import compare

TEXT = {"type": "string"}


def an(properties: Any = None, /, **words: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties or {}, **words}


ROUND = an({"a": {"$ref": "#/$defs/t"}}, **{"$defs": {"t": an({"t": {"$ref": "#/$defs/t"}})}})


def places(old: Any, new: Any, mode: str = "backward") -> list[tuple[str, str]]:
    return [(breach.path, breach.code) for breach in compare(old, new, mode)]


MAY_FOLLOW: list[tuple[str, Any, Any]] = [
    ("an optional property more", an(), an({"a": TEXT})),
    ("required no more", an({"a": TEXT}, required=["a"]), an({"a": TEXT})),
    ("a wider type", an({"a": {"type": "integer"}}), an({"a": {"type": "number"}})),
    ("another type besides", an({"a": TEXT}), an({"a": {"type": ["string", "null"]}})),
    ("a longer list of values", an({"a": {"enum": ["x"]}}), an({"a": {"enum": ["x", "y"]}})),
    ("any text instead of some", an({"a": {"enum": ["x"]}}), an({"a": TEXT})),
    ("wider bounds", an({"a": {"type": "integer", "minimum": 1}}), an({"a": {"type": "integer", "minimum": 0}})),
    ("a bound of the other kind", an({"a": {"type": "number", "minimum": 1}}), an({"a": {"exclusiveMinimum": 0}})),
    ("longer texts", an({"a": {**TEXT, "maxLength": 5}}), an({"a": {**TEXT, "maxLength": 9}})),
    ("smaller steps", an({"a": {"type": "integer", "multipleOf": 10}}), an({"a": {"multipleOf": 5}})),
    ("no pattern any more", an({"a": {**TEXT, "pattern": "^x"}}), an({"a": TEXT})),
    ("another way besides", an({"a": TEXT}), an({"a": {"anyOf": [TEXT, {"type": "integer"}]}})),
    ("one of ways apart", an({"a": TEXT}), an({"a": {"oneOf": [TEXT, {"type": "integer"}]}})),
    ("opened", an({"a": TEXT}), an({"a": TEXT}, additionalProperties=True)),
    ("dropped from an open one", an({"a": TEXT}), an(additionalProperties=True)),
    ("a definition instead of the words", an({"a": TEXT}), an({"a": {"$ref": "#/$defs/t"}}, **{"$defs": {"t": TEXT}})),
    ("a schema within itself", ROUND, ROUND | {"title": "again"}),
    ("one rule fewer", an({"a": {"allOf": [TEXT, {"minLength": 1}]}}), an({"a": TEXT})),
]
MAY_NOT: list[tuple[str, Any, Any, list[tuple[str, str]]]] = [
    ("newly required", an({"a": TEXT}), an({"a": TEXT}, required=["a"]), [("/a", "required")]),
    (
        "required, with a default that nobody applies",
        an(),
        an({"a": {"default": 1}}, required=["a"]),
        [("/a", "required")],
    ),
    ("a narrower type", an({"a": {"type": "number"}}), an({"a": {"type": "integer"}}), [("/a", "type")]),
    ("dropped from a closed one", an({"a": TEXT}), an(), [("/a", "removed")]),
    ("renamed", an({"a/b": TEXT}), an({"b": TEXT}), [("/a~1b", "removed")]),
    (
        "added to an open one",
        an(additionalProperties=True),
        an({"a": TEXT}, additionalProperties=True),
        [("/a", "added_to_open")],
    ),
    ("closed", an(additionalProperties=True), an(), [("", "additionalProperties")]),
    ("a shorter list of values", an({"a": {"enum": [1, 2]}}), an({"a": {"enum": [1]}}), [("/a", "enum")]),
    ("a list of values", an({"a": TEXT}), an({"a": {"enum": ["x"]}}), [("/a", "enum")]),
    ("1 is not true", an({"a": {"const": 1}}), an({"a": {"const": True}}), [("/a", "enum")]),
    (
        "narrower bounds",
        an({"a": {"type": "number"}}),
        an({"a": {"type": "number", "maximum": 9}}),
        [("/a", "maximum")],
    ),
    ("shorter texts", an({"a": TEXT}), an({"a": {**TEXT, "maxLength": 9}}), [("/a", "maxLength")]),
    ("another pattern", an({"a": {**TEXT, "pattern": "x"}}), an({"a": {**TEXT, "pattern": "y"}}), [("/a", "pattern")]),
    (
        "coarser steps",
        an({"a": {"type": "integer"}}),
        an({"a": {"type": "integer", "multipleOf": 5}}),
        [("/a", "multipleOf")],
    ),
    (
        "inside a list",
        an({"a": {"type": "array", "items": an({"b": TEXT})}}),
        an({"a": {"type": "array", "items": an({"b": {"type": "null"}})}}),
        [("/a/*/b", "type")],
    ),
    ("one way fewer", an({"a": {"anyOf": [TEXT, {"type": "null"}]}}), an({"a": TEXT}), [("/a", "type")]),
    ("one of ways that overlap", an({"a": TEXT}), an({"a": {"oneOf": [TEXT, {"minLength": 2}]}}), [("/a", "oneOf")]),
    ("another not", an({"a": {"not": TEXT}}), an({"a": {"not": {"type": "null"}}}), [("/a", "not")]),
    (
        "unique now",
        an({"a": {"type": "array"}}),
        an({"a": {"type": "array", "uniqueItems": True}}),
        [("/a", "uniqueItems")],
    ),
    ("nothing any more", an({"a": TEXT}), an({"a": False}), [("/a", "removed")]),
    (
        "both ways of an anyOf at once",
        an(anyOf=[{"properties": {"b": TEXT}}, {"properties": {"c": TEXT}}]),
        an({"b": TEXT}),
        [("/c", "removed")],
    ),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in MAY_FOLLOW], ids=[row[0] for row in MAY_FOLLOW])
def test_it_may_follow(old: Any, new: Any) -> None:
    assert places(old, new) == []


@pytest.mark.parametrize(("old", "new", "found"), [row[1:] for row in MAY_NOT], ids=[row[0] for row in MAY_NOT])
def test_it_may_not_follow_and_the_place_is_named(old: Any, new: Any, found: list[tuple[str, str]]) -> None:
    assert places(old, new) == found


def test_forward_asks_whether_the_old_reads_the_new() -> None:
    less, more = an(), an({"a": TEXT}, required=["a"])
    assert places(less, more, "forward") == [("/a", "removed")]
    assert places(more, less, "forward") == [("/a", "required")]


def test_full_asks_both_and_says_whose_reading_fails() -> None:
    found = compare(an(), an({"a": TEXT}, required=["a"]), "full")
    assert [(one.path, one.code, one.direction) for one in found] == [
        ("/a", "required", "backward"),
        ("/a", "removed", "forward"),
    ]


def test_none_asks_nothing() -> None:
    assert places(an({"a": TEXT}), an({"a": {"type": "null"}}, required=["b"]), "none") == []


def test_too_many_alternatives_are_a_breach_and_not_an_endless_search() -> None:
    ways = {"allOf": [{"anyOf": [{"minLength": n}, {"maxLength": n}]} for n in range(12)]}
    assert places(an({"a": ways}), an({"a": {"type": "string", "minLength": 3}})) == [("/a", "too_many_ways")]


def test_a_definition_that_refers_to_itself_at_once_is_a_breach() -> None:
    old = an({"a": TEXT})
    new = an({"a": {"$ref": "#/$defs/t"}}, **{"$defs": {"t": {"anyOf": [{"$ref": "#/$defs/t"}]}}})
    assert [path for path, _code in places(old, new)] == ["/a"]
