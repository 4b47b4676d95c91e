"""One answer of another system: JSON within bounds, or why there is none, in words without a value."""

import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from channels.liquid.bounds import LimitError, weigh
from channels.templates import plain
from channels.web import CallError, Request, call

MOST_BYTES: Final = 64 * 1024
# Whoever answered so would do it again.
_FOR_GOOD: Final = frozenset({"refused_address", "untrusted", "bad_request", "too_large", "bad_reply"})
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Got:
    value: Any


@dataclass(frozen=True, slots=True)
class Missed:
    """`passes`: it may be there the next time. `is_theirs`: the host itself is in trouble."""

    why: str
    passes: bool = False
    is_theirs: bool = False


def fetch(url: str, secret: str, seconds: float) -> Got | Missed:
    headers = (("authorization", f"Bearer {secret}"),) if secret else ()
    try:
        reply = call(Request("GET", url, headers), time.monotonic() + seconds, MOST_BYTES)
    except CallError as error:
        passes = error.name not in _FOR_GOOD
        return Missed(error.name, passes, is_theirs=passes)
    if reply.status == _TOO_MANY or reply.status >= 500:
        return Missed(f"status {reply.status}", passes=True, is_theirs=True)
    if reply.status != 200:
        return Missed(f"status {reply.status}")
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return Missed("no JSON")
    return read(reply.body)


def read(body: bytes) -> Got | Missed:
    # A NUL is in no text of a database, nor in one of a message.
    if b"\\u0000" in body:
        return Missed("no JSON")
    try:
        value = plain(msgspec.json.decode(body))
        weigh(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Missed("no JSON")
    except LimitError:
        return Missed("too_large")
    return Missed("nothing in it") if value is None else Got(value)
