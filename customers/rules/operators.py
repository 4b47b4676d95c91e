"""The operators, each in both back ends.

A value that is absent or null is missing. Numbers are compared with numbers, by their exact decimal value;
strings with strings, by code point (so ISO dates of one form and zone sort as dates); booleans are equal or
not, no more. Where the kinds differ, or the value is missing, a comparison is false. `ne`, `not_in` and
`missing` are the exact opposites of `eq`, `in` and `exists`: "plan is not pro" holds for a customer without
a plan.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from customers.rules.reading import Fragment
from customers.rules.values import Test, as_json, exact, is_number, is_safe


class Takes(Enum):
    """What an operator is compared with."""

    NOTHING = "nothing"
    SCALAR = "scalar"
    ORDERED = "ordered"
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Operator:
    """`python(value)` makes a test of a JSON value; `sql(stored, value)` the same of a jsonb expression."""

    takes: Takes
    python: Callable[[Any], Test]
    sql: Callable[[Fragment, Any], Fragment]


def _opposite(of: Operator) -> Operator:
    def python(value: Any) -> Test:
        test = of.python(value)
        return lambda stored: not test(stored)

    def sql(stored: Fragment, value: Any) -> Fragment:
        text, parameters = of.sql(stored, value)
        return f"NOT {text}", parameters

    return Operator(of.takes, python, sql)


def _exists(_value: Any) -> Test:
    return lambda stored: stored is not None


def _exists_sql(stored: Fragment, _value: Any) -> Fragment:
    text, parameters = stored
    return f"COALESCE(jsonb_typeof({text}) <> 'null', false)", parameters


def _equals(value: Any) -> Test:
    if type(value) is bool:
        return lambda stored: stored is value
    if type(value) is str:
        return lambda stored: bool(stored == value)
    if is_safe(value):
        # True == 1 in Python, not in JSON.
        return lambda stored: stored == value and type(stored) is not bool
    wanted = exact(value)
    return lambda stored: is_number(stored) and exact(stored) == wanted


def _equals_sql(stored: Fragment, value: Any) -> Fragment:
    text, parameters = stored
    # Never null, and the planner knows as much of it as of an equality.
    return f"({text} IS NOT DISTINCT FROM %s::jsonb)", [*parameters, as_json(value)]


def _among(values: Sequence[Any]) -> Test:
    texts = frozenset(value for value in values if type(value) is str)
    flags = frozenset(value for value in values if type(value) is bool)
    numbers = frozenset(exact(value) for value in values if is_number(value))

    def test(stored: Any) -> bool:
        if type(stored) is str:
            return stored in texts
        if is_number(stored):
            return exact(stored) in numbers
        return type(stored) is bool and stored in flags

    return test


def _among_sql(stored: Fragment, values: Sequence[Any]) -> Fragment:
    text, parameters = stored
    return f"COALESCE({text} = ANY(%s::jsonb[]), false)", [*parameters, [as_json(value) for value in values]]


def _ordered(compare: Callable[[Any, Any], bool], sign: str) -> Operator:
    def python(value: Any) -> Test:
        if type(value) is str:
            return lambda stored: type(stored) is str and compare(stored, value)
        if is_safe(value):
            return lambda stored: is_number(stored) and compare(stored, value)
        wanted = exact(value)
        return lambda stored: is_number(stored) and compare(exact(stored), wanted)

    def sql(stored: Fragment, value: Any) -> Fragment:
        text, parameters = stored
        if type(value) is str:
            # jsonb orders strings by the database's collation, text can be told to go by code point.
            compared, given = f"({text} #>> '{{}}') COLLATE \"C\" {sign} %s::text", value
        else:
            compared, given = f"{text} {sign} %s::jsonb", as_json(value)
        kind = "string" if type(value) is str else "number"
        return (
            f"COALESCE(jsonb_typeof({text}) = '{kind}' AND {compared}, false)",
            [*parameters, *parameters, given],
        )

    return Operator(Takes.ORDERED, python, sql)


def _contains(value: Any) -> Test:
    """Whether a string has the text in it, or an array the scalar among its elements."""
    same = _equals(value)
    is_text = type(value) is str

    def test(stored: Any) -> bool:
        if type(stored) is list:
            return any(same(element) for element in stored)
        return is_text and type(stored) is str and value in stored

    return test


def _contains_sql(stored: Fragment, value: Any) -> Fragment:
    text, parameters = stored
    # CASE, because an array also contains another array, and a scalar itself, for jsonb.
    array = f"WHEN 'array' THEN {text} @> %s::jsonb"
    if type(value) is not str:
        return f"CASE jsonb_typeof({text}) {array} ELSE false END", [*parameters, *parameters, as_json(value)]
    return (
        f"CASE jsonb_typeof({text}) {array}"
        f" WHEN 'string' THEN strpos(({text} #>> '{{}}') COLLATE \"C\", %s::text) > 0 ELSE false END",
        [*parameters, *parameters, as_json(value), *parameters, value],
    )


def _starts(value: str) -> Test:
    return lambda stored: type(stored) is str and stored.startswith(value)


def _starts_sql(stored: Fragment, value: str) -> Fragment:
    text, parameters = stored
    return (
        f"COALESCE(jsonb_typeof({text}) = 'string' AND starts_with({text} #>> '{{}}', %s::text), false)",
        [*parameters, *parameters, value],
    )


_EQ = Operator(Takes.SCALAR, _equals, _equals_sql)
_IN = Operator(Takes.LIST, _among, _among_sql)
_EXISTS = Operator(Takes.NOTHING, _exists, _exists_sql)

OPERATORS: dict[str, Operator] = {
    "eq": _EQ,
    "ne": _opposite(_EQ),
    "lt": _ordered(operator.lt, "<"),
    "le": _ordered(operator.le, "<="),
    "gt": _ordered(operator.gt, ">"),
    "ge": _ordered(operator.ge, ">="),
    "in": _IN,
    "not_in": _opposite(_IN),
    "exists": _EXISTS,
    "missing": _opposite(_EXISTS),
    "contains": Operator(Takes.SCALAR, _contains, _contains_sql),
    "starts_with": Operator(Takes.TEXT, _starts, _starts_sql),
}
