"""The real server, and callers who keep to no rules: too long, too slow, contradicting themselves."""

import gzip
import json
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

import pytest

from config.processes import Process, answers, free_port, web
from customers import keys
from customers.models import Brand, InboxItem, Source
from tests.processes import database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

_PATIENCE_SECONDS = 2
_LIMIT = 512_000


@dataclass(frozen=True)
class Server:
    port: int


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    environment = {"DATABASE_URL": database_url(), "BODY_SECONDS": str(_PATIENCE_SECONDS), "LOG_LEVEL": "ERROR"}
    logs: Path = tmp_path_factory.mktemp("web")
    with web(port, environment, logs) as process:
        await_birth(process, port)
        yield Server(port)


def await_birth(process: Process, port: int) -> None:
    until = time.monotonic() + 60
    while not answers(f"http://127.0.0.1:{port}/healthz/live"):
        assert process.is_alive(), process.tail()
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def key() -> str:
    brand = Brand.objects.create(key="acme", name="Acme")
    return keys.issue(Source.objects.create(brand=brand, key="shop", name="Shop"))[1]


def call(server: Server, *parts: bytes, seconds: float = 20) -> tuple[int, dict[str, str], bytes]:
    """Send these bytes, and read until the server closes or the answer is whole."""
    with connect(server, seconds) as caller:
        for part in parts:
            caller.sendall(part)
        return read(caller)


def connect(server: Server, seconds: float = 20) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=seconds)


def read(caller: socket.socket) -> tuple[int, dict[str, str], bytes]:
    response = HTTPResponse(caller)
    response.begin()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def head(path: str, key: str = "", method: str = "POST", *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *more]
    if key:
        lines.append("Authorization: Basic " + b64encode(f"{key}:".encode()).decode())
    return "\r\n".join([*lines, "", ""]).encode()


def chunked(body: bytes, size: int = 65536) -> bytes:
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def message(padding: int = 0) -> bytes:
    return json.dumps(
        {"event": "Order Completed", "userId": "u", "messageId": "m-1", "properties": {"padding": "x" * padding}}
    ).encode()


def code(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["code"]


def test_a_body_in_chunks_is_taken_as_any_other(server: Server, key: str) -> None:
    status, _headers, body = call(
        server, head("/v1/track", key, "POST", "Transfer-Encoding: chunked"), chunked(message())
    )
    assert (status, body) == (200, b'{"success":true}')
    assert InboxItem.objects.count() == 1


def test_a_body_in_chunks_is_read_no_further_than_its_limit(server: Server, key: str) -> None:
    """No length is told, so only reading shows that it is too much; then the server hangs up."""
    sent = 0
    with connect(server) as caller, suppress(OSError):
        caller.sendall(head("/v1/batch", key, "POST", "Transfer-Encoding: chunked"))
        while sent < 100_000_000:
            caller.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            sent += 0x10000
    # Some megabytes are on the way when it does.
    assert sent < 20_000_000


def test_a_body_whose_length_is_too_much_is_refused(server: Server, key: str) -> None:
    body = message(_LIMIT)
    answer = call(server, head("/v1/batch", key, "POST", f"Content-Length: {len(body)}"), body)
    assert code(answer) == (413, "payload_too_large")


def test_a_small_body_that_inflates_to_a_big_one_is_refused(server: Server, key: str) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < 100_000
    began = time.monotonic()
    answer = call(
        server, head("/v1/batch", key, "POST", "Content-Encoding: gzip", f"Content-Length: {len(bomb)}"), bomb
    )
    assert code(answer) == (413, "payload_too_large")
    assert time.monotonic() - began < 5


def test_a_body_that_breaks_off_is_nobodys(server: Server, key: str) -> None:
    with connect(server) as caller:
        caller.sendall(head("/v1/track", key, "POST", f"Content-Length: {len(message()) + 9}") + message())
        caller.shutdown(socket.SHUT_WR)
        assert read(caller)[0] == 400
    assert not InboxItem.objects.exists()


def test_names_beyond_ascii_and_what_the_address_asks_arrive_as_they_were_sent(server: Server) -> None:
    status, headers, _body = call(server, head("/admin/caf%C3%A9/?next=%2Fa%20b", "", "GET"))
    assert (status, headers["location"]) == (302, "/admin/login/?next=/admin/caf%25C3%25A9/%3Fnext%3D%252Fa%2520b")


def test_a_file_is_sent_in_parts(server: Server) -> None:
    status, headers, body = call(server, head("/static/admin/css/base.css", "", "GET"))
    assert (status, len(body)) == (200, int(headers["content-length"]))


def test_slow_callers_are_told_so_and_stop_nobody(server: Server, key: str) -> None:
    """More of them than the server has threads, each sending a byte now and then, or nothing at all."""
    slow = [connect(server) for _caller in range(12)]
    for caller in slow:
        caller.sendall(head("/v1/track", key, "POST", "Content-Length: 500") + b"{")
    began = time.monotonic()
    quick = call(server, head("/v1/track", key, "POST", f"Content-Length: {len(message())}"), message())
    assert quick[0] == 200
    assert time.monotonic() - began < _PATIENCE_SECONDS
    for caller in slow[:6]:
        caller.sendall(b" ")
    for caller in slow:
        assert read(caller)[0] == 408
        assert caller.recv(10) == b""
        caller.close()
    assert InboxItem.objects.count() == 1


def test_two_lengths_in_one_call_are_one_too_many(server: Server, key: str) -> None:
    """Content-Length beside Transfer-Encoding: whatever is done, nothing that follows is taken for a second call."""
    smuggled = b"GET /healthz/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    more = ("Content-Length: 4", "Transfer-Encoding: chunked")
    with connect(server, 3) as caller:
        caller.sendall(head("/v1/track", key, "POST", *more) + b"0\r\n\r\n" + smuggled)
        assert read(caller)[0] == 400
    assert not InboxItem.objects.exists()


def test_a_header_with_an_underscore_is_not_the_one_with_a_dash(server: Server, key: str) -> None:
    lines = (f"Content-Length: {len(message())}", "Content_Type: text/plain", "X_HTTP_Method_Override: GET")
    assert call(server, head("/v1/track", key, "POST", *lines), message())[0] == 200


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "GET"])
def test_messages_are_only_posted(server: Server, method: str) -> None:
    status, headers, body = call(server, head("/v1/track", "", method, "X-HTTP-Method-Override: POST"))
    assert (status, headers["allow"], json.loads(body)["code"]) == (405, "POST", "method_not_allowed")


def test_nobody_is_connected_through(server: Server) -> None:
    connecting = b"CONNECT other.example.com:443 HTTP/1.1\r\nHost: other.example.com:443\r\n\r\n"
    assert call(server, connecting)[0] in (400, 404, 405)


def test_without_its_database_it_says_so(key: str, tmp_path: Path) -> None:
    port = free_port()
    environment = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "LOG_LEVEL": "CRITICAL"}
    with web(port, environment, tmp_path) as process:
        await_birth(process, port)
        for path in ("/v1/track", "/v1/batch"):
            answer = call(Server(port), head(path, key, "POST", f"Content-Length: {len(message())}"), message())
            assert code(answer) == (503, "not_ready")
            assert answer[1]["retry-after"] == "1"
