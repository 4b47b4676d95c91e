"""A newcomer in the demo: what they do in the shop arrives as their own events, under the policy of the page."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from channels.dispatch import dispatch_all
from config.demo import company, staff
from config.demo.brands import BRANDS
from customers import clock, keys
from customers.models import InboxItem, QuarantinedEvent
from journeys.engine.drain import work_through
from tests.browser.conftest import DESKTOP, PHONE, OpenAs


@pytest.mark.usefixtures("transactional_db")
def test_what_a_newcomer_does_in_the_shop_arrives(open_as: OpenAs, settings: Any, live_server: Any) -> None:
    settings.TRILHA_DEMO = True
    keys.forget()
    staff.browser_keys(company.found(clock.utcnow()), live_server.url, clock.utcnow())
    page = open_as(None, f"/demo/{BRANDS[1].key}/")
    page.get_by_role("button", name="Look at it").first.click()
    page.get_by_role("button", name="Into the cart").first.click()
    page.get_by_role("button", name="Buy what is in the cart").click()
    page.get_by_label("First name").fill("Ana")
    page.get_by_role("textbox", name="E-mail").fill("ana@example.com")
    page.get_by_label("I would like news and offers").check()
    page.get_by_role("button", name="Sign up").click()
    # The page's own policy forbids asking it again and again by a text.
    for _patience in range(100):
        if not page.evaluate("() => Object.keys(localStorage).some((key) => key.includes('.m.'))"):
            break
        page.wait_for_timeout(100)
    names = list(InboxItem.objects.order_by("id").values_list("name", flat=True))
    bought = ["product.viewed", "cart.created", "order.completed"]
    assert names == ["page", *bought, "identify", "customer.registered", "consent.granted"]
    assert QuarantinedEvent.objects.count() == 0
    expect(page.locator("#told li")).to_have_count(4)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.evaluate(AXE_SCRIPT)
        assert page.evaluate("() => axe.run(document).then((found) => found.violations)") == []


@pytest.mark.usefixtures("transactional_db")
def test_who_orders_finds_it_in_their_inbox_and_at_the_top_of_the_page(
    open_as: OpenAs, settings: Any, live_server: Any
) -> None:
    settings.TRILHA_DEMO = True
    keys.forget()
    there = company.found(clock.utcnow())
    staff.browser_keys(there, live_server.url, clock.utcnow())
    company.go_live_today(there, clock.utcnow())
    page = open_as(None, f"/demo/{BRANDS[1].key}/")
    top = page.locator("[data-trilha-slot]")
    expect(top).to_contain_text("Roasted this week")
    page.get_by_role("button", name="Into the cart").first.click()

    page.get_by_role("button", name="Buy what is in the cart").click()

    for _patience in range(100):
        if InboxItem.objects.filter(name="order.completed").exists():
            break
        page.wait_for_timeout(100)
    while work_through(clock.utcnow, {}):
        pass
    dispatch_all(clock.utcnow())
    expect(top).to_contain_text("next in the roaster", timeout=12_000)
    page.get_by_role("button", name="Inbox: 1 unread message").click(timeout=12_000)
    panel = page.get_by_role("dialog")
    panel.get_by_role("button", name="We have your order").first.click()
    expect(panel).to_contain_text("We roast on Tuesdays and Thursdays")
    # In the shop's own colours, over what is behind it.
    assert panel.evaluate("panel => getComputedStyle(panel).backgroundColor") not in ("rgba(0, 0, 0, 0)", "transparent")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.evaluate(AXE_SCRIPT)
        assert page.evaluate("() => axe.run(document).then((found) => found.violations)") == []
