"""The inbox and the slots in a real browser, on pages of another origin under a strict content policy."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from channels.models import InAppItem, Receipt, WebPlacement
from customers import clock, keys
from customers.models import Profile
from tests.browser import shop as pages
from tests.browser.conftest import DESKTOP, PHONE
from tests.channels.onscreen.stage import SCRIPT, Shop, make_shop

SECONDS: Final = 10
_AXE: Final = "() => axe.run(document).then(found => found.violations.map(one => one.id))"
PLACE: Final = '<main><h1>Shop</h1><div data-trilha-inbox></div><p><a href="#x">Elsewhere</a></p></main>'


@pytest.fixture
def site() -> Iterator[pages.Shop]:
    with pages.opened() as site:
        yield site


@pytest.fixture
def shop(transactional_db: None, site: pages.Shop) -> Shop:
    keys.forget()
    return make_shop(origins=[site.url], now=clock.utcnow() - timedelta(minutes=1))


@pytest.fixture
def ana(shop: Shop) -> Profile:
    profile = shop.profile(shop.customer(), "user_id", "u-17")
    shop.grant(profile)
    return profile


class Visit:
    """A page of the shop: nothing on it may raise, break its policy, or be called outside."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.extend([message.text] if "Policy" in message.text else []))

    @property
    def bell(self) -> Locator:
        return self.page.get_by_role("button", name="Inbox", exact=False).first

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")


Open = Callable[..., Visit]


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, shop: Shop, site: pages.Shop) -> Iterator[Open]:
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_(
        part: str, body: str, *, start: str = "", lang: str = "en", more: str = "", wait: bool = False, **context: Any
    ) -> Visit:
        contexts.append(chromium.new_context(**{"viewport": DESKTOP, "locale": lang, **context}))
        visit = Visit(contexts[-1])
        visits.append(visit)
        digest = b64encode(sha256(start.encode()).digest()).decode()
        policy = f"default-src 'none'; script-src {live_server.url} 'sha256-{digest}'; connect-src {live_server.url}"
        held = "data-wait-for-consent" if wait else ""
        head = (
            f'<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy"'
            f' content="{policy}"><script>{start}</script>'
            f'<script async src="{live_server.url}/js/trilha-{part}.js"></script>'
            f'<script async src="{live_server.url}/js/trilha.js" data-key="{shop.key.public}" data-page="off" {held}>'
            "</script>"
        )
        address = site.page(head + more, body=body)
        site.pages["/"] = site.pages["/"].replace('lang="en"', f'lang="{lang}"')
        visit.page.goto(address)
        return visit

    yield open_
    for context in contexts:
        context.close()
    assert [fault for visit in visits for fault in visit.faults] == []


def signed_in(shop: Shop, user: str = "u-17", **claims: Any) -> str:
    ends = int((clock.utcnow() + timedelta(hours=1)).timestamp())
    return f"trilha.prove({shop.token(user, **{'exp': ends, **claims})!r})"


def told(count: int) -> list[str]:
    """What receipts say, once there are so many."""
    until = time.monotonic() + SECONDS
    while Receipt.objects.count() < count and time.monotonic() < until:
        time.sleep(0.05)
    return sorted(Receipt.objects.values_list("happened", flat=True))


def test_the_inbox_is_read_by_keyboard_alone(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.say("in_app", subject="First", options={})
    shop.send(ana.customer)
    shop.say("in_app", subject=SCRIPT, text="<img src=x onerror=alert(1)>")
    shop.send(ana.customer)
    visit = open_page("inbox", PLACE, start=signed_in(shop))
    keyboard, page = visit.page.keyboard, visit.page
    expect(visit.bell).to_have_accessible_name("Inbox: 2 unread messages")
    expect(visit.bell).to_have_attribute("aria-expanded", "false")

    keyboard.press("Tab")
    expect(visit.bell).to_be_focused()
    keyboard.press("Enter")

    expect(visit.panel).to_be_focused()
    expect(visit.panel).to_have_accessible_name("Inbox")
    items = visit.panel.get_by_role("list").get_by_role("listitem")
    expect(items).to_have_count(2)
    # What was written is shown as it was written.
    expect(items.first).to_contain_text(SCRIPT)
    assert told(2) == ["delivered", "delivered"]
    keyboard.press("Tab")
    keyboard.press("Tab")
    title = items.first.get_by_role("button").first
    expect(title).to_be_focused()
    keyboard.press("Space")
    expect(title).to_have_attribute("aria-expanded", "true")
    expect(items.first).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img").count() == 0
    expect(visit.bell).to_have_accessible_name("Inbox: 1 unread message")
    assert told(3) == ["delivered", "delivered", "opened"]

    keyboard.press("Escape")

    expect(visit.panel).to_be_hidden()
    expect(visit.bell).to_be_focused()
    assert [one.read_at is not None for one in InAppItem.objects.order_by("pk")] == [False, True]


def test_an_item_is_followed_and_another_removed(shop: Shop, ana: Profile, site: pages.Shop, open_page: Open) -> None:
    for n in range(2):
        shop.say("in_app", subject=f"Item {n}", options={"link": f"/cart-{n}", "button": "To the cart"})
        shop.send(ana.customer)
    visit = open_page("inbox", PLACE, start=signed_in(shop))
    visit.bell.click()
    items = visit.panel.get_by_role("listitem")
    items.first.get_by_role("button").first.click()
    items.first.get_by_role("button", name="Remove: Item 1").click()
    expect(items).to_have_count(1)
    # Whoever removes one stands at the next.
    expect(items.first.get_by_role("button").first).to_be_focused()
    items.first.get_by_role("button").first.click()
    link = visit.panel.get_by_role("link", name="To the cart")
    assert link.get_attribute("href") == f"{site.url}/cart-0"

    link.click()

    visit.page.wait_for_url("**/cart-0")
    assert told(5) == ["clicked", "delivered", "delivered", "opened", "opened"]
    first, second = InAppItem.objects.order_by("pk")
    assert (first.clicked_at is not None, second.dismissed_at is not None) == (True, True)


def test_all_are_marked_and_more_are_fetched(shop: Shop, ana: Profile, open_page: Open) -> None:
    for n in range(23):
        shop.say("in_app", subject=f"Item {n}")
        shop.send(ana.customer)
    visit = open_page("inbox", PLACE, start=signed_in(shop))
    visit.bell.click()
    items = visit.panel.get_by_role("listitem")
    expect(items).to_have_count(20)

    visit.panel.get_by_role("button", name="Show more").click()

    expect(items).to_have_count(23)
    expect(items.nth(20).get_by_role("button").first).to_be_focused()
    expect(visit.panel.get_by_role("button", name="Show more")).to_be_hidden()
    visit.panel.get_by_role("button", name="Mark all as read").click()
    expect(visit.bell).to_have_accessible_name("Inbox")
    expect(visit.panel).to_be_focused()


def test_what_was_fetched_stays_when_it_looks_again(shop: Shop, ana: Profile, open_page: Open) -> None:
    for n in range(73):
        shop.say("in_app", subject=f"Item {n}")
        shop.send(ana.customer)
    visit = open_page("inbox", PLACE, start=signed_in(shop))
    visit.bell.click()
    items, more = visit.panel.get_by_role("listitem"), visit.panel.get_by_role("button", name="Show more")
    expect(items).to_have_count(20)
    pages: list[str] = []
    visit.page.on("request", lambda one: pages.append(one.url) if '"cursor"' in (one.post_data or "") else None)
    # Twice before there is an answer.
    more.evaluate("button => { button.click(); button.click(); }")
    expect(items).to_have_count(40)
    assert len(pages) == 1
    for count, asked in ((40, 40), (60, 50)):
        expect(items).to_have_count(count)
        with visit.page.expect_request(lambda one: f'"limit":{asked}' in (one.post_data or "")) as looked:  # noqa: B023
            visit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        looked.value.response()
        visit.page.wait_for_timeout(200)
        expect(items).to_have_count(count)
        more.click()
    expect(items).to_have_count(73)
    expect(more).to_be_hidden()


@pytest.mark.parametrize(
    ("lang", "bell", "words"),
    [("en", "Inbox: 1 unread message", "Remove"), ("pt-BR", "Caixa de entrada: 1 mensagem não lida", "Remover")],
)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_every_screen_in_both_languages_and_axe_finds_nothing(
    shop: Shop, ana: Profile, open_page: Open, lang: str, bell: str, words: str, size: Any
) -> None:
    shop.say("in_app", subject="Long " * 40, text="x" * 300)
    shop.send(ana.customer)
    visit = open_page("inbox", PLACE, start=signed_in(shop), lang=lang, viewport=size)
    page = visit.page
    page.get_by_role("button", name=bell).click()
    visit.panel.get_by_role("listitem").get_by_role("button").first.click()
    expect(visit.panel.get_by_role("button", name=words, exact=False).last).to_be_visible()
    box = visit.panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        # By DevTools, whom the page's policy does not bind.
        page.evaluate(AXE_SCRIPT)
        assert page.evaluate(_AXE) == []


def test_after_log_out_nothing_of_who_was_there_is_on_the_screen(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer)
    visit = open_page("inbox", PLACE, start=signed_in(shop))
    visit.bell.click()
    expect(visit.panel.get_by_role("listitem")).to_have_count(1)

    visit.page.evaluate("trilha.reset()")

    expect(visit.panel.get_by_role("listitem")).to_have_count(0)
    expect(visit.panel).to_contain_text("There is nothing here.")
    expect(visit.bell).to_have_accessible_name("Inbox")


def test_a_token_that_ended_is_fetched_anew_once(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer)
    past = int(clock.utcnow().timestamp()) - 100
    tokens = [shop.token("u-17", exp=past), shop.token("u-17", exp=past + 1_000)]
    start = f"window.asked = 0; trilha.prove(() => Promise.resolve({tokens!r}[window.asked++]))"
    visit = open_page("inbox", PLACE, start=start)
    expect(visit.bell).to_have_accessible_name("Inbox: 1 unread message")
    assert visit.page.evaluate("asked") == 2


def test_nobody_is_asked_about_before_they_agreed(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer)
    calls: list[str] = []
    visit = open_page("inbox", PLACE, start=signed_in(shop), wait=True)
    visit.page.on("request", lambda request: calls.append(request.url) if "/v1/" in request.url else None)
    expect(visit.bell).to_have_accessible_name("Inbox")
    visit.page.wait_for_timeout(500)
    assert calls == []

    visit.page.evaluate("trilha.optIn()")

    expect(visit.bell).to_have_accessible_name("Inbox: 1 unread message")


SLOT: Final = '<main><h1>Shop</h1><div data-trilha-slot="home-hero"><p>As printed</p></div></main>'


def test_a_slot_shows_what_is_there_for_its_visitor(
    shop: Shop, ana: Profile, open_page: Open, site: pages.Shop
) -> None:
    shop.say("web", subject=SCRIPT, text="<b>bold</b>", options={"slot": "home-hero", "link": "/cart", "button": "Go"})
    shop.send(ana.customer, "web")
    stranger = open_page("slots", SLOT)
    expect(stranger.page.locator("[data-trilha-slot]")).to_have_text("Fresh coffee See it", use_inner_text=True)
    visit = open_page("slots", SLOT, start=signed_in(shop))
    place = visit.page.locator("[data-trilha-slot]")

    expect(place).to_contain_text(SCRIPT)

    expect(place).to_contain_text("<b>bold</b>")
    expect(place.locator("b, script")).to_have_count(0)
    assert told(1) == ["opened"]
    visit.page.get_by_role("link", name="Go").click()
    visit.page.wait_for_url("**/cart")
    assert told(2) == ["clicked", "opened"]
    placement = WebPlacement.objects.get()
    assert None not in (placement.shown_at, placement.clicked_at)


def test_what_is_not_seen_is_not_counted_as_seen(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer, "web")
    far = "<p>.</p>" * 200
    visit = open_page("slots", far + SLOT, start=signed_in(shop))
    expect(visit.page.locator("[data-trilha-slot]")).to_contain_text("Still there.")
    visit.page.wait_for_timeout(300)
    assert not Receipt.objects.exists()

    visit.page.locator("[data-trilha-slot]").scroll_into_view_if_needed()

    assert told(1) == ["opened"]


class Held:
    """The first answer of those that come is kept back until it is released."""

    def __init__(self, page: Page) -> None:
        self.routes: list[Route] = []
        self.calls = 0
        page.route("**/v1/slots", self._hold)

    def _hold(self, route: Route) -> None:
        self.calls += 1
        if self.calls == 1:
            self.routes.append(route)
        else:
            route.continue_()


def test_a_late_answer_shows_nothing_of_who_was_there(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer, "web")
    visit = open_page("slots", SLOT, start=signed_in(shop))
    place, page = visit.page.locator("[data-trilha-slot]"), visit.page
    expect(place).to_contain_text("Still there.")
    held = Held(page)
    page.evaluate("trilha.fillSlots(); trilha.slot('home-hero', (one) => { window.drawn = one.title; }); 0")
    until = time.monotonic() + SECONDS
    while not held.routes and time.monotonic() < until:
        page.wait_for_timeout(20)

    page.evaluate("trilha.reset()")
    expect(place).to_have_text("Fresh coffee See it", use_inner_text=True)
    [late] = held.routes
    late.continue_()

    while page.evaluate("window.drawn === undefined") and time.monotonic() < until:
        page.wait_for_timeout(20)
    assert page.evaluate("window.drawn") == "Fresh coffee"
    expect(place).to_have_text("Fresh coffee See it", use_inner_text=True)


def test_log_out_takes_off_what_was_theirs_at_once(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer, "web")
    visit = open_page("slots", SLOT, start=signed_in(shop))
    place = visit.page.locator("[data-trilha-slot]")
    expect(place).to_contain_text("Still there.")
    held = Held(visit.page)

    visit.page.evaluate("trilha.reset()")

    expect(place).to_have_text("As printed")
    visit.page.wait_for_timeout(50)
    [late] = held.routes
    late.continue_()
    expect(place).to_have_text("Fresh coffee See it", use_inner_text=True)


def test_what_gave_way_before_it_was_seen_is_not_counted_as_seen(shop: Shop, ana: Profile, open_page: Open) -> None:
    first = shop.send(ana.customer, "web")
    visit = open_page("slots", "<p>.</p>" * 200 + SLOT, start=signed_in(shop))
    place = visit.page.locator("[data-trilha-slot]")
    expect(place).to_contain_text("Hello Ana")
    shop.say("web", subject="Newer")
    second = shop.send(ana.customer, "web", priority=90)
    visit.page.evaluate("trilha.fillSlots()")
    expect(place).to_contain_text("Newer")

    place.scroll_into_view_if_needed()

    assert told(1) == ["opened"]
    visit.page.wait_for_timeout(300)
    assert [Receipt.objects.filter(message_key=one).count() for one in (first, second)] == [0, 1]


def test_where_nothing_can_be_asked_the_page_stays_as_it_is(shop: Shop, open_page: Open) -> None:
    visit = open_page("slots", SLOT, wait=True)
    visit.page.wait_for_timeout(1_000)
    expect(visit.page.locator("[data-trilha-slot]")).to_have_text("As printed")


def test_a_page_may_draw_it_by_itself(shop: Shop, ana: Profile, open_page: Open) -> None:
    shop.send(ana.customer, "web")
    start = (
        f"{signed_in(shop)}; trilha.slot('home-hero', (one) => {{ window.drawn = one; one.shown(); }});"
        " trilha.slot('nowhere', (one) => { window.nothing = one; })"
    )
    visit = open_page("slots", "<main><h1>Shop</h1></main>", start=start)
    until = time.monotonic() + SECONDS
    # The page's policy forbids the browser to wait for it by a text.
    while not visit.page.evaluate("Boolean(window.drawn)") and time.monotonic() < until:
        visit.page.wait_for_timeout(50)
    drawn = visit.page.evaluate("({title: drawn.title, text: drawn.text, nothing: window.nothing})")
    assert drawn == {"title": "Hello Ana", "text": "Still there.", "nothing": None}
    assert told(1) == ["opened"]
