"""What leaves share that compare one named JSON value: name, operator, value, and their checks."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from customers.hints import form
from customers.rules.errors import Problem
from customers.rules.leaf import Leaf
from customers.rules.operators import OPERATORS, Takes
from customers.rules.reading import Fragment
from customers.rules.values import is_number

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]{0,119}")
MOST_VALUES = 1_000
LONGEST_TEXT = 1_000
# Just beyond the largest float, far inside PostgreSQL's numeric; infinity and NaN are not below it either.
_TOO_LARGE = 10**309

_EXPECTED: dict[Takes, Promise] = {
    Takes.NOTHING: _("This operator takes no value: leave it out."),
    Takes.SCALAR: _("Give a string, a number, true or false; for a value that is not there use `missing`."),
    Takes.ORDERED: _("Give a number or a string; ISO dates are strings."),
    Takes.TEXT: _("Give a string."),
    Takes.LIST: _("Give a list, not empty, of strings, numbers, true or false."),
}


_WORDS: dict[str, Promise] = {
    "eq": _("is"),
    "ne": _("is not"),
    "lt": _("is less than"),
    "le": _("is at most"),
    "gt": _("is more than"),
    "ge": _("is at least"),
    "in": _("is one of"),
    "not_in": _("is none of"),
    "exists": _("is known"),
    "missing": _("is not known"),
    "contains": _("contains"),
    "starts_with": _("starts with"),
}


class ValueLeaf(Leaf, frozen=True):
    """`name` may be a path through nested objects, with dots: address.city."""

    name: Annotated[str, form(_("name"), _("A dot leads inside: address.city."))]
    op: Annotated[str, form(_("comparison"), choices={name: _WORDS.get(name, name) for name in OPERATORS})]
    value: Annotated[Any, form(_("value"))] = msgspec.UNSET

    @property
    def path(self) -> list[str]:
        return self.name.split(".")

    def compare(self, stored: Fragment) -> Fragment:
        """The condition over a jsonb expression that yields the named value."""
        return OPERATORS[self.op].sql(stored, self.value)

    def problems(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.name) or not all(self.path):
            yield Problem(
                "name_invalid",
                "/name",
                _("This cannot be a name."),
                _("Begin with a letter or _; then letters, digits, space, _ and -; a dot between two names."),
            )
        chosen = OPERATORS.get(self.op)
        if chosen is None:
            hint = format_lazy(_("Use one of {operators}."), operators=", ".join(OPERATORS))
            yield Problem("unknown_operator", "/op", _("There is no such operator."), hint)
        else:
            yield from _value_problems(chosen.takes, self.value)


def walk(source: str, path: Iterable[str]) -> Fragment:
    """A jsonb expression for the value at `path`, by names only: arrays have no members here either."""
    names: list[Any] = list(path)
    return f"({source}{' -> %s::text' * len(names)})", names


def _value_problems(takes: Takes, value: Any) -> Iterator[Problem]:
    if takes is Takes.NOTHING:
        if value is not msgspec.UNSET:
            yield Problem("value_not_allowed", "/value", _("A value too many."), _EXPECTED[takes])
    elif value is msgspec.UNSET:
        yield Problem("missing_field", "/value", _("The value is missing."), _EXPECTED[takes])
    elif takes is Takes.LIST:
        yield from _list_problems(value)
    elif not _fits(takes, value):
        yield Problem("wrong_type", "/value", _("The value does not suit the operator."), _EXPECTED[takes])
    else:
        yield from _scalar_problems(value, "/value")


def _list_problems(values: Any) -> Iterator[Problem]:
    if type(values) is not list or not values:
        yield Problem("wrong_type", "/value", _("The value must be a list."), _EXPECTED[Takes.LIST])
    elif len(values) > MOST_VALUES:
        hint = format_lazy(_("At most {most}: split the rule or use a segment."), most=MOST_VALUES)
        yield Problem("too_many_values", "/value", _("The list is too long."), hint)
    else:
        # The first that cannot be used is enough: a list may hold a thousand alike.
        for index, value in enumerate(values):
            found = _list_value_problem(value, f"/value/{index}")
            if found is not None:
                yield found
                return


def _list_value_problem(value: Any, pointer: str) -> Problem | None:
    if not _fits(Takes.SCALAR, value):
        return Problem("wrong_type", pointer, _("This cannot be compared."), _EXPECTED[Takes.LIST])
    return next(_scalar_problems(value, pointer), None)


def _fits(takes: Takes, value: Any) -> bool:
    if type(value) is str:
        return True
    return (is_number(value) and takes is not Takes.TEXT) or (type(value) is bool and takes is Takes.SCALAR)


def _scalar_problems(value: Any, pointer: str) -> Iterator[Problem]:
    if type(value) is str:
        yield from text_problems(value, pointer)
    elif not -_TOO_LARGE < value < _TOO_LARGE:
        hint = _("Use a finite number of at most 309 digits.")
        yield Problem("number_out_of_range", pointer, _("The number is too large."), hint)


def text_problems(value: str, pointer: str) -> Iterator[Problem]:
    if len(value) > LONGEST_TEXT:
        hint = format_lazy(_("At most {most} characters."), most=LONGEST_TEXT)
        yield Problem("value_too_long", pointer, _("The text is too long."), hint)
    if "\x00" in value:
        yield Problem("nul_character", pointer, _("The text holds a NUL character."), _("Remove it."))
    if any("\ud800" <= character <= "\udfff" for character in value):
        hint = _("Write characters outside the basic plane as a pair of surrogates, or as themselves.")
        yield Problem("lone_surrogate", pointer, _("The text holds half a character."), hint)
