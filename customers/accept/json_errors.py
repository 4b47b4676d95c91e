"""Why a text is no JSON: the parser's message turned into a code and a pointer, on the error path only."""

import re

import orjson

from customers.accept.refusal import Refused, pointer

_POSITION = re.compile(r"(.*) at line ([0-9]+) column ([0-9]+)$", re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)
_NOT_FINITE = re.compile(rb"-?(?:NaN|Infinity)")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# The longest surrogate pair as written, and the quotation mark after it.
_PAIR_LENGTH = 13
MAX_POINTER_DEPTH = 32


def explain(text: bytes, message: str) -> Refused:
    """The refusal for a text the parser gave up on with `message`."""
    if not _is_utf8(text):
        return Refused("invalid_encoding", "The body is not UTF-8.", "Encode the body as UTF-8.")
    match = _POSITION.fullmatch(message)
    reason, line, column = (match[1], int(match[2]), int(match[3])) if match else (message, 1, 0)
    offset = _offset(text, line, column)
    # The parser stops one byte into a repeated key's value: the place is the key, not inside the value.
    repeated = reason.startswith("Detected duplicate key")
    where = pointer(*locate(text, offset - repeated)[:MAX_POINTER_DEPTH])
    place = f"line {line} column {column}"
    if repeated:
        return Refused("duplicate_key", f"A key stands twice in one object ({place}).", "Keep one of them.", where)
    if reason.startswith("recursion limit"):
        return Refused("json_too_deep", "Nested deeper than 32 levels.", "Flatten the object.", where)
    if reason.startswith("number out of range"):
        hint = "Send ids and long numbers as strings."
        return Refused("number_out_of_range", f"A number has too many digits ({place}).", hint, where)
    if _NOT_FINITE.match(text, max(offset - 2, 0)) or _NOT_FINITE.match(text, max(offset - 1, 0)):
        return Refused("number_not_finite", f"NaN and Infinity are no JSON ({place}).", "Send null.", where)
    if "hex escape" in reason and _SURROGATE.search(text, max(offset - _PAIR_LENGTH, 0), offset):
        hint = "Send surrogates in pairs, or the character itself."
        return Refused("invalid_unicode", f"Half of a surrogate pair ({place}).", hint, where)
    return Refused("invalid_json", f"The body is not JSON: {reason}, {place}.", "Send one JSON object.", where)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    # UTF-16 and UTF-32 of ASCII are valid UTF-8 full of NUL bytes.
    return b"\0" not in text[:4]


def _offset(text: bytes, line: int, column: int) -> int:
    start = 0
    for _line in range(line - 1):
        start = text.find(b"\n", start) + 1
    return start + column


def locate(text: bytes, offset: int) -> list[str | int]:
    """The path of the value that stands at `offset`; everything before it is known to be well-formed."""
    path: list[str | int | None] = []
    last = b""
    for match in _TOKEN.finditer(text, 0, offset):
        token = match[0]
        if token in (b"{", b"["):
            # None: inside an object, before its first key.
            path.append(0 if token == b"[" else None)
        elif token in (b"}", b"]"):
            del path[-1:]
        elif token == b":" and path and last.startswith(b'"'):
            path[-1] = _key(last)
        elif token == b"," and path and isinstance(path[-1], int):
            path[-1] += 1
        last = token
    return [step for step in path if step is not None]


def _key(quoted: bytes) -> str:
    try:
        return str(orjson.loads(quoted))
    except orjson.JSONDecodeError:
        return quoted.decode(errors="replace")
