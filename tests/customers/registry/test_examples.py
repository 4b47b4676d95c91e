"""Examples made from schemas fit them, and schemas inferred from samples are fitted by them."""

import re
from typing import Any

import jsonschema_rs
import pytest

from customers.registry import sound
from customers.registry.example import example
from customers.registry.infer import infer
from customers.registry.pattern import text_for
from tests.customers.registry.made_schemas import Maker


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "AAA"),
        ({"type": "integer", "exclusiveMinimum": 4, "multipleOf": 5}, 5),
        ({"type": "number", "maximum": -1}, -1),
        ({"enum": ["web", "app"]}, "web"),
        ({"type": "string", "examples": ["BRL"]}, "BRL"),
        ({"type": "array", "minItems": 2, "items": {"type": "boolean"}}, [True, True]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": "object", "properties": {"b": {"type": "integer"}}}, {"b": 0}),
    ],
)
def test_the_simplest_thing_that_fits(schema: Any, made: Any) -> None:
    assert example({"type": "object", "properties": {"a": schema}}) == {"a": made}


def test_definitions_are_followed_and_circles_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    made = example({"type": "object", "properties": {"a": {"$ref": "#/$defs/node"}}, "$defs": {"node": node}})
    assert "next" in made["a"]


@pytest.mark.parametrize("pattern", ["^x", "y$", "^[A-Z]{3}$", r"^\d+-[^0-9]$", "(ab|c)+z?", "^.{3,5}$"])
def test_a_text_matches_its_pattern(pattern: str) -> None:
    assert re.search(pattern, text_for(pattern))


def test_samples_fit_the_schema_inferred_from_them() -> None:
    make = Maker(4)
    for _ in range(500):
        samples = [make.event() for _ in range(make.randint(1, 4))]
        schema = infer(samples)
        assert sound.faults(schema) == []
        validator = jsonschema_rs.Draft202012Validator(schema)
        assert all(validator.is_valid(one) for one in samples), (samples, schema)


def test_what_all_samples_say_is_required() -> None:
    assert infer([{"a": 1, "b": "x"}, {"a": 1.5}]) == {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "number"}, "b": {"type": "string"}},
    }


def deep(levels: int) -> Any:
    return {"properties": {"a": deep(levels - 1)}} if levels else {}


@pytest.mark.parametrize(
    ("schema", "code", "pointer"),
    [
        (True, "wrong_type", ""),
        ({"type": "nope"}, "not_a_schema", "/type"),
        ({"properties": {"a": {"minimum": "x"}}}, "not_a_schema", "/properties/a/minimum"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "wrong_draft", "/$schema"),
        ({"type": "array"}, "not_an_object", "/type"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}}, "reference_outside", "/properties/a/$ref"),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "reference_outside", "/properties/a/$ref"),
        ({"$id": "http://127.0.0.1:1/x"}, "reference_outside", "/$id"),
        ({"properties": {"a": {"$defs": {"b": {}}}}}, "defs_inside", "/properties/a/$defs"),
        ({"properties": {"a": {"pattern": "("}}}, "schema_unusable", ""),
        ({"properties": {"a": {"pattern": "(a{1000}){1000}"}}}, "schema_unusable", ""),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "schema_unusable", ""),
        (deep(20), "too_deep", ""),
        ({"properties": {f"p{n}": {} for n in range(4_000)}}, "too_large", ""),
        ({"description": "x" * 70_000}, "too_large", ""),
    ],
)
def test_what_cannot_be_a_schema_is_told_with_its_place(schema: Any, code: str, pointer: str) -> None:
    assert [(fault.code, fault.pointer) for fault in sound.faults(schema)] == [(code, pointer)]
