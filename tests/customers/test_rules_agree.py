"""Both back ends of the rule language agree, on rules and customers nobody thought of."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.rules import Facts, parse
from customers.rules.operators import OPERATORS
from tests.customers.rules_in_sql import answers

# `a` is nearly always a scalar, `b` anything, `c` may be missing.
NAMES = ["a", "a", "a", "b", "b.a", "b.a.c", "b.0", "c"]
KEYS = ["a", "c", "0"]
# What is easily taken for one another. Rules and customers of one example draw on the same few values.
ALIKE: list[list[Any]] = [
    [True, 1, 1.0, "1", "true"],
    [False, 0, -0.0, "", "0", "false"],
    [2**53, 2**53 + 1, float(2**53), float(2**53 + 2)],
    [1e23, 10**23, 10**23 - 1],
    [0.1, 5e-324, 1e308, 2**80, float(2**80)],
    ["a", "A", "ab", "B", "é", "e\u0301"],
    ["", "\ue000", "\U00010000", "%", "_", "\\", "'", '"'],
]
ANYTHING = (
    st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5)
)
POOLS = st.sampled_from(ALIKE) | st.lists(ANYTHING, min_size=2, max_size=4)


def stored(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(
        st.none() | scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
        max_leaves=4,
    )
    return st.fixed_dictionaries({"a": scalars, "b": scalars | values}, optional={"c": values})


@st.composite
def leaves(draw: st.DrawFn, pool: list[Any]) -> dict[str, Any]:
    op = draw(st.sampled_from(sorted(OPERATORS)))
    tree = {
        "leaf": draw(st.sampled_from(["attribute", "event_property"])),
        "name": draw(st.sampled_from(NAMES)),
    }
    texts = [value for value in pool if type(value) is str]
    ordered = [value for value in pool if type(value) is not bool]
    match op:
        case "exists" | "missing":
            return {**tree, "op": op}
        case "in" | "not_in":
            return {**tree, "op": op, "value": draw(st.lists(st.sampled_from(pool), min_size=1, max_size=9))}
        case "starts_with":
            suitable = texts or ["a"]
        case "lt" | "le" | "gt" | "ge":
            suitable = ordered or [1]
        case _:
            suitable = pool
    return {**tree, "op": op, "value": draw(st.sampled_from(suitable))}


def groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return (
        st.builds(lambda nodes: {"all": nodes}, several)
        | st.builds(lambda nodes: {"any": nodes}, several)
        | st.builds(lambda node: {"not": node}, inner)
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[Facts]]:
    """Rules, mostly of one condition so that no other hides its answer, and people to ask them of."""
    pool = draw(POOLS)
    values = stored(st.sampled_from(pool))
    trees = draw(st.lists(leaves(pool), min_size=12, max_size=12))
    trees += draw(st.lists(groups(leaves(pool)) | groups(groups(leaves(pool))), min_size=3, max_size=3))
    return trees, draw(st.lists(st.builds(Facts, values, values), min_size=8, max_size=8))


@pytest.mark.django_db
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(questions())
def test_python_and_postgresql_give_the_same_answers(asked: tuple[list[dict[str, Any]], list[Facts]]) -> None:
    trees, people = asked
    rules = [parse(tree) for tree in trees]
    assert answers(rules, people) == [tuple(rule.holds(facts) for rule in rules) for facts in people]
