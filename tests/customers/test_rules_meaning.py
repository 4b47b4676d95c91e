"""What each operator means, row by row, in both back ends."""

import json
from typing import Any

import pytest
from django.db import connection

from customers.rules import Facts, parse
from tests.customers.rules_in_sql import answers

pytestmark = pytest.mark.own_sql

BIG = 2**53
MISSING = object()

CASES = [
    # operator, stored, value, holds
    ("eq", "pro", "pro", True),
    ("eq", "Pro", "pro", False),
    ("eq", 1, 1.0, True),
    ("eq", 1, True, False),
    ("eq", True, 1, False),
    ("eq", True, True, True),
    ("eq", False, True, False),
    ("eq", "1", 1, False),
    ("eq", BIG + 1, BIG, False),
    ("eq", BIG + 1, float(BIG), False),
    ("eq", 1e23, 10**23, True),
    ("eq", 0.1, 0.1, True),
    ("eq", -0.0, 0, True),
    ("eq", ["pro"], "pro", False),
    ("eq", {"pro": 1}, "pro", False),
    ("eq", None, "pro", False),
    ("eq", MISSING, "pro", False),
    ("ne", "free", "pro", True),
    ("ne", "pro", "pro", False),
    ("ne", 1, "pro", True),
    ("ne", None, "pro", True),
    ("ne", MISSING, "pro", True),
    ("lt", 1, 2, True),
    ("lt", 2, 2, False),
    ("lt", True, 2, False),
    ("lt", "1", 2, False),
    ("lt", BIG, float(BIG + 2), True),
    ("lt", 10**23 - 1, 1e23, True),
    ("lt", MISSING, 2, False),
    ("lt", "a", "b", True),
    ("lt", "B", "a", True),
    ("lt", "Z", "é", True),
    ("lt", "\ue000", "\U00010000", True),
    ("lt", "2026-09-30", "2026-10-01", True),
    ("lt", 1, "2", False),
    ("le", 2, 2.0, True),
    ("le", None, 2, False),
    ("gt", 2.5, 2, True),
    ("gt", [3], 2, False),
    ("gt", "b", "a", True),
    ("ge", 2, 2, True),
    ("ge", 1, 2, False),
    ("ge", BIG + 1, BIG + 1, True),
    ("in", "a", ["a", 1], True),
    ("in", 1.0, ["a", 1], True),
    ("in", True, ["a", 1], False),
    ("in", True, [1, True], True),
    ("in", BIG + 1, [BIG], False),
    ("in", ["a"], ["a"], False),
    ("in", MISSING, ["a"], False),
    ("not_in", "b", ["a"], True),
    ("not_in", "a", ["a"], False),
    ("not_in", None, ["a"], True),
    ("not_in", MISSING, ["a"], True),
    ("contains", "foobar", "oba", True),
    ("contains", "foobar", "", True),
    ("contains", "foobar", "OBA", False),
    ("contains", "São", "ã", True),
    ("contains", ["a", "b"], "b", True),
    ("contains", ["ab"], "b", False),
    ("contains", [["b"]], "b", False),
    ("contains", [1, True], 1.0, True),
    ("contains", [True], 1, False),
    ("contains", [None], "a", False),
    ("contains", {"b": 1}, "b", False),
    ("contains", "1", 1, False),
    ("contains", 1, 1, False),
    ("contains", MISSING, "", False),
    ("starts_with", "foobar", "foo", True),
    ("starts_with", "foobar", "", True),
    ("starts_with", "foobar", "bar", False),
    ("starts_with", ["foo"], "foo", False),
    ("starts_with", "100%_", "100%", True),
    ("starts_with", "100x", "100%", False),
    ("starts_with", MISSING, "", False),
]

PRESENCE = [
    ("pro", True),
    ("", True),
    (0, True),
    (False, True),
    ([], True),
    ({}, True),
    (None, False),
    (MISSING, False),
]


def facts_with(stored: Any) -> Facts:
    values = {} if stored is MISSING else {"x": stored}
    return Facts(traits=values, properties=values)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["attribute", "event_property"])
@pytest.mark.parametrize(("op", "stored", "value", "holds"), CASES)
def test_an_operator_means_the_same_in_python_and_sql(kind: str, op: str, stored: Any, value: Any, holds: bool) -> None:
    rule, facts = parse({"leaf": kind, "name": "x", "op": op, "value": value}), facts_with(stored)
    assert rule.holds(facts) is holds
    assert answers([rule], [facts]) == [(holds,)]


@pytest.mark.django_db
@pytest.mark.parametrize(("stored", "there"), PRESENCE)
def test_null_is_missing_and_empty_is_not(stored: Any, there: bool) -> None:
    exists = parse({"leaf": "attribute", "name": "x", "op": "exists"})
    missing = parse({"leaf": "attribute", "name": "x", "op": "missing"})
    facts = facts_with(stored)
    assert (exists.holds(facts), missing.holds(facts)) == (there, not there)
    assert answers([exists, missing], [facts]) == [(there, not there)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("traits", "there"),
    [
        ({"a": {"b": {"c": 1}}}, True),
        ({"a": {"b": {"c": None}}}, False),
        ({"a": {"b": [1]}}, False),
        ({"a": "b"}, False),
        ({"a": None}, False),
        ({"a.b.c": 1}, False),
        ({}, False),
    ],
)
def test_a_path_walks_through_objects_only(traits: dict[str, Any], there: bool) -> None:
    rule, facts = parse({"leaf": "attribute", "name": "a.b.c", "op": "exists"}), Facts(traits)
    assert rule.holds(facts) is there
    assert answers([rule], [facts]) == [(there,)]


def test_a_path_has_no_positions_in_arrays() -> None:
    with_digit = parse({"leaf": "attribute", "name": "a.0", "op": "exists"})
    assert with_digit.holds(Facts({"a": [1]})) is False
    assert with_digit.holds(Facts({"a": {"0": 1}})) is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("payload", "holds"),
    [
        ({"properties": {"plan": "pro"}}, True),
        ({"traits": {"plan": "pro"}}, True),
        ({"properties": {}, "traits": {"plan": "pro"}}, False),
        ({"context": {"plan": "pro"}}, False),
        ({"context": {"traits": {"plan": "pro"}}}, False),
    ],
)
def test_the_properties_of_an_identify_are_the_traits_it_tells(payload: dict[str, Any], holds: bool) -> None:
    text, parameters = parse({"leaf": "event_property", "name": "plan", "op": "eq", "value": "pro"}).sql()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {text} FROM (SELECT %s::jsonb AS payload) p", [*parameters, json.dumps(payload)])
        assert cursor.fetchone() == (holds,)


def test_groups_and_not_combine_their_conditions() -> None:
    young = {"leaf": "attribute", "name": "age", "op": "lt", "value": 30}
    pro = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
    facts = [Facts({"age": age, "plan": plan}) for age in (20, 40) for plan in ("pro", "free")]
    told = {
        "all": [parse({"all": [young, pro]}).holds(one) for one in facts],
        "any": [parse({"any": [young, pro]}).holds(one) for one in facts],
        "not": [parse({"not": {"any": [young, pro]}}).holds(one) for one in facts],
    }
    assert told == {
        "all": [True, False, False, False],
        "any": [True, True, True, False],
        "not": [False, False, False, True],
    }
