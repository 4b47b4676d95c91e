"""The whole way of a marketer's first day: written by the form, sent by the engine, explained on the message's page."""

from datetime import datetime, timedelta
from typing import Any

import requests
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from channels.dispatch import dispatch_all
from channels.models import Message
from customers import clock
from customers.models import Source
from customers.tokens import issue
from journeys.engine.drain import drain
from journeys.models import Journey, Run
from tests.browser.authoring import AuthorForm, make_shop, write_abandoned_cart
from tests.browser.conftest import OpenAs

CART = {"cart_id": "c-17", "total": 5900}


def token_of(source: Source, now: datetime) -> str:
    _token, plaintext = issue(
        brand_id=source.brand_id, sources=[source], name="shop", scopes=["events:write"],
        expires_at=now + timedelta(days=1), now=now,
    )  # fmt: skip
    return plaintext


def tell(url: str, token: str, *events: dict[str, Any]) -> dict[str, Any]:
    """Send the events as a partner's program would."""
    answer = requests.post(
        f"{url}/api/v1/events/batch",
        json={"events": list(events)},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def publish_by_the_form(open_as: OpenAs, root: User) -> tuple[Page, Source]:
    """The abandoned-cart journey, from nothing to live; the page it was done on, and the shop that tells of carts."""
    brand = make_shop()
    source = Source.objects.create(brand=brand, key="shop", name="Shop")
    journey = Journey.objects.create(brand=brand, key="cart", name="Abandoned cart")
    page = open_as(root, reverse("admin:journeys_journey_author", args=[journey.pk]))
    write_abandoned_cart(AuthorForm(page))
    page.get_by_role("button", name="Save and publish").click()
    page.get_by_role("button", name="Publish the journey").click()
    expect(page.get_by_text("Abandoned cart v1 is live.")).to_be_visible()
    return page, source


def pass_to(moment: datetime) -> None:
    assert drain(lambda: moment)
    dispatch_all(moment)


def test_a_journey_is_written_published_walked_and_each_message_explains_itself(
    open_as: OpenAs, root: User, live_server: Any
) -> None:
    page, source = publish_by_the_form(open_as, root)

    ana = {"identifiers": {"user_id": "ana"}}
    told = tell(
        live_server.url,
        token_of(source, clock.utcnow()),
        {"type": "identify", **ana, "traits": {"first_name": "Ana", "phone": "+5511987654321"},
         "context": {"device": {"token": "device-of-ana"}}},
        {"name": "consent.granted", **ana, "properties": {"purpose": "news"}},
        {"name": "cart.abandoned", **ana, "properties": CART},
    )  # fmt: skip
    assert told == {"accepted": 3, "duplicates": 0, "rejected": []}
    pass_to(clock.utcnow())
    assert Message.objects.count() == 0
    pass_to(clock.utcnow() + timedelta(minutes=30))
    pushed = Message.objects.get()
    assert (pushed.channel, pushed.state) == ("push", "sent")

    page.goto(reverse("admin:channels_message_change", args=[pushed.pk]))
    main = page.get_by_role("main")
    for told_by_the_page in ("cart.abandoned", "Abandoned cart", "remind-by-push", "Your cart c-17 is waiting."):
        expect(main.get_by_text(told_by_the_page).first).to_be_visible()

    pass_to(clock.utcnow() + timedelta(hours=25))
    reminded = Message.objects.exclude(pk=pushed.pk).get()
    assert (reminded.channel, reminded.state) == ("whatsapp", "sent")
    assert Run.objects.get().status == Run.Status.COMPLETED


def test_who_buys_in_time_gets_no_second_reminder(open_as: OpenAs, root: User, live_server: Any) -> None:
    page, source = publish_by_the_form(open_as, root)
    token = token_of(source, clock.utcnow())
    bia = {"identifiers": {"user_id": "bia"}}
    tell(
        live_server.url, token,
        {"type": "identify", **bia, "traits": {"phone": "+5511987654322"},
         "context": {"device": {"token": "device-of-bia"}}},
        {"name": "consent.granted", **bia, "properties": {"purpose": "news"}},
        {"name": "cart.abandoned", **bia, "properties": CART},
    )  # fmt: skip
    pass_to(clock.utcnow())
    pass_to(clock.utcnow() + timedelta(minutes=30))
    tell(live_server.url, token, {"name": "order.completed", **bia, "properties": CART})
    pass_to(clock.utcnow() + timedelta(hours=25))
    assert [message.channel for message in Message.objects.all()] == ["push"]
    page.goto(reverse("admin:journeys_run_change", args=[Run.objects.get().pk]))
    expect(page.get_by_role("main").get_by_text("order.completed").first).to_be_visible()
