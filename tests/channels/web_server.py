"""A server of another system, as bad as they come: what it does is said by the path, or by what a test has it do."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class OtherSystem:
    port: int
    received: list[Received] = field(default_factory=list)
    # What is answered next, in order; the last is answered for ever.
    answers: list[Answer | Callable[["Handler"], None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, {"content-type": "application/json", **named}, body))

    def next(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    system: OtherSystem
    # What is being answered: others may be under way in other threads.
    asked: Received

    def do_any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked = Received(self.command, self.path, headers, self.rfile.read(length))
        self.system.received.append(self.asked)
        answer = self.system.next()
        if callable(answer):
            answer(self)
            return
        status, told, body = answer
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value)
        if "content-length" not in told:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any  # noqa: N815 - as http.server calls them

    def log_message(self, *_args: Any) -> None:
        pass


def hangs(handler: Handler) -> None:
    time.sleep(1.5)
    handler.close_connection = True


def drops(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def drips(handler: Handler) -> None:
    """A byte now and then: each read is quick, all of them together are not."""
    handler.close_connection = True
    try:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-padding: " + b"x" * 60:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def breaks_off(handler: Handler) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"score":')
    handler.close_connection = True


def mumbles(handler: Handler) -> None:
    handler.wfile.write(b"what is this?\r\n\r\n")
    handler.close_connection = True


def floods(handler: Handler) -> None:
    """Without a length: how long it is shows only when it is read."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        for _part in range(64):
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        pass


@contextmanager
def other_system(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[OtherSystem]:

    class Own(Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Own)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    system = OtherSystem(server.server_address[1])
    Own.system = system
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield system
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
