"""Messages by API: sent or not, with why, and of other sources no more than that something came."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from channels.dispatch import dispatch_all
from journeys.models import Journey
from journeys.publish import publish
from tests.config.partners import Partners, make_partners
from tests.journeys.stage import welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


def signed_up(partners: Partners, api: Any, **properties: Any) -> None:
    event = {"name": "customer.signed_up", "identifiers": {"user_id": "ana"}, "properties": properties}
    assert api.post("events", event).status_code == 200
    partners.stage.run()


def part(why: dict[str, Any], name: str) -> dict[str, Any]:
    return next(part for part in why["parts"] if part["part"] == name)


def test_a_sent_message_says_what_led_to_it(partners: Partners) -> None:
    partners.stage.publish(welcome())
    customer = partners.know(partners.shop, first_name="Ana")
    signed_up(partners, partners.shop, plan="gold")
    dispatch_all(partners.stage.now)
    (message,) = partners.shop.get("messages", customer=customer).json()["items"]
    assert (message["state"], message["reason"], message["channel"]) == ("sent", None, "email")
    assert (message["template"], message["template_version"], message["purpose"]) == ("note", 1, "news")
    told = partners.shop.get(f"messages/{message['id']}").json()
    assert {name: told[name] for name in message} == message
    event = part(told["why"], "event")
    assert event["facts"]["event"] == "customer.signed_up"
    # Masked whatever the token may read: an explanation puts together what many told.
    assert event["facts"]["properties"] == {"plan": "•••"}
    assert part(told["why"], "consent_at_entry")["facts"]["state"] == "given"
    assert "ana@example.com" not in str(told)


def test_a_message_not_sent_says_why_not(partners: Partners) -> None:
    partners.stage.publish(welcome())
    customer = partners.know(partners.shop)
    signed_up(partners, partners.shop)
    body = {"identifier": {"kind": "email", "value": "ana@example.com"}, "purpose": "news"}
    assert partners.shop.post("consents/withdraw", body).status_code == 201
    dispatch_all(partners.stage.now)
    (message,) = partners.shop.get("messages", customer=customer, reason="withdrawn").json()["items"]
    assert (message["state"], message["reason"]) == ("suppressed", "withdrawn")
    why = partners.shop.get(f"messages/{message['id']}").json()["why"]
    assert (why["outcome"], why["reason"]) == ("suppressed", "withdrawn")
    assert why["would_have_allowed"]
    assert partners.shop.get("messages", customer=customer, state="sent").json()["items"] == []


def test_of_another_sources_event_nothing_is_told_but_that_it_came(partners: Partners) -> None:
    partners.stage.publish(welcome())
    customer = partners.know(partners.shop)
    signed_up(partners, partners.till, salary=9)
    message = partners.shop.get("messages", customer=customer).json()["items"][0]["id"]
    why = partners.shop.get(f"messages/{message}").json()["why"]
    event = part(why, "event")
    assert (event["text"], event["facts"]) == ("An event of another source.", {})
    first = part(why, "path")["moves"][0]
    assert (first["event_id"], first["text"]) == (None, "entered")
    assert "Till" not in str(why)
    assert "salary" not in str(why)
    assert "customer.signed_up" not in str(why)
    own = partners.till.get(f"messages/{message}").json()["why"]
    assert part(own, "event")["facts"]["event"] == "customer.signed_up"


def test_who_of_the_staff_published_is_not_told(partners: Partners) -> None:
    author = get_user_model().objects.create_user("author.name")
    journey = Journey.objects.create(brand=partners.stage.brand, key="welcome", name="Welcome")
    publish(journey, welcome(), by=author, now=partners.stage.now)
    customer = partners.know(partners.shop)
    signed_up(partners, partners.shop)
    message = partners.shop.get("messages", customer=customer).json()["items"][0]["id"]
    assert "author.name" not in partners.shop.get(f"messages/{message}").content.decode()


def test_lists_cost_the_same_whatever_they_show(partners: Partners, django_assert_num_queries: Any) -> None:
    document = welcome(entry={"event": "cart.left", "api": True, "key": "cart_id"})
    document["steps"][1]["branches"][0]["key"] = "any"
    journey = partners.stage.publish(document).journey
    customer = partners.know(partners.shop)
    person = {"customer": customer, "journey": str(journey.pk)}
    for n in range(4):
        partners.shop.post("runs", person | {"properties": {"cart_id": f"c-{n}"}})
    # The token, its counter, the customer and their profiles; then the list itself, and what it shows of it.
    for path, query, queries in (
        ("runs", {"customer": customer}, 5),
        ("messages", {"customer": customer}, 5),
        ("refused-entries", {"customer": customer}, 5),
        (f"customers/{customer}/timeline", {}, 6),
    ):
        for limit in (1, 4):
            with django_assert_num_queries(queries):
                assert partners.shop.get(path, limit=limit, **query).status_code == 200
