"""The attributes of a CloudEvent in binary mode: headers that begin with ce-, their values percent-encoded."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest

from customers.accept.cloudevents import CONTENT, Value, attribute_name
from customers.accept.refusal import Refused, pointer

_PREFIX: Final = "ce-"
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
_BROKEN: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def attributes_of(request: HttpRequest) -> dict[str, Value]:
    """All of them by name; datacontenttype is what the body is declared as."""
    found: dict[str, Value] = {}
    for header, value in request.headers.items():
        if not header.lower().startswith(_PREFIX):
            continue
        name = header[len(_PREFIX) :].lower()
        attribute_name(name, pointer(name))
        if name == "datacontenttype" or name in CONTENT:
            hint = "Send it as Content-Type, and the data as the body."
            raise Refused("invalid_name", "No header has this attribute.", hint, pointer(name))
        found[name] = _typed(_decoded(value, name), name)
    if content_type := request.headers.get("Content-Type"):
        found["datacontenttype"] = content_type
    return found


def _typed(text: str, name: str) -> Value:
    """In headers all is text: the two attributes of ours that are none are read as what they are."""
    if name == "historical" and text in ("true", "false"):
        return text == "true"
    return int(text) if name == "schemaversion" and re.fullmatch("[0-9]{1,9}", text) else text


def _decoded(value: str, name: str) -> str:
    """First quotes are taken off, then percent-encoding is, once; what is left is UTF-8."""
    quoted = _QUOTED.fullmatch(value)
    plain = _ESCAPED.sub(r"\1", quoted[1]) if quoted else value
    hint = "Percent-encode the UTF-8 of all that is not printable ASCII, and the percent sign itself."
    if not plain.isascii() or _BROKEN.search(plain):
        raise Refused("invalid_encoding", "A header that is not percent-encoded.", hint, pointer(name))
    try:
        return unquote_to_bytes(plain).decode()
    except UnicodeDecodeError:
        raise Refused("invalid_encoding", "Percent-encoded, but not UTF-8.", hint, pointer(name)) from None
