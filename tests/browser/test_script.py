"""trilha.js in a real browser, on pages of another origin: everything arrives, once, and nothing that may not."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from customers import browser, keys
from customers.models import InboxItem, QuarantinedEvent, Source, WriteKey
from tests.browser.authoring import make_shop
from tests.browser.shop import Shop, opened

BATCH = "**/v1/batch"
SECONDS = 10


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened() as shop:
        yield shop


@pytest.fixture
def source(transactional_db: None) -> Source:
    return Source.objects.create(brand=make_shop(), key="shop", name="Shop")


@pytest.fixture
def key(source: Source, shop: Shop) -> WriteKey:
    keys.forget()
    return keys.issue_browser(source, [shop.url])


class Visitor:
    """Somebody with a browser of their own, where nothing may go wrong that the page would notice."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.told: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.told.append(message.text))

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    context = chromium.new_context(locale="en")
    visitor = Visitor(context)
    yield visitor
    context.close()
    assert visitor.errors == []


@pytest.fixture
def tag(live_server: Any, key: WriteKey) -> Callable[..., str]:
    """The line that a page is given to copy; it counts no page by itself unless told to."""

    def line(page: str = 'data-page="off"', more: str = "") -> str:
        return f'<script async src="{live_server.url}/js/trilha.js" data-key="{key.public}" {page} {more}></script>'

    return line


def arrived(count: int) -> list[dict[str, Any]]:
    """The messages in the inbox in their order, once there are so many and then no more."""
    until = time.monotonic() + SECONDS
    while InboxItem.objects.count() < count and time.monotonic() < until:
        time.sleep(0.05)
    return [
        {"kind": item.kind, "name": item.name, "id": item.message_id, "who": dict(pairs(item)), **loaded(item.payload)}
        for item in InboxItem.objects.order_by("id")
    ]


def pairs(item: InboxItem) -> list[tuple[str, str]]:
    return [(one[0], one[1]) for one in loaded(item.identifiers)]


def loaded(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


def ready(visitor: Visitor) -> None:
    visitor.page.wait_for_function("window.trilha && trilha.version")


def storage(visitor: Visitor) -> dict[str, str]:
    kept: dict[str, str] = visitor.run("({...localStorage})")
    return kept


def test_what_a_visitor_does_arrives_once(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.page.goto(shop.page(tag(page="")) + "?utm_source=news&utm_campaign=june&email=ana@example.com#secret")
    ready(visitor)
    visitor.run(
        """() => {
            trilha.track("product.viewed", {sku: "IPE-1"});
            trilha.identify("u-1", {email: "ana@example.com"});
            trilha.group("club", {tier: "gold"});
            trilha.consent({purpose: "offers", granted: true, email: "ana@example.com", notice: "sign-up",
                            noticeVersion: 3, text: "Yes, write to me."});
            trilha.consent({purpose: "offers", granted: false});
        }"""
    )
    messages = arrived(6)
    assert [(one["kind"], one["name"]) for one in messages] == [
        ("page", "page"),
        ("track", "product.viewed"),
        ("identify", "identify"),
        ("group", "group"),
        ("track", "consent.granted"),
        ("track", "consent.withdrawn"),
    ]
    page, viewed, identified, grouped, granted, withdrawn = messages
    address = f"{shop.url}/"
    assert page["properties"] == {"url": address, "path": "/", "title": "Coffee", "referrer": ""}
    assert page["context"]["campaign"] == {"source": "news", "name": "june"}
    assert page["context"]["library"] == {"name": "trilha.js", "version": browser.newest().version}
    assert "userAgent" not in page["context"]
    assert viewed["properties"] == {"sku": "IPE-1"}
    assert list(viewed["who"]) == ["anonymous_id"]
    assert identified["traits"] == {"email": "ana@example.com"}
    assert identified["who"] == {"user_id": "u-1", "email": "ana@example.com", **viewed["who"]}
    assert grouped["group"] == "club"
    assert granted["who"] == {"user_id": "u-1", **viewed["who"]}
    assert granted["properties"] == {
        "purpose": "offers",
        "address": "ana@example.com",
        "notice": "sign-up",
        "notice_version": 3,
        "text": "Yes, write to me.",
        "language": "en",
        "url": address,
    }
    assert "Chrom" in granted["context"]["userAgent"]
    assert withdrawn["properties"]["purpose"] == "offers"
    # Nothing stays behind to be sent again, and nothing of what the address said went along.
    visitor.page.wait_for_function("!Object.keys(localStorage).some((key) => key.includes('.m.'))")
    assert "secret" not in str(messages)
    assert "email=" not in str(messages)
    assert QuarantinedEvent.objects.count() == 0
    visitor.page.reload()
    ready(visitor)
    assert [one["kind"] for one in arrived(7)] == [one["kind"] for one in messages] + ["page"]
    assert len({one["who"]["anonymous_id"] for one in arrived(7)}) == 1


def test_calls_made_before_the_script_is_there_are_made_up_for(
    visitor: Visitor, shop: Shop, tag: Callable[..., str]
) -> None:
    visitor.page.goto(shop.page("<script>trilha.track('first'); trilha.track('second')</script>" + tag()))
    assert [one["name"] for one in arrived(2)] == ["first", "second"]


def test_a_page_without_the_script_goes_on(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.context.route("**/js/trilha.js", lambda route: route.abort())
    visitor.page.goto(shop.page(tag()))
    visitor.run("trilha.track('first'), trilha.identify('u-1'), trilha.consent({})")
    assert InboxItem.objects.count() == 0


def test_what_could_not_be_sent_is_sent_by_the_next_page(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    # A browser that takes what it is handed and then dies.
    address = shop.page("<script>navigator.sendBeacon = () => true</script>" + tag())
    visitor.context.route(BATCH, lambda route: route.abort())
    visitor.page.goto(address)
    ready(visitor)
    visitor.run("trilha.track('first'), trilha.track('second')")
    visitor.page.reload()
    ready(visitor)
    visitor.run("trilha.track('third')")
    assert InboxItem.objects.count() == 0
    visitor.context.unroute(BATCH)
    visitor.page.reload()
    assert [one["name"] for one in arrived(3)] == ["first", "second", "third"]


def test_it_waits_for_the_line_to_come_back(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    visitor.context.set_offline(True)
    visitor.run("trilha.track('first')")
    visitor.page.wait_for_timeout(1500)
    assert InboxItem.objects.count() == 0
    visitor.context.set_offline(False)
    assert [one["name"] for one in arrived(1)] == ["first"]


def test_the_oldest_goes_when_too_much_waits_but_consent_stays(
    visitor: Visitor, shop: Shop, tag: Callable[..., str]
) -> None:
    visitor.context.route(BATCH, lambda route: route.abort())
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    visitor.run(
        "() => { trilha.consent({purpose: 'offers', granted: false});"
        " for (let n = 0; n < 1005; n += 1) trilha.track(`e${n}`); }"
    )
    waiting = [orjson.loads(text) for key, text in sorted(storage(visitor).items()) if ".m." in key]
    names = [message["event"] for message in waiting]
    assert (len(names), names[0], names[1], names[-1]) == (1000, "consent.withdrawn", "e6", "e1004")


def test_an_answer_that_is_lost_doubles_nothing(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    lost: list[int] = []

    def deliver(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    visitor.context.route(BATCH, deliver)
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    visitor.run("trilha.track('first')")
    visitor.page.wait_for_function("!Object.keys(localStorage).some((key) => key.includes('.m.'))")
    assert lost == [200]
    assert [one["name"] for one in arrived(1)] == ["first"]


def test_it_comes_again_when_the_door_has_said_and_not_before(
    visitor: Visitor, shop: Shop, tag: Callable[..., str]
) -> None:
    calls: list[float] = []

    def deliver(route: Route) -> None:
        calls.append(time.monotonic())
        if len(calls) > 1:
            route.continue_()
            return
        told = {"Retry-After": "3", "Access-Control-Allow-Origin": shop.url}
        route.fulfill(status=429, headers={**told, "Access-Control-Expose-Headers": "Retry-After"}, body="{}")

    visitor.context.route(BATCH, deliver)
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    visitor.run("trilha.track('first')")
    visitor.page.wait_for_function("!Object.keys(localStorage).some((key) => key.includes('.m.'))")
    assert len(calls) == 2
    assert calls[1] - calls[0] >= 2.9
    assert [one["name"] for one in arrived(1)] == ["first"]


def test_it_is_told_on_leaving_the_page(visitor: Visitor, shop: Shop, tag: Callable[..., str], key: WriteKey) -> None:
    start = f"<script>trilha.q.unshift(['load', ['{key.public}', {{flushAfter: 600000}}]])</script>"
    visitor.page.goto(shop.page(start + tag()))
    ready(visitor)
    visitor.run("trilha.track('last')")
    assert InboxItem.objects.count() == 0
    visitor.page.goto(f"{shop.url}/elsewhere")
    assert [one["name"] for one in arrived(1)] == ["last"]
    # Nobody said that it arrived, so the next page tells it again, and the door knows it.
    visitor.page.goto(shop.page(tag(), path="/later"))
    visitor.page.wait_for_function("!Object.keys(localStorage).some((key) => key.includes('.m.'))")
    assert [one["name"] for one in arrived(1)] == ["last"]


def test_a_page_of_another_origin_is_refused_once_and_told_why(
    visitor: Visitor, shop: Shop, tag: Callable[..., str], key: WriteKey
) -> None:
    WriteKey.objects.update(origins=["https://elsewhere.example"])
    calls = []
    visitor.page.on("response", lambda answer: calls.append(answer.status) if "/v1/" in answer.url else None)
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    visitor.run("trilha.track('first')")
    visitor.page.wait_for_event("console", lambda message: "origin_not_allowed" in message.text)
    visitor.run("trilha.track('second')")
    visitor.page.wait_for_timeout(1500)
    assert (calls, InboxItem.objects.count()) == ([403], 0)


def test_nothing_is_kept_or_sent_before_permission(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.page.goto(shop.page(tag(more="data-wait-for-consent data-cookie-domain")))
    ready(visitor)
    visitor.run("trilha.track('first'), trilha.identify('u-1')")
    visitor.page.wait_for_timeout(1500)
    assert (storage(visitor), visitor.context.cookies(), InboxItem.objects.count()) == ({}, [], 0)
    visitor.run("trilha.optIn()")
    assert [one["name"] for one in arrived(2)] == ["first", "identify"]
    anonymous = visitor.run("trilha.anonymousId()")
    assert [cookie["value"] for cookie in visitor.context.cookies()] == [anonymous]
    visitor.page.reload()
    ready(visitor)
    visitor.run("trilha.track('third')")
    assert arrived(3)[2]["who"] == {"user_id": "u-1", "anonymous_id": anonymous}


def test_who_opts_out_leaves_no_trace_but_their_withdrawal(
    visitor: Visitor, shop: Shop, tag: Callable[..., str]
) -> None:
    visitor.page.goto(shop.page(tag(more="data-cookie-domain")))
    ready(visitor)
    visitor.run(
        "trilha.identify('u-1'), trilha.track('first'),"
        " trilha.consent({purpose: 'offers', granted: false}), trilha.optOut(), trilha.track('second')"
    )
    assert [(one["name"], one["who"]["user_id"]) for one in arrived(1)] == [("consent.withdrawn", "u-1")]
    assert ([key.split(".")[-1] for key in storage(visitor)], visitor.context.cookies()) == (["choice"], [])
    visitor.page.reload()
    ready(visitor)
    visitor.run("trilha.track('third')")
    visitor.page.wait_for_timeout(1500)
    assert InboxItem.objects.count() == 1


def test_memory_does_where_storage_is_forbidden(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    forbid = "<script>Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})</script>"
    visitor.page.goto(shop.page(forbid + tag()))
    ready(visitor)
    visitor.run("trilha.identify('u-1'), trilha.track('first')")
    assert [one["who"].get("user_id") for one in arrived(2)] == ["u-1", "u-1"]


def test_after_reset_somebody_else_is_there(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    visitor.run("trilha.identify('u-1'), trilha.track('first'), trilha.reset(), trilha.track('second')")
    _identified, first, second = arrived(3)
    assert "user_id" not in second["who"]
    assert first["who"]["anonymous_id"] != second["who"]["anonymous_id"]


def test_what_cannot_be_told_stops_nothing(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.page.goto(shop.page(tag()))
    ready(visitor)
    with visitor.page.expect_console_message(lambda message: "/batch/0/event" in message.text):
        visitor.run("() => { const one = {}; one.self = one; trilha.track('round', one); trilha.track('', {}); }")
        visitor.run("trilha.track('first')")
    assert [one["name"] for one in arrived(1)] == ["first"]
    assert any("circular" in line for line in visitor.told)


FORM = """
<form action="/thanks" method="post" data-trilha="customer.registered">
  <input type="hidden" name="csrf" value="t0ken">
  <input type="hidden" name="channel" value="web" data-trilha-property>
  <label>Name <input name="name" data-trilha-identify="first_name"></label>
  <label>Mail <input name="email" type="email" data-trilha-identify></label>
  <label>Password <input name="password" type="password"></label>
  <label>Card <input name="card" autocomplete="cc-number"></label>
  <label>Cups a day <input name="cups" type="number"></label>
  <label>Ground <input name="ground" type="checkbox"></label>
  <label>Note <input name="note" data-trilha-ignore></label>
  <label><input type="checkbox" name="offers" data-trilha-consent="offers" data-trilha-notice="sign-up"
         data-trilha-notice-version="1"> Yes, write to me
         about offers.</label>
  <button name="go">Join</button>
</form>
"""


def test_a_plain_form_is_told_before_it_goes_on(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    visitor.page.goto(shop.page(tag(), body=FORM))
    ready(visitor)
    for label, text in {
        "Name": "Ana", "Mail": "ana@example.com", "Password": "s3cret", "Card": "4111", "Cups a day": "3", "Note": "x",
    }.items():  # fmt: skip
        visitor.page.get_by_label(label).fill(text)
    visitor.page.get_by_label("Yes, write to me").check()
    visitor.page.get_by_role("button", name="Join").click()
    visitor.page.wait_for_url("**/thanks")
    identified, registered, granted = arrived(3)
    assert identified["traits"] == {"first_name": "Ana", "email": "ana@example.com"}
    assert (registered["name"], registered["properties"]) == (
        "customer.registered",
        {"channel": "web", "cups": 3, "ground": False},
    )
    assert granted["properties"] == {
        "purpose": "offers",
        "address": "ana@example.com",
        "notice": "sign-up",
        "notice_version": "1",
        "text": "Yes, write to me about offers.",
        "language": "en",
        "url": f"{shop.url}/",
    }
    ((_path, posted),) = shop.posted
    assert "name=Ana" in posted


def test_a_form_that_its_page_stops_is_told_by_the_page(visitor: Visitor, shop: Shop, tag: Callable[..., str]) -> None:
    stop = "<script>addEventListener('submit', (event) => event.preventDefault(), true)</script>"
    visitor.page.goto(shop.page(tag() + stop, body=FORM))
    ready(visitor)
    visitor.page.get_by_role("button", name="Join").click()
    visitor.page.wait_for_timeout(1500)
    assert InboxItem.objects.count() == 0
    visitor.run("trilha.form(document.querySelector('form'))")
    assert [one["name"] for one in arrived(1)] == ["customer.registered"]


def test_a_pinned_script_under_a_strict_policy_works(
    visitor: Visitor, shop: Shop, live_server: Any, key: WriteKey
) -> None:
    home = live_server.url
    policy = f"default-src 'none'; script-src {home}; connect-src {home}"
    script = browser.newest()
    line = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<script async src="{home}/js/trilha-{script.version}.js" integrity="{script.integrity}"'
        f' crossorigin="anonymous" data-key="{key.public}"></script>'
    )
    visitor.page.goto(shop.page(line, stub=False))
    assert [one["name"] for one in arrived(1)] == ["page"]
    assert visitor.told == []
