"""Providers: registered by being there, configured in types, SMTP with encryption and log-in."""

import datetime
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels.providers import base
from channels.providers.base import ConfigurationError, DeliveryError, Outgoing, build
from channels.providers.smtp.mail import build_mail, one_mailbox
from config.loop.smtp_sink import SmtpSink
from tests.channels.doubles import Recorder
from tests.channels.world import NOW


def outgoing(**fields: Any) -> Outgoing:
    values: dict[str, Any] = {
        "key": uuid4(),
        "channel": "email",
        "to": "ana@example.com",
        "subject": "Hi",
        "html": "",
        "text": "Hello",
        "sender_name": "Acme",
        "sender_email": "news@acme.example",
        "list_key": "newsletter.acme",
        "unsubscribe_url": "https://acme.example/u/1",
        "at": NOW,
    }
    return Outgoing(**values | fields)


def smtp(config: dict[str, Any], credentials: dict[str, str]) -> base.Provider:
    provider = build("smtp", config, credentials)
    assert isinstance(provider, base.Provider)
    return provider


def deliver(config: dict[str, Any], credentials: dict[str, str] | None = None) -> str:
    deadline = time.monotonic() + 5
    with smtp(config, credentials or {}).open() as session:
        session.prepare(deadline)
        return session.send(outgoing(), deadline).provider_id


def test_every_module_of_the_package_is_registered() -> None:
    assert {"sandbox", "smtp"} <= set(base.provider_keys())
    assert "sandbox" in base.idempotent_keys()
    assert "smtp" not in base.idempotent_keys()


def test_a_second_provider_of_one_name_is_refused() -> None:
    with pytest.raises(TypeError, match="two providers are called 'recorder'"):
        type("Again", (Recorder,), {"key": "recorder"})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"host": 5},
        {"host": "mail.example", "port": "25"},
        {"host": "mail.example", "security": "maybe"},
        {"host": "mail.example", "spare": 1},
        {"host": "mail.example", "headers": {"X-A: b\r\nBcc": "eve@example.com"}},
        {"host": "mail.example", "headers": {"X-A": "b\r\nBcc: eve@example.com"}},
        {"host": "mail.example", "headers": {"Bcc": "eve@example.com"}},
    ],
)
def test_settings_that_do_not_fit_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        build("smtp", config, {})


def test_a_refusal_does_not_quote_a_secret() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        build("smtp", {"host": "mail.example"}, {"password": 12345678})
    assert "12345678" not in str(refusal.value)


def test_an_allowed_header_is_added() -> None:
    mail = build_mail(outgoing(), one_mailbox("news@acme.example"), {"Reply-To": "help@acme.example"})
    assert b"\r\nReply-To: help@acme.example\r\n" in mail


@pytest.mark.parametrize("field", ["subject", "unsubscribe_url", "list_key"])
def test_no_value_breaks_out_of_its_header(field: str) -> None:
    value = outgoing(**{field: "x\r\nBcc: eve@example.com"})
    with pytest.raises(DeliveryError) as refusal:
        build_mail(value, one_mailbox("news@acme.example"), {})
    assert refusal.value.permanent


def test_a_line_break_in_the_senders_name_is_a_space() -> None:
    assert one_mailbox("a@b.example", "Ac\r\nme").header() == '"Ac me" <a@b.example>'


def test_a_name_cannot_close_its_quotes() -> None:
    assert one_mailbox("a@b.example", 'A" <eve@x.example>, "').header() == ('"A\\" <eve@x.example>, \\"" <a@b.example>')


def test_lines_that_are_dots_arrive_as_they_were(sink: SmtpSink) -> None:
    config = {"host": "127.0.0.1", "port": sink.port, "security": "none"}
    deadline = time.monotonic() + 5
    with smtp(config, {}).open() as session:
        session.prepare(deadline)
        session.send(outgoing(text="a\n.\n..b\n"), deadline)
    assert sink.received[0].data.replace("=2E", ".").endswith("\r\n\r\na\r\n.\r\n..b\r\n")


def test_a_large_message_arrives_whole(sink: SmtpSink) -> None:
    config = {"host": "127.0.0.1", "port": sink.port, "security": "none"}
    deadline = time.monotonic() + 10
    with smtp(config, {}).open() as session:
        session.prepare(deadline)
        session.send(outgoing(text="0123456789" * 20_000), deadline)
    assert sink.received[0].data.replace("=\r\n", "").count("0123456789") == 20_000


def test_a_connection_the_server_closed_is_opened_again(sink: SmtpSink) -> None:
    config = {"host": "127.0.0.1", "port": sink.port, "security": "none"}
    deadline = time.monotonic() + 5
    with smtp(config, {}).open() as session:
        session.prepare(deadline)
        with pytest.raises(DeliveryError) as lost:
            session.send(outgoing(to="ana+drop@example.com"), deadline)
        session.prepare(deadline)
        session.send(outgoing(), deadline)
    assert lost.value.accepted == "maybe"
    assert (len(sink.received), sink.connections) == (2, 2)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate for 127.0.0.1 that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"acme", b"secret"), handled=False)


@pytest.fixture
def secure_server(trusted: ssl.SSLContext) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(
        Sink(),
        hostname="127.0.0.1",
        port=port,
        tls_context=trusted,
        require_starttls=True,
        authenticator=_authenticate,
        auth_required=True,
    )
    controller.start()
    yield port
    controller.stop()


def test_starttls_and_log_in(secure_server: int) -> None:
    config = {"host": "127.0.0.1", "port": secure_server}
    assert deliver(config, {"username": "acme", "password": "secret"}).endswith("@acme.example>")


def test_a_wrong_password_is_passing_trouble(secure_server: int) -> None:
    with pytest.raises(DeliveryError, match=r"^535") as refusal:
        deliver({"host": "127.0.0.1", "port": secure_server}, {"username": "acme", "password": "wrong"})
    assert (refusal.value.permanent, refusal.value.accepted) == (False, "no")


def test_a_certificate_nobody_vouches_for_is_refused(secure_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with pytest.raises(DeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
        deliver({"host": "127.0.0.1", "port": secure_server}, {"username": "acme", "password": "secret"})


def test_a_server_without_encryption_gets_nothing_when_it_is_wanted(sink: SmtpSink) -> None:
    with pytest.raises(DeliveryError, match="STARTTLS"):
        deliver({"host": "127.0.0.1", "port": sink.port, "security": "starttls"})
    assert sink.received == []
