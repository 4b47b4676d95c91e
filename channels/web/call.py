"""One call by HTTP: to an address that may be called, within a deadline, without redirects, of a bounded reply.

Written over the standard library's client, whose time-outs are per read: a server that drips gets no more time here
than one that hangs.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from channels.web.address import Place, RefusedAddress, UnknownHost, addresses_of, place_of

MOST_BYTES: Final = 262_144
_CHUNK: Final = 65_536
_AGENT: Final = "Trilha"

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
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` are by their names in small letters; `secrets` are ours, should the other side repeat them."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = field(default=(), repr=False)


def call(request: Request, deadline: float, most: int = MOST_BYTES) -> Reply:
    """Make the call; raises CallError. `deadline` is an instant of `time.monotonic()`. A redirect is a reply like any
    other: where it points is for nobody to follow."""
    try:
        place = place_of(request.url)
        addresses = addresses_of(place, deadline)
    except RefusedAddress:
        raise CallError("refused_address") from None
    except UnknownHost:
        raise CallError("unreachable") from None
    except TimeoutError:
        raise CallError("timeout") from None
    connection = _Connection(place, addresses, deadline)
    try:
        return _exchange(connection, request, most)
    finally:
        connection.end()


def _exchange(connection: "_Connection", request: Request, most: int) -> Reply:
    try:
        connection.connect()
    except ssl.SSLError as error:
        raise CallError("timeout" if isinstance(error, TimeoutError) else "untrusted") from None
    except OSError as error:
        raise CallError("timeout" if isinstance(error, TimeoutError) else "unreachable") from None
    try:
        _send(connection, request)
        return _read(connection, most)
    except TimeoutError:
        raise CallError("timeout", began=True) from None
    except (http.client.RemoteDisconnected, http.client.IncompleteRead):
        raise CallError("interrupted", began=True) from None
    except http.client.HTTPException:
        raise CallError("bad_reply", began=True) from None
    except OSError:
        raise CallError("interrupted", began=True) from None


def _send(connection: "_Connection", request: Request) -> None:
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    given = {name.lower() for name, _value in request.headers}
    own = {"user-agent": _AGENT, "accept": "application/json", "accept-encoding": "identity", "connection": "close"}
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


def _read(connection: "_Connection", most: int) -> Reply:
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


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses that were looked at, all of whose work ends by the deadline."""

    def __init__(self, place: Place, addresses: list[tuple[int, str]], deadline: float) -> None:
        self._place, self._addresses, self._deadline = place, addresses, deadline
        super().__init__(place.host, place.port)
        self._inner: socket.socket | None = None
        # The Host header leaves out the port that is usual.
        self.default_port = 443 if place.is_secure else 80

    def connect(self) -> None:
        error: OSError = ConnectionError("no address answered")
        for n, (family, address) in enumerate(self._addresses):
            try:
                self._reach(family, address, len(self._addresses) - n)
            except OSError as failure:
                error = failure
            else:
                return
        raise error

    def _reach(self, family: int, address: str, untried: int) -> None:
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            # An address that does not answer leaves the others their share of the time.
            plain.settimeout(_left(self._deadline) / untried)
            plain.connect((address, self._place.port))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._inner = self._secured(plain)
        except BaseException:
            plain.close()
            raise
        self.sock: Any = _Timed(self._inner, self._deadline)

    def _secured(self, plain: socket.socket) -> socket.socket:
        if not self._place.is_secure:
            return plain
        plain.settimeout(_left(self._deadline))
        return _tls().wrap_socket(plain, server_hostname=self._place.host)

    def end(self) -> None:
        self.close()
        if self._inner is not None:
            self._inner.close()


class _Timed:
    """A socket as http.client wants one, every read and write of which gets what is left of the time."""

    def __init__(self, inner: socket.socket, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def sendall(self, data: Any) -> None:
        rest = memoryview(data)
        while rest:
            self._inner.settimeout(_left(self._deadline))
            rest = rest[self._inner.send(rest[:_CHUNK]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._inner, self._deadline), _CHUNK)

    def close(self) -> None:
        """Not yet: http.client lets go of a connection that will end while its reply is still to be read."""


class _Reading(io.RawIOBase):
    def __init__(self, inner: socket.socket, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._inner.settimeout(_left(self._deadline))
        return self._inner.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline passed")
    return left
