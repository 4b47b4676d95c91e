"""What of a shared document is somebody's own: names of others in it are masked, and parts about others left out."""

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

import orjson
from django.db import connection

from customers.personal import DOCUMENT, mask
from customers.privacy import patterns
from customers.privacy.subject import Subject

WITHHELD: Final = "•••"
BASE64: Final = "_base64"
# Shorter words are what somebody has bought, not who somebody is.
_TELLING: Final = 6
_LONGEST: Final = 320
_EMAIL: Final = re.compile(r"[\w.+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_NUMBER: Final = re.compile(r"\+\d{8,15}\b|\b\d{3}\.\d{3}\.\d{3}-\d{2}\b")
# Where messages put what they say: whatever stands directly in there is said of the one who is meant.
_OWN_PARTS: Final = frozenset(("properties", "traits", "context", "data"))
_FOREIGN: Final = """
    SELECT value FROM customers_identifier
    WHERE value = ANY(%s) AND closed_at IS NULL AND NOT profile_id = ANY(%s)
"""


class Own:
    """Tells one person's documents from what they say of others."""

    def __init__(self, subject: Subject) -> None:
        self._profiles = list(subject.profiles)
        self._words = {word.lower() for word in subject.words}
        self._words |= {word.lower() for one in subject.shared_names for word in (one.value, one.original)}
        self._standing = patterns.standing(self._words)
        self._foreign: set[str] = set()
        self._looked_at: set[str] = set()

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row of a store as an export may tell it."""
        opened = {name.removesuffix(BASE64): _opened(name, value) for name, value in row.items()}
        self._look({text.lower() for text in _texts(opened) if len(text) >= _TELLING})
        return {name: self._part(value, is_own=True) for name, value in opened.items()}

    def _look(self, texts: set[str]) -> None:
        """Which of these are names of others, by one question for those not asked before."""
        asked = [text for text in texts - self._looked_at - self._words if len(text) <= _LONGEST]
        self._looked_at |= texts
        if asked:
            with connection.cursor() as cursor:
                cursor.execute(_FOREIGN, [asked, self._profiles])
                self._foreign |= {row[0] for row in cursor.fetchall()}

    def _part(self, value: Any, *, is_own: bool) -> Any:
        if isinstance(value, dict):
            if not is_own and self._names_others(value) and not self._names_them(value):
                return mask(value, DOCUMENT)
            return {
                self._text(key): self._part(held, is_own=(is_own and key in _OWN_PARTS) or not isinstance(held, dict))
                for key, held in value.items()
            }
        if isinstance(value, list):
            return self._list(value)
        return self._text(value) if isinstance(value, str) else value

    def _list(self, value: list[Any]) -> list[Any]:
        """Of a list that tells of several people no more than what tells of them."""
        if any(self._names_them(one) for one in value) and any(isinstance(one, dict) for one in value):
            value = [one for one in value if self._names_them(one) or not self._names_others(one)]
        return [self._part(one, is_own=False) for one in value]

    def _names_them(self, part: Any) -> bool:
        return any(self._is_own(text) for text in _texts(part))

    def _names_others(self, part: Any) -> bool:
        return any(self._text(text) != text for text in _texts(part))

    def _is_own(self, text: str) -> bool:
        lower = text.lower()
        return lower in self._words or (self._standing is not None and self._standing.search(lower) is not None)

    def _text(self, text: str) -> str:
        if text.strip().lower() in self._foreign:
            return WITHHELD
        return _NUMBER.sub(self._spare, _EMAIL.sub(self._spare, text))

    def _spare(self, found: "re.Match[str]") -> str:
        return found[0] if self._is_own(found[0]) else WITHHELD


def _opened(name: str, value: Any) -> Any:
    """Text that is a document is read as one."""
    if name.endswith(BASE64) and isinstance(value, str):
        value = b64decode(value).decode(errors="replace")
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield str(key)
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
