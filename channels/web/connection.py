"""A connection to an address that was looked at, all of whose work ends by a deadline.

Made for the standard library's client, whose time-outs are per read: a server that drips gets no more time here than
one that hangs.
"""

import http.client
import io
import select
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from channels.web.address import Place

_CHUNK: Final = 65_536


@dataclass(slots=True)
class Deadline:
    """An instant of `time.monotonic()`, for whatever is done next; a connection that is kept gets a new one with every
    call."""

    at: float

    def left(self) -> float:
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left


class Connection(http.client.HTTPConnection):
    def __init__(self, place: Place, addresses: list[tuple[int, str]], deadline: Deadline) -> None:
        self._place, self._addresses, self.deadline = place, addresses, deadline
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
            plain.settimeout(self.deadline.left() / untried)
            plain.connect((address, self._place.port))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._inner = self._secured(plain)
        except BaseException:
            plain.close()
            raise
        self.sock: Any = _Timed(self._inner, self.deadline)

    def _secured(self, plain: socket.socket) -> socket.socket:
        if not self._place.is_secure:
            return plain
        plain.settimeout(self.deadline.left())
        return _tls().wrap_socket(plain, server_hostname=self._place.host)

    def is_fresh(self) -> bool:
        """Whether an idle connection is still open: a server that speaks unasked is saying goodbye."""
        if self._inner is None or self.sock is None:
            return False
        readable, _writable, _failed = select.select([self._inner], [], [], 0)
        return not readable or self._is_only_asides(self._inner)

    @staticmethod
    def _is_only_asides(inner: socket.socket) -> bool:
        """Whether all that came is TLS's own: servers hand out tickets after the greeting, which mean no goodbye."""
        if not isinstance(inner, ssl.SSLSocket):
            return False
        inner.settimeout(0)
        try:
            inner.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False

    def end(self) -> None:
        self.close()
        if self._inner is not None:
            self._inner.close()
            self._inner = None


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Timed:
    """A socket as http.client wants one, every read and write of which gets what is left of the time."""

    def __init__(self, inner: socket.socket, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def sendall(self, data: Any) -> None:
        rest = memoryview(data)
        while rest:
            self._inner.settimeout(self._deadline.left())
            rest = rest[self._inner.send(rest[:_CHUNK]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._inner, self._deadline), _CHUNK)

    def close(self) -> None:
        """Not yet: http.client lets go of a connection that will end while its reply is still to be read."""


class _Reading(io.RawIOBase):
    def __init__(self, inner: socket.socket, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._inner.settimeout(self._deadline.left())
        return self._inner.recv_into(buffer)
