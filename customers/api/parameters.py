"""The query string, read strictly: what a list does not know is refused, never ignored and never passed on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict

from customers.accept.refusal import Refusal, Refused
from customers.ids import NIL

MAX_LIMIT = 100
_MAX_TEXT = 200
_BIGINT = 2**63


class RefusedFilter(Refused):
    """A refusal of a parameter, which it names."""

    def __init__(self, code: str, message: str, hint: str, parameter: str) -> None:
        super().__init__(code, message, hint)
        self.refusal = Refusal(code, message, hint, parameter=parameter)


@dataclass(frozen=True, slots=True)
class Parameter:
    """How one parameter is read; `read` raises ValueError for what it cannot be. `schema` is its OpenAPI type."""

    read: Callable[[str], Any]
    hint: str
    schema: Mapping[str, Any]
    description: str = ""
    required: bool = False


def read_parameters(query: QueryDict, known: Mapping[str, Parameter]) -> dict[str, Any]:
    """The values of those that were given, by name."""
    values: dict[str, Any] = {}
    for name, given in query.lists():
        if name not in known:
            hint = f"Known: {', '.join(sorted(known))}." if known else "Send none."
            raise RefusedFilter("unknown_filter", "There is no such parameter.", hint, _shown(name))
        if len(given) > 1:
            raise RefusedFilter("invalid_filter", "Given more than once.", "Send it once.", name)
        values[name] = _value(name, given[0], known[name])
    for name, parameter in known.items():
        if parameter.required and name not in values:
            raise RefusedFilter("missing_filter", f"{name} is required.", parameter.hint, name)
    return values


def _value(name: str, text: str, parameter: Parameter) -> Any:
    try:
        return parameter.read(text)
    except (ValueError, OverflowError):
        raise RefusedFilter("invalid_filter", f"Not a value {name} can have.", parameter.hint, name) from None


def _shown(name: str) -> str:
    """A name that somebody made up, as far as it can be shown."""
    return name[:64] if name.isprintable() else ""


def _uuid(text: str) -> UUID:
    # UUID() also takes braces, prefixes and stray hyphens.
    value = UUID(text)
    if str(value) != text.lower():
        raise ValueError
    return value


def one_uuid(text: str) -> UUID:
    """The id that a path names; nil, which nothing has, for what is no id at all."""
    try:
        return _uuid(text)
    except ValueError:
        return NIL


def one_number(text: str) -> int:
    """The number that a path names; 0, which nothing has, for what is none."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if number < _BIGINT else 0


def _text(text: str) -> str:
    if not 0 < len(text) <= _MAX_TEXT or not text.isprintable():
        raise ValueError
    return text


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    moment = moment.astimezone(UTC)
    if not 1900 <= moment.year < 2200:
        raise ValueError
    return moment


def _limit(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 1 <= number <= MAX_LIMIT:
        raise ValueError
    return number


def an_id(description: str, *, required: bool = False) -> Parameter:
    return Parameter(_uuid, "Send a UUID.", {"type": "string", "format": "uuid"}, description, required)


def a_text(description: str, *, required: bool = False) -> Parameter:
    schema = {"type": "string", "minLength": 1, "maxLength": _MAX_TEXT}
    return Parameter(_text, f"Send 1 to {_MAX_TEXT} printable characters.", schema, description, required)


def a_moment(description: str) -> Parameter:
    hint = "Send ISO 8601 with an offset, such as 2026-01-31T12:00:00Z."
    return Parameter(_moment, hint, {"type": "string", "format": "date-time"}, description)


def one_of(values: tuple[str, ...], description: str) -> Parameter:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError
        return text

    return Parameter(read, f"One of {', '.join(values)}.", {"type": "string", "enum": list(values)}, description)


LIMIT = Parameter(
    _limit,
    f"Send a number from 1 to {MAX_LIMIT}.",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 50},
    "How many at most.",
)
CURSOR = Parameter(str, "Send the cursor as it was given.", {"type": "string"}, "Where the page before ended.")
