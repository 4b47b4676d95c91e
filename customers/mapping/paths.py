"""Paths into a document: JSON Pointer (RFC 6901) from the top, or from the item of a list at hand.

`/customer/email` starts at the top of the document, which itself is written as nothing; `./id` starts at the item
and `.` is the item; `headers:/x-topic` looks into what came beside the document under that name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

MAX_LEVELS: Final = 32
MAX_LENGTH: Final = 500
_BESIDE = re.compile(r"([a-z]{1,20}):(?=/)")
_BAD_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
# What a path leads to where there is nothing.
ABSENT: Final = object()
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Path:
    text: str
    steps: tuple[str, ...]
    of_item: bool = False
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What paths start from: the whole document, what came beside it, and the item at hand with its place."""

    document: Any
    beside: Mapping[str, Mapping[str, Any]]
    item: Any = ABSENT
    place: str = ""

    def find(self, path: Path) -> Any:
        """The value the path leads to, or ABSENT."""
        if path.of_item:
            return walk(self.item, path.steps)
        if path.beside:
            return walk(self.beside.get(path.beside, _NOTHING), path.steps)
        return walk(self.document, path.steps)

    def locate(self, path: Path) -> str:
        """The path from the top of the document, for whoever is shown the place."""
        return self.place + path.text.removeprefix(".") if path.of_item else path.text


@lru_cache(maxsize=4096)
def read_path(text: str) -> Path | None:
    """The path written as `text`, or None."""
    if len(text) > MAX_LENGTH or _BAD_ESCAPE.search(text):
        return None
    match = _BESIDE.match(text)
    beside = match[1] if match else ""
    rest = text[match.end() :] if match else text
    of_item = rest.startswith(".")
    rest = rest.removeprefix(".")
    if rest and not rest.startswith("/"):
        return None
    steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in rest.split("/")[1:])
    if len(steps) > MAX_LEVELS:
        return None
    # Names of headers have no case.
    return Path(text, tuple(map(str.lower, steps)) if beside == "headers" else steps, of_item, beside)


def walk(value: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, ABSENT)
        elif isinstance(value, list):
            value = value[int(step)] if _INDEX.fullmatch(step) and int(step) < len(value) else ABSENT
        else:
            return ABSENT
    return value


def escape(name: str) -> str:
    """A key as a step of a path."""
    return name.replace("~", "~0").replace("/", "~1")
