"""Calls by which a page asks for what concerns its visitor alone: a browser key, from its pages, and who is visiting.

They are posted like events, as text so that no browser asks first, and never with anything in the address: addresses
are logged, and a token is as good as being signed in.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from django.http import HttpRequest

from customers import keys, load
from customers.accept import strict_json
from customers.accept.refusal import Refused, pointer
from customers.api import cross_origin
from customers.api.reading import read_sent, unpack
from customers.api.segment import count_call, invalid_token
from customers.keys import Writer
from customers.visitors import profiles, secrets, token
from customers.visitors.profiles import Visitor

MAX_BYTES: Final = 16_384
_LONGEST_ID: Final = 320
_PATH: Final = re.compile(r" - at `\$([^`]*)`$")

Id = Annotated[str, msgspec.Meta(max_length=_LONGEST_ID)]


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What each of these calls says; a call has more fields."""

    writeKey: Annotated[str, msgspec.Meta(max_length=100)]  # noqa: N815 - as pages say it
    # What the page's browser keeps of itself; empty where the visitor did not agree to that.
    anonymousId: Id = ""  # noqa: N815 - as pages say it
    # Of who is signed in, by the shop's server.
    token: str = ""


A = TypeVar("A", bound=Asked)


@dataclass(frozen=True, slots=True)
class Visit(Generic[A]):
    writer: Writer
    visitor: Visitor
    asked: A
    now: datetime


def read(request: HttpRequest, shape: type[A], now: datetime) -> Visit[A]:
    """Who asks, for whom, and what; raises Refused."""
    load.refuse_overload(now)
    sent = read_sent(request, MAX_BYTES, as_text=True)
    value = strict_json.parse(unpack(sent, MAX_BYTES)).value
    writer = _writer(value, request, now)
    count_call(writer, now)
    asked = _shaped(value, shape)
    user = token.read(asked.token, secrets.good_of(writer.source_id, now), now) if asked.token else ""
    return Visit(writer, profiles.find(writer, user, asked.anonymousId, now), asked, now)


def _writer(value: Any, request: HttpRequest, now: datetime) -> Writer:
    text = value.get("writeKey") if type(value) is dict else None
    writer = keys.find(text, now) if type(text) is str and text else None
    if writer is None:
        raise invalid_token()
    if not writer.is_public:
        hint = "Make a browser key for the source: a server's key reads nothing of anybody."
        raise Refused("browser_key_needed", "This is asked by pages, with a browser key.", hint)
    return cross_origin.admit(writer, request)


def _shaped(value: Any, shape: type[A]) -> A:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        said = str(error)
        found = _PATH.search(said)
        where = pointer(*re.findall(r"[^.\[\]]+", found[1])) if found else ""
        # What was sent is not quoted back, as of a choice that there is not.
        message = "There is no such choice." if said.startswith("Invalid enum value") else _PATH.sub("", said)
        raise Refused("invalid_field", message, "See the documentation of trilha.js.", where) from None
