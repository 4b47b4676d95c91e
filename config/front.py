"""What granian serves: every body is there, whole and within its time, before a thread is given to the call.

A server that starts a thread at a call's first line has as many threads as it takes slow callers to stop it. Here a
slow caller costs a little memory, is told 408 when its time is over, and its connection is closed.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

from django.conf import settings

from config.wsgi import application as _wsgi

# Every so many bytes of a body that have come give the rest of it a second more.
BYTES_A_SECOND = 32 * 1024
_IN_MEMORY = 1024 * 1024
# What the doors refuse anyway is not read to its end: one byte more than any of them takes.
_DOORS = ("/v1/", "/api/", "/hooks/")
_MOST_FOR_A_DOOR = 1_000_001
# Files that people upload on staff pages.
_MOST_OTHERWISE = 2 * 1024**3
_CHUNKS_AT_ONCE = 16

Headers = list[tuple[str, str]]


class Scope(Protocol):
    proto: str
    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Any


class Channel(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...

    def response_stream(self, status: int, headers: Headers) -> Any: ...


class Front:
    """An RSGI application in front of a WSGI one."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]]) -> None:
        self._wsgi = wsgi
        self._threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="web")

    async def __rsgi__(self, scope: Scope, channel: Channel) -> None:
        loop = asyncio.get_running_loop()
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            if fault := await _read(scope, channel, body):
                said = f"{HTTPStatus(fault).phrase}\n".encode()
                channel.response_bytes(fault, [("connection", "close"), ("content-type", "text/plain")], said)
                return
            answer = await loop.run_in_executor(self._threads, self._call, environ(scope, body))
            try:
                await self._send(channel, answer, loop)
            finally:
                await loop.run_in_executor(self._threads, answer.close)

    def _call(self, told: dict[str, Any]) -> "_Answer":
        answer = _Answer()
        answer.take(self._wsgi(told, answer.start))
        return answer

    async def _send(self, channel: Channel, answer: "_Answer", loop: asyncio.AbstractEventLoop) -> None:
        if not answer.is_streamed:
            channel.response_bytes(answer.status, answer.headers, b"".join(answer.parts))
            return
        stream = channel.response_stream(answer.status, answer.headers)
        while part := await loop.run_in_executor(self._threads, answer.next_part):
            await stream.send_bytes(part)


class _Answer:
    """What the WSGI application says."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: Headers = []
        self.parts: Iterator[bytes] = iter(())
        self.is_streamed = False
        self.close: Callable[[], object] = lambda: None

    def start(self, status: str, headers: Headers, _error: object = None) -> None:
        self.status = int(status[:3])
        self.headers = [(name.lower(), value) for name, value in headers]

    def take(self, said: Iterable[bytes]) -> None:
        self.parts = iter(said)
        self.is_streamed = bool(getattr(said, "streaming", False))
        self.close = getattr(said, "close", self.close)

    def next_part(self) -> bytes:
        return b"".join(islice(self.parts, _CHUNKS_AT_ONCE))


async def _read(scope: Scope, channel: Channel, body: IO[bytes]) -> int:
    """Read the body, or as much of it as its door could take; the status to answer when there is no use in it."""
    is_door = scope.path.startswith(_DOORS)
    most = _MOST_FOR_A_DOOR if is_door else _MOST_OTHERWISE
    began, size = asyncio.get_running_loop().time(), 0
    try:
        async with asyncio.timeout(settings.BODY_SECONDS) as patience:
            async for chunk in channel:
                body.write(chunk[: most - size])
                size += len(chunk)
                if size >= most:
                    # A door says itself what it takes.
                    return 0 if is_door else 413
                patience.reschedule(began + settings.BODY_SECONDS + size / BYTES_A_SECOND)
    except TimeoutError:
        return 408
    finally:
        body.seek(0)
    length = scope.headers.get("content-length", "")
    return 400 if length.isdecimal() and int(length) > size else 0


def environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """The call as PEP 3333 has it."""
    server, _, port = scope.server.rpartition(":")
    told: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode(errors="surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return told | _headers(scope, body)


def _headers(scope: Scope, body: IO[bytes]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, value in scope.headers.items():
        # With an underscore it would pass for the one that a proxy in front writes with a dash.
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        told[key] = told[key] + ("; " if key == "HTTP_COOKIE" else ",") + value if key in told else value
    if told.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        # Put together by now, a body that came in chunks has a length like any other.
        told["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(0)
    return told


application = Front(_wsgi)
