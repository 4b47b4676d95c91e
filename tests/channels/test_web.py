"""Calls to other systems: where they may go, and what comes of a system that misbehaves."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels.web import CallError, Request, call
from channels.web.address import RefusedAddress, is_public, place_of
from tests.channels import web_server
from tests.channels.web_server import OtherSystem, other_system


@pytest.fixture
def system(settings: Any) -> Iterator[OtherSystem]:
    with other_system() as one:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{one.port}"]
        yield one


def get(url: str, seconds: float = 5, **more: Any) -> Any:
    return call(Request("GET", url, **more), time.monotonic() + seconds)


def trouble(act: Callable[[], Any]) -> tuple[str, bool]:
    with pytest.raises(CallError) as raised:
        act()
    return raised.value.name, raised.value.began


def test_a_reply_comes_back_whole(system: OtherSystem) -> None:
    system.answer(201, b'{"a": 1}', x_kind="new")
    request = Request("POST", f"{system.url}/things?x=1", (("content-type", "application/json"),), b'{"b": 2}')
    reply = call(request, time.monotonic() + 5)
    assert (reply.status, reply.body, reply.headers["x-kind"]) == (201, b'{"a": 1}', "new")
    received = system.received[0]
    assert (received.method, received.path, received.body) == ("POST", "/things?x=1", b'{"b": 2}')
    assert received.headers["host"] == f"127.0.0.1:{system.port}"
    assert (received.headers["content-length"], received.headers["accept-encoding"]) == ("8", "identity")


def test_a_redirect_is_a_reply_that_nobody_follows(system: OtherSystem) -> None:
    system.answer(302, b"", location="http://127.0.0.1:1/")
    assert get(system.url).status == 302
    assert len(system.received) == 1


@pytest.mark.parametrize(
    ("misbehaviour", "name"),
    [
        (web_server.drops, "interrupted"),
        (web_server.breaks_off, "interrupted"),
        (web_server.mumbles, "bad_reply"),
        (web_server.floods, "too_large"),
    ],
)
def test_what_is_no_reply_is_an_error_by_name(system: OtherSystem, misbehaviour: Any, name: str) -> None:
    system.answers = [misbehaviour]
    assert trouble(lambda: get(system.url)) == (name, True)


@pytest.mark.parametrize("misbehaviour", [web_server.hangs, web_server.drips])
def test_neither_hanging_nor_dripping_gets_past_the_deadline(system: OtherSystem, misbehaviour: Any) -> None:
    system.answers = [misbehaviour]
    started = time.monotonic()
    assert trouble(lambda: get(system.url, 0.3)) == ("timeout", True)
    assert time.monotonic() - started < 1


def test_a_length_that_is_too_large_is_not_read(system: OtherSystem) -> None:
    system.answer(200, b"x" * 300_000)
    assert trouble(lambda: get(system.url)) == ("too_large", True)


def test_what_was_packed_unasked_is_no_reply(system: OtherSystem) -> None:
    system.answer(200, b"x", content_encoding="gzip")
    assert trouble(lambda: get(system.url)) == ("bad_reply", True)


def test_a_header_cannot_bring_another(system: OtherSystem) -> None:
    system.answer()
    assert trouble(lambda: get(system.url, headers=(("x-a", "1\r\nx-b: 2"),))) == ("bad_request", False)
    assert trouble(lambda: get(f"{system.url}/a b")) == ("bad_request", False)
    assert system.received == []


def test_nobody_there_is_unreachable(settings: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.TRILHA_CALL_HOSTS = ["127.0.0.1", "nobody.invalid"]
    assert trouble(lambda: get(f"http://127.0.0.1:{port}")) == ("unreachable", False)
    assert trouble(lambda: get("http://nobody.invalid")) == ("unreachable", False)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "168.63.129.16", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
     "::ffff:10.0.0.1", "::ffff:93.184.216.34", "64:ff9b::a00:1",
     "64:ff9b::7f00:1", "192.88.99.1", "3fff::1", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:a00:1",
     "2002:a00:1::", "2001:0:a00:1::", "2001:db8::1", "x"],
)  # fmt: skip
def test_what_is_not_the_internet_is_not_called(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808", "2606:4700::5efe:808:808"]
)
def test_the_internet_is(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "https://example.com:22", "ftp://example.com", "https://", "https://u:p@example.com/",
     "https://example.com:99999", "https://exämple.com", "file:///etc/passwd", "//example.com", "gopher://example.com"],
)  # fmt: skip
def test_only_tls_by_its_ports_may_be_called(url: str) -> None:
    with pytest.raises(RefusedAddress):
        place_of(url)
    assert trouble(lambda: get(url)) == ("refused_address", False)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_however_the_own_machine_is_spelled_it_is_refused(host: str) -> None:
    assert trouble(lambda: get(f"https://{host}/"))[0] == "refused_address"


def test_one_private_address_among_public_ones_refuses_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(_host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (ip, port)) for ip in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert trouble(lambda: get("https://two-faced.example/")) == ("refused_address", False)


def test_the_address_looked_at_is_the_one_called(monkeypatch: pytest.MonkeyPatch, system: OtherSystem) -> None:
    """A name that means another address a moment later gains nothing: it is asked once."""
    asked: list[str] = []

    def once(host: str, port: int, **_more: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port))]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    system.answer()
    assert get(system.url).status == 200
    assert len(asked) == 1


def test_a_resolver_that_hangs_gets_no_more_than_what_is_left(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    free = Event()
    settings.TRILHA_CALL_HOSTS = ["slow.example"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: free.wait(5) and [])
    began = time.monotonic()
    assert trouble(lambda: get("http://slow.example/", 0.3)) == ("timeout", False)
    assert time.monotonic() - began < 2
    free.set()


def test_an_address_that_does_not_answer_leaves_the_next_its_time(
    monkeypatch: pytest.MonkeyPatch, settings: Any, system: OtherSystem
) -> None:
    """Of three addresses one is of no kind that this machine has, and one takes nobody in."""
    settings.TRILHA_CALL_HOSTS = ["three.example"]
    where = ("127.0.0.2", system.port)

    def three(_host: str, port: int, **_more: Any) -> list[Any]:
        kinds = ((9999, "none"), (socket.AF_INET, where[0]), (socket.AF_INET, "127.0.0.1"))
        return [(family, 1, 6, "", (ip, port)) for family, ip in kinds]

    system.answer()
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(where)
        full.listen(0)
        for _n in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(where)
        monkeypatch.setattr(socket, "getaddrinfo", three)
        began = time.monotonic()
        assert get(f"http://three.example:{system.port}/", 4).status == 200
        assert 1 < time.monotonic() - began < 4


def test_who_cannot_show_who_they_are_is_not_talked_to(settings: Any, tmp_path: Path) -> None:
    with other_system(_self_signed(tmp_path)) as system:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
        system.answer()
        assert trouble(lambda: get(f"https://127.0.0.1:{system.port}/")) == ("untrusted", False)
        assert system.received == []


def _self_signed(tmp_path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    file = tmp_path / "both.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
