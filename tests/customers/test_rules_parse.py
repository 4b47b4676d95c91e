"""What the parser takes and what it refuses, with code and pointer (BAD_INPUTS 63)."""

from typing import Any, ClassVar

import pytest

from customers.rules import Facts, Leaf, RuleError, parse

PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}


def leaf(**fields: Any) -> dict[str, Any]:
    return {**PRO, **fields}


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = PRO
    for _level in range(levels - 1):
        tree = {"not": tree}
    return tree


def refusals(tree: object) -> list[tuple[str, str]]:
    with pytest.raises(RuleError) as caught:
        parse(tree)
    return [(problem.code, problem.pointer) for problem in caught.value.problems]


def test_a_rule_comes_back_as_the_json_it_was_read_from() -> None:
    seen = {"leaf": "event_property", "name": "cart.total", "op": "exists"}
    tree = {"all": [PRO, {"any": [{"not": seen}, leaf(op="in", value=["a", 1, True])]}]}
    rule = parse(tree)
    assert rule.to_json() == tree
    assert parse(rule.to_json()) == rule


def test_a_rule_names_what_it_depends_on() -> None:
    assert parse(PRO).inputs == {"traits"}
    assert parse({"not": {**PRO, "leaf": "event_property"}}).inputs == {"event"}
    assert parse({"any": [PRO, {**PRO, "leaf": "event_property"}]}).inputs == {"traits", "event"}


@pytest.mark.parametrize(
    ("tree", "code", "pointer"),
    [
        (None, "wrong_type", ""),
        ([PRO], "wrong_type", ""),
        ({}, "unknown_condition", ""),
        ({"all": [PRO], "any": [PRO]}, "unknown_condition", ""),
        ({"all": []}, "wrong_type", "/all"),
        ({"any": PRO}, "wrong_type", "/any"),
        ({"all": [PRO, 7]}, "wrong_type", "/all/1"),
        ({"not": {"leaf": "weather"}}, "unknown_leaf", "/not/leaf"),
        ({"leaf": ["attribute"]}, "unknown_leaf", "/leaf"),
        ({"leaf": "attribute", "op": "exists"}, "missing_field", "/name"),
        (leaf(**{"a/b~": 1}), "unknown_field", "/a~1b~0"),
        (leaf(name=7), "wrong_type", "/name"),
        (leaf(name='a"; drop'), "name_invalid", "/name"),
        (leaf(name="plan\n"), "name_invalid", "/name"),
        (leaf(name="address..city"), "name_invalid", "/name"),
        (leaf(name="a" * 121), "name_invalid", "/name"),
        (leaf(op="regex", value="(a+)+$"), "unknown_operator", "/op"),
        (leaf(op="exists"), "value_not_allowed", "/value"),
        ({"leaf": "attribute", "name": "plan", "op": "eq"}, "missing_field", "/value"),
        (leaf(value=None), "wrong_type", "/value"),
        (leaf(value=["pro"]), "wrong_type", "/value"),
        (leaf(op="lt", value=True), "wrong_type", "/value"),
        (leaf(op="starts_with", value=1), "wrong_type", "/value"),
        (leaf(op="in"), "wrong_type", "/value"),
        (leaf(op="in", value=[]), "wrong_type", "/value"),
        (leaf(op="in", value=["a", None]), "wrong_type", "/value/1"),
        (leaf(op="in", value=["a"] * 1_001), "too_many_values", "/value"),
        (leaf(value=float("nan")), "number_out_of_range", "/value"),
        (leaf(op="in", value=[float("inf")]), "number_out_of_range", "/value/0"),
        (leaf(value=10**400), "number_out_of_range", "/value"),
        (leaf(value="a\x00"), "nul_character", "/value"),
        (leaf(value="a\ud800"), "lone_surrogate", "/value"),
        (leaf(value="a" * 1_001), "value_too_long", "/value"),
        ({"any": [PRO] * 1_000_000}, "too_many_conditions", "/any"),
        ({"any": [{"all": [PRO] * 30}, {"all": [PRO] * 30}]}, "too_many_conditions", "/any/1/all/20"),
        (nested(9), "rule_too_deep", "/not" * 8),
        (nested(50), "rule_too_deep", "/not" * 8),
    ],
)
def test_a_mistake_is_named_by_code_and_pointer(tree: object, code: str, pointer: str) -> None:
    assert refusals(tree) == [(code, pointer)]


def test_all_mistakes_are_told_at_once() -> None:
    tree = {"all": [leaf(op="like"), {"not": leaf(name="1st", op="lt", value=False)}, PRO]}
    assert refusals(tree) == [
        ("unknown_operator", "/all/0/op"),
        ("name_invalid", "/all/1/not/name"),
        ("wrong_type", "/all/1/not/value"),
    ]


def test_the_error_is_its_first_problem_and_prints_as_json() -> None:
    with pytest.raises(RuleError) as caught:
        parse({"not": leaf(op="exists")})
    error = caught.value
    assert (error.code, error.pointer) == ("value_not_allowed", "/not/value")
    assert str(error) == "/not/value: A value too many."
    assert error.problems[0].as_json() == {
        "code": "value_not_allowed",
        "pointer": "/not/value",
        "message": str(error.message),
        "hint": str(error.hint),
    }


def test_the_limits_themselves_are_allowed() -> None:
    assert parse(nested(8)).holds(Facts()) is True
    assert parse({"any": [PRO] * 50}).holds(Facts({"plan": "pro"})) is True
    assert parse(leaf(op="in", value=["a"] * 1_000)).holds(Facts({"plan": "pro"})) is False
    assert parse(leaf(name="a" * 120)).holds(Facts()) is False


def test_two_leaf_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(RuntimeError, match="two leaf kinds are called attribute"):

        class Second(Leaf, frozen=True):
            kind: ClassVar[str] = "attribute"


def test_names_and_values_never_become_part_of_the_sql() -> None:
    hostile = "x' OR '1'='1"
    text, parameters = parse(leaf(value=hostile)).sql()
    assert hostile not in text
    assert "plan" not in text
    assert parameters == ["plan", f'"{hostile}"']
