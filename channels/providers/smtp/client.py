"""smtplib with a total deadline: a server that drips gets no more time than one that hangs."""

import select
import smtplib
import socket
import ssl
import time
from typing import Any

_CHUNK = 65_536
_END_OF_DATA = b".\r\n"


class Interrupted(Exception):
    """The connection failed when the whole message may have been handed over: nobody knows its fate."""


class _Lines:
    """The reading half of the connection, as smtplib wants it: lines, within the client's deadline."""

    def __init__(self, client: "DeadlineSMTP") -> None:
        self._client = client
        self._buffer = bytearray()

    def readline(self, limit: int) -> bytes:
        while (end := self._buffer.find(b"\n") + 1) == 0 and len(self._buffer) < limit:
            received = self._client.timed_socket().recv(_CHUNK)
            if not received:
                return b""
            self._buffer += received
        line = bytes(self._buffer[: end or limit])
        del self._buffer[: len(line)]
        return line

    def is_empty(self) -> bool:
        return not self._buffer

    def close(self) -> None:
        self._buffer.clear()


class DeadlineSMTP(smtplib.SMTP):
    """One connection; `deadline` (an instant of `time.monotonic`) bounds all that is done with it."""

    file: _Lines | None
    sock: socket.socket | None

    def __init__(self, hello: str, deadline: float, tls: ssl.SSLContext | None = None) -> None:
        self.deadline = deadline
        self._tls = tls
        super().__init__(local_hostname=hello)

    def remaining(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left

    def timed_socket(self) -> socket.socket:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        self.sock.settimeout(self.remaining())
        return self.sock

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        """Each address of the host in turn, together within the deadline."""
        error: OSError = TimeoutError("no address answered")
        for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self.remaining())
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self._secured(connection, host)
            except OSError as failure:
                connection.close()
                error = failure
        raise error

    def _secured(self, connection: socket.socket, host: str) -> socket.socket:
        if self._tls is None:
            return connection
        connection.settimeout(self.remaining())
        return self._tls.wrap_socket(connection, server_hostname=host)

    def start_tls(self, host: str, context: ssl.SSLContext) -> None:
        """STARTTLS, with the host name checked although the connection was opened by our own loop."""
        self._host = host
        self.timed_socket()
        self.starttls(context=context)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Lines(self)
        return super().getreply()

    def send(self, data: Any) -> None:
        payload = memoryview(data.encode(self.command_encoding) if isinstance(data, str) else data)
        try:
            while payload:
                payload = payload[self.timed_socket().send(payload[:_CHUNK]) :]
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(error)) from error

    def is_fresh(self) -> bool:
        """Whether an idle connection is still open: a server that speaks unasked is saying goodbye."""
        if self.sock is None or (self.file is not None and not self.file.is_empty()):
            return False
        readable, _writable, _failed = select.select([self.sock], [], [], 0)
        return not readable

    def transmit(self, message: bytes) -> tuple[int, bytes]:
        """The message after DATA was granted: bytes up to the end mark, the end mark, the verdict."""
        # As smtplib does: a leading period is doubled.
        payload = b"\r\n" + message
        payload = payload.replace(b"\r\n.", b"\r\n..")[2:]
        if not payload.endswith(b"\r\n"):
            payload += b"\r\n"
        cut = len(payload) - len(payload) % _CHUNK
        self.send(payload[:cut])
        try:
            # The end mark travels with the last bytes; from here on the server may have it all.
            self.send(payload[cut:] + _END_OF_DATA)
            return self.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Interrupted(type(error).__name__) from error
