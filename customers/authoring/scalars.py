"""JSON values of any kind in a text box: a text and the kind it is to be read as, both ways without loss."""

import json
import re
from typing import Any, Final, NoReturn

from customers.rules.values import is_number

TEXT, NUMBER, YES, NO, TEXTS, NUMBERS, JSON = "text", "number", "true", "false", "texts", "numbers", "json"
KINDS: Final = (TEXT, NUMBER, YES, NO, TEXTS, NUMBERS, JSON)
# Far more than any rule or schema has, far less than Python's own limit.
MOST_LEVELS: Final = 200
# No number that is shown again ends in a zero behind its point.
_AMBIGUOUS: Final = re.compile(r"-?[1-9]\d{0,2}(,\d{3}|\.\d{2}0)")
# Said of a text that cannot be read as its kind.
UNREADABLE: Final = object()


def show(value: Any) -> tuple[str, str]:
    """(kind, text) by which a value is shown."""
    match value:
        case None:
            return TEXT, ""
        case "":
            # An empty box means that nothing was given yet.
            return JSON, '""'
        case True:
            return YES, ""
        case False:
            return NO, ""
        case str() if fits_a_line(value):
            return TEXT, value
        case int() | float():
            return NUMBER, json.dumps(value)
        case list() if value and all(isinstance(one, str) and one.strip() and fits_a_line(one) for one in value):
            return TEXTS, "\n".join(value)
        case list() if value and all(is_number(one) for one in value):
            return NUMBERS, "\n".join(json.dumps(one) for one in value)
    return JSON, json.dumps(value, ensure_ascii=False)


def read(kind: str, text: str) -> Any:
    """The value, or UNREADABLE."""
    match kind:
        case "true" | "false":
            return kind == YES
        case "number":
            return _number(text)
        case "texts":
            return [line for line in _lines(text) if line.strip()]
        case "numbers":
            numbers = [_number(line) for line in _lines(text) if line.strip()]
            return UNREADABLE if UNREADABLE in numbers else numbers
        case "json":
            return read_json(text)
    return text or None


def show_json(value: Any) -> str:
    """Any value as JSON, but a text that is no JSON as it stands, so that what was typed comes back."""
    if isinstance(value, str) and read_json(value) is UNREADABLE:
        return value
    return json.dumps(value, ensure_ascii=False, indent=2)


def read_json(text: str) -> Any:
    """The value, or UNREADABLE; so is what is too deep to be looked through level by level."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return UNREADABLE
    return UNREADABLE if _is_deep(value) else value


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _level in range(MOST_LEVELS):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [part for parts in inner for part in parts if isinstance(part, dict | list)]
    return bool(level)


def fits_a_line(text: str) -> bool:
    """Whether a browser gives back the text of a line as it was given."""
    return not any(character in text for character in "\r\n\x00")


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _number(text: str) -> Any:
    given = text.strip()
    # A thousand to some and one to others: whoever meant either can say so.
    if _AMBIGUOUS.fullmatch(given):
        return UNREADABLE
    value = read_json(given.replace(",", "."))
    return value if is_number(value) else UNREADABLE


def _finite(digits: str) -> float:
    number = float(digits)
    return number if abs(number) != float("inf") else _refuse(digits)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
