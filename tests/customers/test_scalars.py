"""Texts in boxes, and the values they are read as."""

import json

import pytest

from customers.authoring import scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [("1000", 1000), ("1,5", 1.5), ("1.5", 1.5), ("-0,125", -0.125), ("1.125", 1.125), ("1000,5", 1000.5)],
)
def test_a_number_is_read_with_either_mark(text: str, value: float) -> None:
    assert scalars.read(scalars.NUMBER, text) == value


@pytest.mark.parametrize("text", ["1,000", "1.000", "12,345", "-1,000", "100.500"])
def test_what_is_a_thousand_to_some_and_one_to_others_is_not_guessed(text: str) -> None:
    assert scalars.read(scalars.NUMBER, text) is scalars.UNREADABLE


@pytest.mark.parametrize("number", [1.0, 1.5, 1.125, 12.345, 100.5, 0.001, 1e-7, 123456.789])
def test_what_is_shown_of_a_number_is_read_as_it(number: float) -> None:
    assert scalars.read(*scalars.show(number)) == number


@pytest.mark.parametrize(
    ("levels", "is_read"), [(scalars.MOST_LEVELS, True), (scalars.MOST_LEVELS + 1, False), (900, False)]
)
def test_json_is_read_as_deep_as_it_can_be_looked_through(levels: int, *, is_read: bool) -> None:
    value = scalars.read_json("[" * levels + "]" * levels)
    assert (value is not scalars.UNREADABLE) is is_read
    assert json.dumps(value) == "[" * levels + "]" * levels if is_read else True
