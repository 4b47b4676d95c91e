"""Typed variables of a journey: what a version declares, which values fit, and where they come from.

A value that does not fit is none: it is never bent into shape. A run keeps every value it was ever given, by the move
that gave it; the last one counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from django.utils.translation import gettext_lazy as _
from msgspec import Struct

from customers.hints import form
from customers.rules.value_leaf import LONGEST_TEXT
from customers.rules.values import at_path, is_number

VARIABLES: Final = "variables"
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
MOST: Final = 50
TEXT, NUMBER, BOOLEAN, MOMENT = "text", "number", "boolean", "moment"
# Always this form, in UTC: so moments stand in the order of their letters, as rules compare them.
MOMENT_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"
MOMENT_HINT: Final = _("Write it as 2026-05-31T09:00:00Z.")
# Beyond it a float tells neighbours apart no more.
_TOO_LARGE: Final = 2**53


class VariableDef(Struct, kw_only=True, forbid_unknown_fields=True):
    """`property` is the one of the entry event that it begins with, `default` what it begins with where that is missing
    or does not fit."""

    name: Annotated[str, form(_("variable"), _("Rules and templates read it as journey.name."))]
    kind: Annotated[
        Literal["text", "number", "boolean", "moment"],
        form(
            _("kind"),
            choices={
                TEXT: _("text"),
                NUMBER: _("number"),
                BOOLEAN: _("yes or no"),
                MOMENT: _("moment, with its zone"),
            },
        ),
    ]
    property: Annotated[
        str | None, form(_("from the entry event's"), _("A property of it; a dot leads inside."), is_usual=True)
    ] = None
    default: Annotated[Any, form(_("else"))] = None


class Assignment(Struct, kw_only=True, forbid_unknown_fields=True):
    """What an event gives a variable; where the property is missing or does not fit, the variable stays as it was."""

    variable: Annotated[str, form(_("variable"), refers="variable")]
    property: Annotated[str, form(_("from the event's"), _("A property of it; a dot leads inside."))]


def fit(kind: str, value: Any) -> Any:
    """The value as a variable of this kind holds it; None where it does not fit."""
    if kind == TEXT:
        # The database has no NUL in texts.
        return value if isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value else None
    if kind == NUMBER:
        return _number(value)
    if kind == BOOLEAN:
        return value if isinstance(value, bool) else None
    return _moment(value)


def beginning(declared: Sequence[VariableDef], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The values a run begins with; those of which nothing is known are left out."""
    found = {}
    for one in declared:
        value = fit(one.kind, _at(one.property, properties)) if one.property else None
        value = fit(one.kind, one.default) if value is None else value
        if value is not None:
            found[one.name] = value
    return found


def given(declared: Iterable[VariableDef], sets: Iterable[Assignment], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The values that an event gives, of those that fit."""
    kinds = {one.name: one.kind for one in declared}
    values = {one.variable: fit(kinds[one.variable], _at(one.property, properties)) for one in sets}
    return {name: value for name, value in values.items() if value is not None}


def _at(path: str, properties: Mapping[str, Any]) -> Any:
    return at_path(path.split("."))(properties)


def _number(value: Any) -> int | float | None:
    if not is_number(value) or not -_TOO_LARGE < value < _TOO_LARGE:
        return None
    return int(value) if value == int(value) else float(value)


def _moment(value: Any) -> str | None:
    """With a zone, or it is no moment: nobody could say which one is meant."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).strftime(MOMENT_FORM) if moment.tzinfo and moment.year >= 1000 else None
    except (ValueError, OverflowError):
        return None
