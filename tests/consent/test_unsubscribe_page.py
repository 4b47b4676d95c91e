"""The unsubscribe page and RFC 8058's one-click request, as scanners, providers and people use them."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from consent import pausing
from consent.models import Confirmation, ConsentEntry, Pause, Preference, Purpose
from consent.pausing import paused_until
from consent.unsubscribe import Token, make_token
from customers import clock
from customers.models import Address, Profile
from tests.consent import people

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def url(address: Address, newsletter: Purpose) -> str:
    return f"/u/{make_token(Token(address.pk, newsletter.pk, UUID(int=77)))}"


def entries() -> list[tuple[str, str, UUID | None]]:
    return list(ConsentEntry.objects.values_list("state", "method", "profile_id"))


def test_opening_the_link_changes_nothing_and_shows_a_button(client: Client, url: str):
    response = client.get(url)
    page = response.content.decode()
    assert response.status_code == 200
    assert '<button type="submit" name="unsubscribe"' in page
    assert "a•••@e•••.com" in page
    assert "ana@example.com" not in page
    assert "<script" not in page
    assert entries() == []


def test_the_page_is_neither_cached_nor_passed_on(client: Client, url: str):
    response = client.get(url)
    assert "no-store" in response["Cache-Control"]
    assert (response["Referrer-Policy"], response["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not response.cookies


def test_head_changes_nothing(client: Client, url: str):
    assert client.head(url).status_code == 200
    assert entries() == []


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_unsubscribes_without_cookies_or_redirect(url: str, content_type: str):
    client = Client(enforce_csrf_checks=True)
    if content_type == "multipart/form-data":
        response = client.post(url, ONE_CLICK)
    else:
        response = client.post(url, "List-Unsubscribe=One-Click", content_type=content_type)
    assert (response.status_code, response["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert entries() == [("withdrawn", "one_click", None)]


def test_one_click_twice_answers_the_same_and_writes_once(client: Client, url: str):
    assert [client.post(url, ONE_CLICK).status_code for _n in range(2)] == [200, 200]
    assert len(entries()) == 1


def test_cookies_and_a_log_in_make_no_difference(admin_client: Client, url: str):
    admin_client.cookies["csrftoken"] = "stale"
    assert admin_client.post(url, ONE_CLICK).status_code == 200
    assert len(entries()) == 1


def test_the_pages_button_unsubscribes_and_says_so(url: str):
    response = Client(enforce_csrf_checks=True).post(url, {"unsubscribe": "1"}, headers={"User-Agent": "Firefox"})
    assert response.status_code == 200
    assert "You are unsubscribed" in response.content.decode()
    assert entries() == [("withdrawn", "link", None)]
    assert ConsentEntry.objects.get().evidence.fields == {"user_agent": "Firefox"}


@pytest.mark.parametrize("body", ["", "List-Unsubscribe=yes", "other=1"])
def test_a_post_that_asks_for_nothing_is_refused(client: Client, url: str, body: str):
    response = client.post(url, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400
    assert entries() == []


def test_a_broken_multipart_body_is_refused(client: Client, url: str):
    assert client.post(url, "x", content_type="multipart/form-data").status_code == 400
    assert entries() == []


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_a_forged_token_is_not_found(client: Client, url: str, method: str):
    forged = url[:-1] + ("A" if url[-1] != "A" else "B")
    assert client.generic(method.upper(), forged).status_code == 404
    assert entries() == []


def test_a_valid_token_is_answered_even_when_its_address_was_erased(client: Client, newsletter: Purpose):
    url = f"/u/{make_token(Token(UUID(int=9), newsletter.pk, UUID(int=77)))}"
    assert [client.get(url).status_code, client.post(url, ONE_CLICK).status_code] == [200, 200]
    assert client.post(url, {"unsubscribe": "1"}).status_code == 200
    assert entries() == []


def test_other_methods_are_refused(client: Client, url: str):
    response = client.put(url)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, POST")


def test_the_page_speaks_the_readers_language(client: Client, url: str):
    english = client.get(url, headers={"Accept-Language": "en"})
    portuguese = client.get(url, headers={"Accept-Language": "pt-BR,pt;q=0.9"})
    assert (english["Content-Language"], portuguese["Content-Language"]) == ("en", "pt-br")
    assert 'lang="pt-br"' in portuguese.content.decode()
    assert "Sim, cancelar minha inscrição" in portuguese.content.decode()
    assert "Yes, unsubscribe me" in english.content.decode()


@pytest.fixture
def beyond(client: Client, url: str) -> str:
    """The preference centre as the page of the link leads there."""
    [path] = re.findall(r'href="(/p/[^"?]+)', client.get(url).content.decode())
    return str(path)


@pytest.mark.parametrize(
    "body", [{"all": "1"}, {"pause": "1w"}, {"resume": "1"}, {"undo": "x"}, {"save_frequency": "1", "every_days": "0"}]
)
def test_the_link_itself_does_nothing_but_unsubscribe(client: Client, url: str, body: dict[str, str]) -> None:
    assert client.post(url, body).status_code == 400
    assert (entries(), Pause.objects.count()) == ([], 0)


def test_whoever_was_forwarded_the_link_sees_no_address_and_can_only_lessen(
    client: Client, beyond: str, address: Address, profile: Profile, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    people.seen(profile, people.make_address("+5511987654321", "sms"))
    Preference.objects.create(brand=newsletter.brand, address=address, every_days=30, changed_at=people.T0)
    until = clock.utcnow() + timedelta(days=7)
    pausing.pause(newsletter.brand_id, [address.pk], until, clock.utcnow(), method="link")
    page = client.get(beyond).content.decode()
    assert ("a•••@e•••.com" in page, "•••21" in page) == (True, True)
    assert [whole in page for whole in ("ana@example.com", "987654321", 'name="resume"')] == [False] * 3
    client.post(beyond, {"resume": "1"})
    client.post(beyond, {"pause": "1w"})
    client.post(beyond, {"save_frequency": "1", "every_days": "0"})
    client.post(beyond, {"save_topics": "1", "topic": f"{newsletter.pk}.{address.pk}"})
    held = paused_until(newsletter.brand_id, [address.pk], clock.utcnow())
    assert held is not None
    assert held >= until
    assert (Preference.objects.get().every_days, entries()) == (30, [("requested", "link", profile.pk)])
    assert {mail.address_id for mail in mails} == {address.pk}, "what adds waits in the mailbox of whoever it is about"
    client.post(beyond, {"all": "1"})
    assert {state for state, _method, _profile in entries()} == {"requested", "withdrawn"}
