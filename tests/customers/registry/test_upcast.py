"""Upcasts: each operation, chains of them, and that SQL and the schema agree with what Python makes."""

from typing import Any

import jsonschema_rs
import orjson
import pytest
from django.db import connection

from customers.registry import upcast, upcast_schema
from customers.registry.upcast_sql import chain
from tests.customers.registry.made_schemas import NAMES, SCALARS, Maker, closed


def operations(*documents: Any) -> list[upcast.Operation]:
    made, faults = upcast.read(list(documents))
    assert faults == []
    return made


RENAME = {"op": "rename", "property": "a", "to": "b"}
MAP = {"op": "map", "property": "a", "values": {"x": 1, "y": None}}
EACH: list[tuple[Any, Any, Any]] = [
    (RENAME, {"a": 1}, {"b": 1}),
    (RENAME, {"a": None, "b": 2}, {"b": None}),
    (RENAME, {"b": 2}, {"b": 2}),
    ({"op": "rename", "property": "o.a", "to": "b"}, {"o": {"a": 1}}, {"o": {"b": 1}}),
    ({"op": "default", "property": "a", "value": [1]}, {}, {"a": [1]}),
    ({"op": "default", "property": "a", "value": 1}, {"a": None}, {"a": None}),
    ({"op": "default", "property": "o.a", "value": 1}, {"o": {}}, {"o": {"a": 1}}),
    ({"op": "default", "property": "o.a", "value": 1}, {}, {}),
    ({"op": "default", "property": "o.a", "value": 1}, {"o": [1]}, {"o": [1]}),
    (MAP, {"a": "x"}, {"a": 1}),
    (MAP, {"a": "y"}, {"a": None}),
    (MAP, {"a": "z"}, {"a": "z"}),
    (MAP, {"a": ["x"]}, {"a": ["x"]}),
    ({"op": "drop", "property": "a"}, {"a": 1, "b": 2}, {"b": 2}),
    ({"op": "drop", "property": "o.a"}, {"o": "text"}, {"o": "text"}),
]
COERCED: list[tuple[str, Any, Any]] = [
    ("integer", "12", 12),
    ("integer", "-007", -7),
    ("integer", "12.0", "12.0"),
    ("integer", "1" * 16, "1" * 16),
    ("integer", 3.0, 3),
    ("integer", 3.5, 3.5),
    ("integer", True, 1),
    ("integer", None, None),
    ("number", "1.25", 1.25),
    ("number", "1e3", "1e3"),
    ("number", "1.2345678901234567", "1.2345678901234567"),
    ("number", False, 0),
    ("string", 12, "12"),
    ("string", 12.0, "12"),
    ("string", 1.5, 1.5),
    ("string", 1e300, 1e300),
    ("string", True, "true"),
    ("boolean", "true", True),
    ("boolean", "yes", "yes"),
    ("boolean", 0, False),
    ("boolean", 2, 2),
    ("boolean", [], []),
]
CASES = EACH + [({"op": "coerce", "property": "a", "to": to}, {"a": was}, {"a": made}) for to, was, made in COERCED]


def in_sql(made: list[upcast.Operation], said: Any) -> Any:
    expression, values = chain(made, ("%s::text::jsonb", [orjson.dumps(said).decode()]))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({expression})::text", values)
        return orjson.loads(cursor.fetchone()[0])


@pytest.mark.parametrize(("operation", "said", "made"), CASES)
def test_an_operation(operation: Any, said: Any, made: Any) -> None:
    before = orjson.dumps(said)
    result = upcast.apply(operations(operation), said)
    assert orjson.dumps(result) == orjson.dumps(made)
    assert orjson.dumps(said) == before


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "said", "made"), CASES)
def test_the_same_in_sql(operation: Any, said: Any, made: Any) -> None:
    assert orjson.dumps(in_sql(operations(operation), said)) == orjson.dumps(made)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"op": "rename", "property": "a", "to": "b"}, ""),
        ([{"op": "move", "property": "a"}], "/0"),
        ([RENAME, {"op": "drop"}], "/1"),
        ([{"op": "drop", "property": "a", "also": "b"}], "/0"),
        ([{"op": "drop", "property": "a..b"}], "/0/property"),
        ([{"op": "drop", "property": "0"}], "/0/property"),
        ([{"op": "rename", "property": "a", "to": "b.c"}], "/0/to"),
        ([{"op": "rename", "property": "a", "to": "a"}], "/0/to"),
        ([{"op": "map", "property": "a", "values": {}}], "/0/values"),
        ([{"op": "coerce", "property": "a", "to": "date"}], "/0"),
        ([{"op": "drop", "property": "a"}] * 51, ""),
    ],
)
def test_what_is_no_upcast_is_told_by_its_place(document: Any, pointer: str) -> None:
    _made, faults = upcast.read(document)
    assert [fault.pointer for fault in faults] == [pointer]


class Chains(Maker):
    def path(self) -> str:
        return ".".join(self.sample(NAMES, self.choice((1, 1, 2))))

    def operation(self) -> Any:
        match self.randrange(5):
            case 0:
                path = self.path()
                return {"op": "rename", "property": path, "to": self.choice([n for n in NAMES if n != path[-1]])}
            case 1:
                return {"op": "default", "property": self.path(), "value": self.value()}
            case 2:
                texts = {one: self.choice(SCALARS) for one in ("x", "1", "true")}
                return {"op": "map", "property": self.path(), "values": texts}
            case 3:
                return {"op": "drop", "property": self.path()}
            case _:
                to = self.choice(("string", "integer", "number", "boolean"))
                return {"op": "coerce", "property": self.path(), "to": to}

    def chain(self) -> list[upcast.Operation]:
        return operations(*(self.operation() for _ in range(self.randint(1, 6))))


@pytest.mark.django_db
def test_random_chains_agree_with_sql() -> None:
    make, changed = Chains(1), 0
    for _ in range(400):
        made, said = make.chain(), make.event()
        result = upcast.apply(made, said)
        changed += result != said
        assert in_sql(made, said) == result, (made, said)
    assert changed > 200


def test_a_chain_is_its_parts_one_after_the_other() -> None:
    make = Chains(2)
    for _ in range(1_000):
        first, second, said = make.chain(), make.chain(), make.event()
        assert upcast.apply([*first, *second], said) == upcast.apply(second, upcast.apply(first, said))


def test_what_fitted_fits_the_upcast_schema_once_it_is_upcast() -> None:
    make, asked = Chains(3), 0
    for _ in range(6_000):
        schema, made = make.root(), [one for one in make.chain() if not isinstance(one, upcast.Coerce)]
        if not made or upcast_schema.unknown(schema, made):
            continue
        before, after = (
            jsonschema_rs.Draft202012Validator(closed(one)) for one in (schema, upcast_schema.after(schema, made))
        )
        for said in (make.event() for _ in range(10)):
            if before.is_valid(said):
                asked += 1
                assert after.is_valid(upcast.apply(made, said)), (schema, made, said)
    assert asked > 500


def test_operations_on_what_the_version_before_does_not_have_are_told() -> None:
    schema: dict[str, Any] = {"properties": {"a": {}, "b": {}}}
    made = operations(RENAME, {"op": "drop", "property": "c"}, {"op": "default", "property": "o.a", "value": 1})
    found = [(fault.code, fault.pointer) for fault in upcast_schema.unknown(schema, made)]
    assert found == [
        ("property_taken", "/0/to"),
        ("property_unknown", "/1/property"),
        ("property_unknown", "/2/property"),
    ]
