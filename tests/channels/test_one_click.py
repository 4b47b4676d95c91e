"""One-click unsubscribing (RFC 8058) with what a mail server received: the address in the header, posted to by it."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from channels.dispatch import dispatch_due
from config.loop.mailbox import Mail
from config.loop.smtp_sink import SmtpSink
from consent.models import ConsentEntry
from consent.permission import Ask, permissions
from consent.unsubscribe import unsubscribe_url
from customers import clock
from customers.ids import new_id
from customers.models import Address
from tests.channels.world import NOW, Person, World, make_world, smtp_config

URLENCODED = ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click")
MULTIPART = (
    "multipart/form-data; boundary=---FormBoundaryjWmhtjORrn",
    b"-----FormBoundaryjWmhtjORrn\r\n"
    b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
    b"-----FormBoundaryjWmhtjORrn--\r\n",
)
FORMS = pytest.mark.parametrize("form", [URLENCODED, MULTIPART], ids=["urlencoded", "multipart"])


@pytest.fixture
def world(transactional_db: None, sink: SmtpSink, live_server: LiveServer, settings: Settings) -> World:
    settings.TRILHA_PUBLIC_URL = live_server.url
    return make_world("smtp", smtp_config(sink.port))


@pytest.fixture
def ana(world: World) -> Person:
    return world.person()


@pytest.fixture
def link(world: World, ana: Person, sink: SmtpSink) -> str:
    """What stands in the header of the mail that arrived."""
    world.queue(ana)
    dispatch_due(world.connector.pk, NOW)
    [received] = sink.received
    mail = Mail(received.recipient, received.data)
    assert mail.is_one_click
    return mail.header("List-Unsubscribe").strip("<>")


def call(link: str, form: tuple[str, bytes], method: str = "POST", **headers: str) -> tuple[int, dict[str, str]]:
    """Nothing but the body: no cookie, no log-in, and no redirect is followed."""
    parts = urlsplit(link)
    connection = HTTPConnection(parts.netloc, timeout=10)
    connection.request(method, parts.path, form[1], {"Content-Type": form[0], **headers})
    answer = connection.getresponse()
    answer.read()
    told = {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return answer.status, told


def withdrawals() -> list[tuple[str, str]]:
    return list(ConsentEntry.objects.exclude(state="given").values_list("state", "method"))


@FORMS
def test_a_provider_unsubscribes_and_again_is_the_same(
    world: World, ana: Person, link: str, form: tuple[str, bytes]
) -> None:
    for _time in range(2):
        status, headers = call(link, form)
        assert (status, headers.get("location"), headers.get("set-cookie")) == (200, None, None)
    assert withdrawals() == [("withdrawn", "one_click")]
    asks = [Ask(ana.customer.pk, ana.address.pk, world.purpose.pk)]
    assert permissions(asks, clock.utcnow())[0].reason == "withdrawn"


@FORMS
def test_stale_cookies_and_another_origin_make_no_difference(link: str, form: tuple[str, bytes]) -> None:
    headers = {"Cookie": "sessionid=stale; csrftoken=stale", "Origin": "https://mail.example"}
    assert call(link, form, **headers)[0] == 200
    assert withdrawals() == [("withdrawn", "one_click")]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_scanner_that_follows_the_link_unsubscribes_nobody(link: str, method: str) -> None:
    assert call(link, URLENCODED, method)[0] == 200
    assert withdrawals() == []


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=", b"one=click", b"\xff\xfe=1"])
def test_a_body_that_asks_for_nothing_is_refused(link: str, body: bytes) -> None:
    assert call(link, (URLENCODED[0], body))[0] == 400
    assert withdrawals() == []


def test_a_broken_multipart_is_refused(link: str) -> None:
    assert call(link, (MULTIPART[0], b"-----Form"))[0] == 400
    assert withdrawals() == []


@FORMS
def test_another_token_is_not_found(link: str, form: tuple[str, bytes]) -> None:
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert call(forged, form)[0] == 404
    assert withdrawals() == []


@FORMS
def test_it_is_good_after_the_key_was_changed(link: str, form: tuple[str, bytes], settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of fifty characters, as long as it has to be"
    assert call(link, form)[0] == 200
    assert withdrawals() == [("withdrawn", "one_click")]


@FORMS
def test_of_an_erased_address_it_is_answered_all_the_same(ana: Person, form: tuple[str, bytes], world: World) -> None:
    gone = unsubscribe_url(new_id(), world.purpose.pk, new_id())
    assert call(gone, form)[0] == 200
    assert withdrawals() == []
    assert Address.objects.count() == 1
