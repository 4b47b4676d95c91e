"""What stands in a text that was refused, as far as it can be read: its words, and when it says that it happened.

Whole strings of JSON and whole fields of a form count however short they are; of longer texts also the parts that look
like somebody's name. What is compressed, encoded once more, or cut in two is not found.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import orjson

# Shorter parts of a text stand there by chance.
_TELLING: Final = 8
# No name is longer (customers.models.Identifier).
_LONGEST: Final = 320
_NUL: Final = re.compile(r"\0|\\u0000|\\x00")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PART: Final = re.compile(r"[^\s\"'<>(){}\[\],;|&=?/\\]+")
_EMAIL: Final = re.compile(r"[\w.+'%-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER: Final = re.compile(r"\+?\d[\d ().-]{6,24}\d")
_FORM: Final = re.compile(r"[^\s=&]+=[^\s]*")
# Where dialects tell the time of an event.
_TIMES: Final = ("occurred_at", "timestamp", "time")


def words_in(text: str) -> set[str]:
    """Every word of the text that could be somebody's name."""
    # Text of two bytes a character shows its letters once the zeros are left out.
    plain = _NUL.sub("", text).strip()
    found: set[str] = set()
    # Of what stands twice in one object a reader of JSON sees the last alone.
    for whole in (*_loose(plain), *_texts(_document(plain))):
        found.add(whole.strip())
        found |= _parts(whole)
    return {word for word in found if 0 < len(word) <= _LONGEST}


def told_at(text: str) -> datetime | None:
    """When it happened, if the text is one event that tells it."""
    document = _document(text)
    told = [document[name] for name in _TIMES if name in document] if isinstance(document, dict) else []
    try:
        moment = datetime.fromisoformat(told[0]) if told and isinstance(told[0], str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _document(text: str) -> Any:
    try:
        return orjson.loads(text) if text[:1] in ("{", "[", '"') else None
    except orjson.JSONDecodeError:
        return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, held in value.items():
            yield key
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _loose(text: str) -> Iterator[str]:
    """Whatever it is: what stands in quotation marks, the fields of a form, and the whole."""
    yield text
    for quoted in _QUOTED.findall(text):
        yield _unescaped(quoted)
    if _FORM.fullmatch(text):
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            yield name
            yield value
    elif "%" in text:
        yield unquote_plus(text)


def _unescaped(quoted: str) -> str:
    try:
        return str(orjson.loads(f'"{quoted}"'))
    except orjson.JSONDecodeError:
        return quoted


def _parts(text: str) -> set[str]:
    if len(text) < _TELLING and "@" not in text:
        return set()
    found = {part.strip(".:!*#") for part in _PART.findall(text)}
    found |= {piece for part in found if ":" in part for piece in part.split(":")}
    found = {part for part in found if len(part) >= _TELLING or "@" in part}
    return found | set(_EMAIL.findall(text)) | {number.strip() for number in _NUMBER.findall(text)}
