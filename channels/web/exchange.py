"""One request and its reply over a connection: bounded, without redirects, and every way to fail by a name."""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from channels.web.address import RefusedAddress, UnknownHost, addresses_of, place_of
from channels.web.connection import Connection, Deadline

MOST_BYTES: Final = 262_144
_AGENT: Final = "Trilha"
# For so long it is waited for a body that is read for the record only.
_EXCERPT_SECONDS: Final = 1.0

Trouble = Literal[
    "timeout", "unreachable", "untrusted", "refused_address", "interrupted", "bad_reply", "too_large", "bad_request"
]


class CallError(Exception):
    """No whole reply came. `began` says whether the other side may have the request."""

    def __init__(self, name: Trouble, *, began: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.began = began


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` are by their names in small letters; `secrets` are ours, should the other side repeat them."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = field(default=(), repr=False)


def connected(url: str, deadline: Deadline) -> Connection:
    """An open connection to where an address leads; raises CallError."""
    try:
        place = place_of(url)
        connection = Connection(place, addresses_of(place, deadline.at), deadline)
    except RefusedAddress:
        raise CallError("refused_address") from None
    except UnknownHost:
        raise CallError("unreachable") from None
    except TimeoutError:
        raise CallError("timeout") from None
    try:
        connection.connect()
    except ssl.SSLError as error:
        connection.end()
        raise CallError("timeout" if isinstance(error, TimeoutError) else "untrusted") from None
    except OSError as error:
        connection.end()
        raise CallError("timeout" if isinstance(error, TimeoutError) else "unreachable") from None
    return connection


def exchange(
    connection: Connection, request: Request, most: int, *, keep: bool = False, only_head: bool = False
) -> Reply:
    """Send the request and read its reply; raises CallError. With `keep` the connection may be used again, unless the
    other side will have an end of it. With `only_head` the status is all that matters: of the body there is what comes
    soon, up to `most`, and whatever is wrong with it is nobody's concern."""
    try:
        _send(connection, request, "keep-alive" if keep else "close")
        return _read_head(connection, most) if only_head else _read(connection, most)
    except TimeoutError:
        raise CallError("timeout", began=True) from None
    except (http.client.RemoteDisconnected, http.client.IncompleteRead):
        raise CallError("interrupted", began=True) from None
    except http.client.HTTPException:
        raise CallError("bad_reply", began=True) from None
    except OSError:
        raise CallError("interrupted", began=True) from None


def _send(connection: Connection, request: Request, wish: str) -> None:
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    given = {name.lower() for name, _value in request.headers}
    own = {"user-agent": _AGENT, "accept": "application/json", "accept-encoding": "identity", "connection": wish}
    try:
        connection.putrequest(request.method, target, skip_accept_encoding=True)
        for name, value in [*((n, v) for n, v in own.items() if n not in given), *request.headers]:
            connection.putheader(name, value)
        if request.body or request.method not in ("GET", "DELETE", "HEAD"):
            connection.putheader("content-length", str(len(request.body)))
    except (ValueError, http.client.InvalidURL):
        # A line break, say, that would pass for another header. Nothing was sent yet.
        raise CallError("bad_request") from None
    connection.endheaders(request.body or None)


def _read(connection: Connection, most: int) -> Reply:
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    if response.length is not None and response.length > most:
        raise CallError("too_large", began=True)
    body = response.read(most + 1)
    if len(body) > most:
        raise CallError("too_large", began=True)
    if response.length:
        raise CallError("interrupted", began=True)
    if headers.get("content-encoding", "identity") != "identity":
        raise CallError("bad_reply", began=True)
    return Reply(response.status, headers, body)


def _read_head(connection: Connection, most: int) -> Reply:
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    is_plain = headers.get("content-encoding", "identity") == "identity"
    connection.deadline.at = min(connection.deadline.at, time.monotonic() + _EXCERPT_SECONDS)
    return Reply(response.status, headers, _excerpt(response, most) if is_plain else b"")


def _excerpt(response: http.client.HTTPResponse, most: int) -> bytes:
    body = b""
    try:
        while len(body) < most and (part := response.read1(most - len(body))):
            body += part
    except (OSError, http.client.HTTPException, ValueError):
        # What came so far will do.
        pass
    return body
