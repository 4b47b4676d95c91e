"""Read a request's body within limits: never more bytes than allowed, before and after inflating."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from django.http import HttpRequest, UnreadablePostError

from customers.accept.batch import too_large
from customers.accept.refusal import Refused
from customers.accept.refused import GZIP


@dataclass(frozen=True, slots=True)
class Sent:
    """A body as it came, of at most one byte more than allowed."""

    data: bytes = b""
    packed: bool = False


def read_of(request: HttpRequest, limit: int) -> Sent:
    """The body as it came, of whatever type, which the caller looks at."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise unsupported("Unknown Content-Encoding.", "Send the body plain or as gzip.")
    return Sent(_read(request, limit), packed=encoding == "gzip")


def read_sent(request: HttpRequest, limit: int, *, as_text: bool = False) -> Sent:
    """The body as it came, or Refused when it cannot be of use; `as_text` also takes JSON declared as mere text."""
    if request.content_type != "application/json" and not (as_text and request.content_type == "text/plain"):
        raise unsupported("The body is not declared as JSON.", "Send Content-Type: application/json.")
    return read_of(request, limit)


def read_plain(request: HttpRequest, limit: int, is_taken: Callable[[str], bool]) -> bytes:
    """The bytes as they came, of a type that is taken and in no encoding: a signature is over these."""
    if not is_taken(request.content_type or ""):
        raise unsupported("The body is declared neither as JSON nor as a form.", "Send application/json.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise unsupported("Unknown Content-Encoding.", "Send the body plain.")
    body = _read(request, limit)
    if len(body) > limit:
        raise too_large(limit, "body")
    return body


def unpack(sent: Sent, limit: int) -> bytes:
    """The inflated body, of at most `limit` bytes, or Refused."""
    if len(sent.data) > limit:
        raise too_large(limit, "body")
    return _inflate(sent.data, limit) if sent.packed else sent.data


def _read(request: HttpRequest, limit: int) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit, "body")
    if not length and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Django takes a missing length for an empty body; the server ends this stream where the chunks end.
        return _read_to_end(request.META["wsgi.input"], limit)
    return _read_sized(request, limit)


def _read_sized(request: HttpRequest, limit: int) -> bytes:
    try:
        return request.read(limit + 1)
    except UnreadablePostError:
        raise Refused("incomplete_body", "The body broke off.", "Send it again, whole.") from None


def _read_to_end(stream: IO[bytes], limit: int) -> bytes:
    body = b""
    while len(body) <= limit and (chunk := stream.read(limit + 1 - len(body))):
        body += chunk
    return body


def _inflate(body: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(GZIP)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise _broken_gzip() from None
    if len(inflated) > limit:
        raise too_large(limit, "body, once inflated,")
    if not inflater.eof or inflater.unused_data:
        raise _broken_gzip()
    return inflated


def _broken_gzip() -> Refused:
    return Refused("invalid_gzip", "The body is not one whole gzip stream.", "Send it again, whole.")


def unsupported(message: str, hint: str) -> Refused:
    return Refused("unsupported_media_type", message, hint)
