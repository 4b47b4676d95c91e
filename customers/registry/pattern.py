"""A text that matches a pattern: the shortest way through it, taking the first of what there is to choose from."""

from importlib import import_module
from typing import Any, Final

# Python's own parser, documented by its source: the types of the standard library know nothing of it.
constants: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

_CLASSES: Final = {
    constants.CATEGORY_DIGIT: "0",
    constants.CATEGORY_WORD: "a",
    constants.CATEGORY_SPACE: " ",
    constants.CATEGORY_NOT_DIGIT: "a",
    constants.CATEGORY_NOT_WORD: " ",
    constants.CATEGORY_NOT_SPACE: "a",
}
_OTHERS: Final = "abc0-_ .@"


def text_for(pattern: str, least: int = 0) -> str:
    """Empty where the pattern is written in a way that this parser does not know."""
    try:
        tree = parser.parse(pattern)
    except (ValueError, RecursionError, OverflowError):
        return ""
    text = _sequence(tree)
    # What repeats without end may be repeated until it is long enough.
    for times in range(1, least + 1):
        if len(text) >= least:
            break
        text = _sequence(tree, times)
    return text


def _sequence(tree: Any, more: int = 0) -> str:
    return "".join(_one(word, value, more) for word, value in tree)


def _one(word: Any, value: Any, more: int) -> str:
    if word is constants.LITERAL:
        return chr(value)
    if word is constants.ANY or word is constants.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if word is constants.IN:
        return _member(value)
    if word in (constants.MAX_REPEAT, constants.MIN_REPEAT):
        low, high, inner = value
        return _sequence(inner, more) * int(min(low + more, high, 1_000))
    if word is constants.SUBPATTERN:
        return _sequence(value[-1], more)
    if word is constants.BRANCH:
        return _sequence(value[1][0], more)
    # Anchors and the like take no room.
    return ""


def _member(members: Any) -> str:
    word, value = members[0]
    if word is constants.NEGATE:
        taken = {_member([one]) for one in members[1:]}
        return next((one for one in _OTHERS if one not in taken), "~")
    if word is constants.RANGE:
        return chr(value[0])
    return chr(value) if word is constants.LITERAL else _CLASSES.get(value, "a")
