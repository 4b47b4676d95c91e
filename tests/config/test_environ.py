"""The readers of environment variables."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environ


def test_a_database_address_is_taken_apart() -> None:
    parts = environ.database("postgres://app:p%40ss@db.example.com:6432/main?sslmode=require")
    assert parts == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "main",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example.com",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_may_listen_on_a_socket() -> None:
    parts = environ.database("postgresql://postgres@/trilha?host=%2Fvar%2Frun%2Fpg")
    assert (parts["HOST"], parts["PORT"], parts["OPTIONS"]) == ("/var/run/pg", "", {})


@pytest.mark.parametrize("url", ["mysql://app@db/main", "postgres://app@db", "postgres://app@db/", "main"])
def test_an_unusable_database_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must read"):
        environ.database(url)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://a%40b:p%23w@mail.example", ("mail.example", 587, "a@b", "p#w", True, False)),
        ("smtp://localhost:25?tls=no", ("localhost", 25, "", "", False, False)),
        ("smtps://mail.example", ("mail.example", 465, "", "", False, True)),
    ],
)
def test_a_mail_server_is_read_from_its_address(url: str, wanted: tuple[object, ...]) -> None:
    assert tuple(environ.mail(url).values()) == wanted


@pytest.mark.parametrize(
    "url", ["", "http://mail", "smtp://", "smtp://mail:x", "smtp://mail:99999", "smtp://m?tls=yes"]
)
def test_an_unusable_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="TRILHA_MAIL_URL must read"):
        environ.mail(url)


def test_a_key_ring_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RING", f"new:{'B' * 43}=, old:{'A' * 43}=")
    ring = environ.key_ring("RING", "")
    assert list(ring) == ["new", "old"]
    assert ring["old"] == bytes(32)


@pytest.mark.parametrize("ring", ["k1", "k1:AAAA", "k1:***", f":{'A' * 43}=", f"k:{'A' * 43}=,k:{'B' * 43}="])
def test_a_faulty_key_ring_is_refused(monkeypatch: pytest.MonkeyPatch, ring: str) -> None:
    monkeypatch.setenv("RING", ring)
    with pytest.raises(ImproperlyConfigured, match="RING must be"):
        environ.key_ring("RING", "")


@pytest.mark.parametrize(("value", "read"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_a_flag_is_read(monkeypatch: pytest.MonkeyPatch, value: str, read: bool) -> None:
    monkeypatch.setenv("FLAG", value)
    assert environ.flag("FLAG") is read


def test_an_unclear_flag_and_number_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAG", "maybe")
    with pytest.raises(ImproperlyConfigured, match="FLAG must be one of"):
        environ.flag("FLAG")
    with pytest.raises(ImproperlyConfigured, match="FLAG must be a number"):
        environ.number("FLAG", 1)
