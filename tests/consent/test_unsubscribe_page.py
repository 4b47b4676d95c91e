"""The unsubscribe page and RFC 8058's one-click request, as scanners, providers and people use them."""

from uuid import UUID

import pytest
from django.test import Client

from consent.models import ConsentEntry, Purpose
from consent.unsubscribe import Token, make_token
from customers.models import Address

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
