"""A push on its whole way: a page of a shop subscribes, our encrypted call goes to a push service, which decrypts it,
and what it says is shown by our service worker in Chromium.

No push service outside can be reached: the browser's own subscription is stood in for by keys that the test made, and
the plain words reach the worker by DevTools, as they would from a push service.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django import Settings

from channels.dispatch import dispatch_due
from channels.models import Connector, Message, PushSubscription, Template, TemplateText, TemplateVersion
from consent.models import ConsentHead, Purpose
from consent.stage import apply_queued
from customers import browser, clock, keys
from customers.ids import new_id
from customers.models import Address, AddressProfile, Brand, Customer, Source, WriteKey
from customers.resolve import resolve_inbox
from tests.browser.authoring import make_shop
from tests.browser.conftest import OpenAs
from tests.browser.shop import Shop, opened
from tests.channels.providers.push_server import PushServer, Subscribed
from tests.channels.providers.telling import work_off
from tests.channels.push import give_keys
from tests.channels.web_server import OtherSystem, other_system
from tests.channels.world import Person, World
from tests.consent import people

# In place of a browser's own push service.
STAND_IN = """
    const made = %(made)s;
    const asked = [];
    let is_there = %(there)s;
    const subscription = {
        endpoint: made.endpoint,
        toJSON: () => made,
        unsubscribe: async () => { is_there = false; window.unsubscribed = true; return true; },
    };
    PushManager.prototype.getSubscription = async () => (is_there ? subscription : null);
    PushManager.prototype.subscribe = async (options) => {
        asked.push({visible: options.userVisibleOnly, key: [...options.applicationServerKey]});
        is_there = true;
        return subscription;
    };
    window.asked = asked;
"""
SUBSCRIBE = """() => trilha.push.subscribe(
    {purpose: "news", notice: "push", noticeVersion: 1, text: "Yes, show me news here."})"""
SHOWN = """() => navigator.serviceWorker.ready.then((one) => one.getNotifications()).then((all) => all.map((one) => (
    {title: one.title, body: one.body, tag: one.tag, icon: one.icon, lang: one.lang, data: one.data})))"""


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened() as shop:
        yield shop


@pytest.fixture
def system(settings: Settings) -> Iterator[OtherSystem]:
    with other_system() as system:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
        yield system


@pytest.fixture
def brand(transactional_db: None) -> Brand:
    brand = make_shop()
    people.make_notice(brand, "push")
    return brand


@pytest.fixture
def world(brand: Brand) -> World:
    connector = Connector.objects.create(
        brand=brand, key="web-push", name="Web Push", channel="push", provider="webpush"
    )
    give_keys(connector, services="127.0.0.1")
    template = Template.objects.create(brand=brand, key="tap", name="Tap", channel="push")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(
        version=version, locale="en", subject="Your cart, {{ customer.first_name }}", text="Two left – só hoje ☕",
        options={"link": "/cart?from=push", "topic": "cart"},
    )  # fmt: skip
    return World(brand, Purpose.objects.get(key="news"), connector, version, new_id())


@pytest.fixture
def service(world: World, system: OtherSystem) -> PushServer:
    return PushServer(system, world.connector.config["public_key"])


@pytest.fixture
def key(brand: Brand, shop: Shop) -> WriteKey:
    keys.forget()
    return keys.issue_browser(Source.objects.create(brand=brand, key="shop", name="Shop"), [shop.url])


@pytest.fixture
def context(chromium: Browser, shop: Shop) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en")
    context.grant_permissions(["notifications"], origin=shop.url)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, shop: Shop, key: WriteKey, world: World, live_server: Any) -> Iterator[Page]:
    """A page with the lines that the documents and the connector's page give, and the worker of the site."""
    home, public = live_server.url, world.connector.config["public_key"]
    shop.pages["/trilha-sw.js"] = f'importScripts("{home}/js/trilha-sw.js");'
    lines = (
        f'<script async src="{home}/js/trilha.js" data-key="{key.public}" data-page="off"></script>'
        f'<script async src="{home}/js/trilha-push.js" data-key="{key.public}" data-public-key="{public}"></script>'
    )
    shop.page(lines)
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []


def visit(page: Page, shop: Shop, made: Subscribed, *, there: bool = False) -> None:
    script = STAND_IN % {"made": json.dumps(made.as_json()), "there": str(there).lower()}
    page.add_init_script(f"(() => {{{script}}})()")
    page.goto(shop.url + "/")
    page.wait_for_function("window.trilha && trilha.version && trilha.push")


def work() -> None:
    resolve_inbox(clock.utcnow())
    while apply_queued(clock.utcnow()):
        pass


def push_to_her(world: World) -> Message:
    """Queue a message for whoever subscribed and send it."""
    known = AddressProfile.objects.get(address__channel="push")
    Customer.objects.update(traits={"first_name": "Ana"})
    person = Person(known.profile.customer, known.profile, known.address)
    now = clock.utcnow()
    when = {"created_at": now, "due_at": now, "expires_at": now + timedelta(hours=1)}
    message = world.queue(person, channel="push", **when)
    dispatch_due(world.connector.pk, clock.utcnow())
    return Message.objects.get(pk=message)


def deliver(page: Page, shop: Shop, plain: bytes) -> None:
    """As the browser does once it has decrypted what its push service kept for it."""
    tools = page.context.new_cdp_session(page)
    found: list[str] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(one["registrationId"] for one in told["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    for _wait in range(100):
        if found:
            break
        page.wait_for_timeout(50)
    tools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": shop.url, "registrationId": found[0], "data": plain.decode()},
    )


def shown(page: Page, count: int) -> list[dict[str, Any]]:
    for _wait in range(100):
        found: list[dict[str, Any]] = page.evaluate(SHOWN)
        if len(found) >= count:
            return found
        page.wait_for_timeout(50)
    return found


def test_a_push_is_subscribed_sent_decrypted_and_shown(
    page: Page, shop: Shop, world: World, service: PushServer, live_server: Any, settings: Any
) -> None:
    settings.TRILHA_PUBLIC_URL = live_server.url
    made = service.subscribe()
    visit(page, shop, made)
    assert page.evaluate("() => trilha.push.state()") == "possible"

    assert page.evaluate(SUBSCRIBE) == {"state": "subscribed", "endpoint": made.endpoint}
    [asked] = page.evaluate("() => window.asked")
    assert asked["visible"] is True
    assert len(asked["key"]) == 65
    assert page.evaluate("() => trilha.push.state()") == "subscribed"
    work()
    head = ConsentHead.objects.get()
    assert (head.state, head.address.value) == ("given", made.endpoint)

    message = push_to_her(world)

    assert (message.state, message.reason) == ("sent", "")
    [pushed] = service.pushed
    deliver(page, shop, pushed.plain)
    [notification] = shown(page, 1)
    assert notification["data"].pop("tell").endswith(f"?message={message.pk}")
    assert notification["data"].pop("token") == json.loads(pushed.plain)["token"]
    # The worker tells that it was shown.
    for _wait in range(100):
        work_off(clock.utcnow() + timedelta(minutes=1))
        message.refresh_from_db()
        if message.state != "sent":
            break
        page.wait_for_timeout(50)
    assert message.state == "delivered"
    assert notification == {
        "title": "Your cart, Ana",
        "body": "Two left – só hoje ☕",
        "tag": "cart",
        "icon": "",
        "lang": "en",
        "data": {"trilha": 1, "link": f"{shop.url}/cart?from=push", "message": str(message.pk)},
    }
    # A newer one of the topic takes its place.
    second = json.loads(pushed.plain) | {"title": "Still there"}
    deliver(page, shop, json.dumps(second).encode())
    page.wait_for_timeout(300)
    assert [one["title"] for one in shown(page, 1)] == ["Still there"]


def test_a_tap_opens_pages_and_nothing_else(page: Page, shop: Shop, service: PushServer) -> None:
    visit(page, shop, service.subscribe())
    with page.context.expect_event("serviceworker") as started:
        page.evaluate(SUBSCRIBE)
    worker = started.value
    worker.evaluate("() => { self.clients.openWindow = async (link) => { self.led = [...(self.led || []), link]; }; }")
    links = ("/cart", "https://other.example/x", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd")
    for number, link in enumerate(links):
        said = {"trilha": 1, "title": f"No. {number}", "link": link, "tag": str(number)}
        deliver(page, shop, json.dumps(said).encode())
    for odd in (b"not json", b"{}", b'{"title": "Somebody else"}', b'{"trilha": 1, "title": 5}'):
        deliver(page, shop, odd)
    assert len(shown(page, 5)) == 5

    worker.evaluate(
        """async () => {
            for (const notification of await self.registration.getNotifications())
                self.dispatchEvent(new NotificationEvent("notificationclick", {notification}));
        }"""
    )
    page.wait_for_timeout(300)

    assert sorted(worker.evaluate("() => self.led")) == [f"{shop.url}/cart", "https://other.example/x"]
    assert page.evaluate(SHOWN) == []


def test_a_browser_that_changes_its_subscription_is_reached_all_the_same(
    page: Page, shop: Shop, world: World, service: PushServer
) -> None:
    old, fresh = service.subscribe(), service.subscribe()
    visit(page, shop, old)
    with page.context.expect_event("serviceworker") as started:
        page.evaluate(SUBSCRIBE)
    work()
    started.value.evaluate(
        """([old, fresh]) => {
            const event = new ExtendableEvent("pushsubscriptionchange");
            event.oldSubscription = {endpoint: old.endpoint, options: {}, toJSON: () => old};
            event.newSubscription = {endpoint: fresh.endpoint, toJSON: () => fresh};
            self.dispatchEvent(event);
        }""",
        [old.as_json(), fresh.as_json()],
    )
    for _wait in range(100):
        if Address.objects.get(channel="push").value == fresh.endpoint:
            break
        page.wait_for_timeout(50)

    assert push_to_her(world).state == "sent"
    assert [one.path for one in service.pushed] == [fresh.endpoint.removeprefix(service.system.url)]


def test_a_page_tells_of_a_change_that_the_worker_missed(
    page: Page, context: BrowserContext, shop: Shop, service: PushServer
) -> None:
    old, fresh = service.subscribe(), service.subscribe()
    visit(page, shop, old)
    page.evaluate(SUBSCRIBE)
    before = Address.objects.get(channel="push").pk
    visit(page, shop, fresh, there=True)
    for _wait in range(100):
        if Address.objects.get(channel="push").value == fresh.endpoint:
            break
        page.wait_for_timeout(50)
    assert Address.objects.get(channel="push").pk == before
    assert PushSubscription.objects.count() == 1


def test_what_an_older_script_kept_is_told_of_anew(
    page: Page, context: BrowserContext, shop: Shop, service: PushServer
) -> None:
    old, fresh = service.subscribe(), service.subscribe()
    visit(page, shop, old)
    page.evaluate(SUBSCRIBE)
    page.evaluate(
        """() => { for (const name of Object.keys(localStorage))
            if (name.endsWith(".push")) localStorage[name] = JSON.parse(localStorage[name]).endpoint; }"""
    )
    visit(page, shop, fresh, there=True)
    for _wait in range(100):
        if PushSubscription.objects.count() == 2:
            break
        page.wait_for_timeout(50)
    work()

    profiles = AddressProfile.objects.filter(address__channel="push").values_list("profile_id", "address__value")
    assert {value for _profile, value in profiles} == {old.endpoint, fresh.endpoint}
    assert len({profile for profile, _value in profiles}) == 1


def test_who_unsubscribes_on_the_page_has_withdrawn(page: Page, shop: Shop, world: World, service: PushServer) -> None:
    visit(page, shop, service.subscribe())
    page.evaluate(SUBSCRIBE)
    work()

    assert page.evaluate('() => trilha.push.unsubscribe({purpose: "news"})') == {"state": "possible"}
    work()

    assert page.evaluate(
        "() => [window.unsubscribed, ...Object.keys(localStorage).filter((one) => one.endsWith('.push'))]"
    ) == [True]
    assert PushSubscription.objects.count() == 0
    assert ConsentHead.objects.get().state == "withdrawn"


def test_a_refusal_is_told_to_the_page_and_stops_nothing(
    page: Page, shop: Shop, world: World, service: PushServer
) -> None:
    Connector.objects.update(is_active=False)
    visit(page, shop, service.subscribe())
    assert page.evaluate(SUBSCRIBE) == {"state": "failed", "reason": "unknown_public_key"}
    assert PushSubscription.objects.count() == 0
    assert Address.objects.filter(channel="push").count() == 0


def test_where_notifications_are_forbidden_nothing_is_asked_and_nothing_told(
    page: Page, context: BrowserContext, shop: Shop, service: PushServer
) -> None:
    context.clear_permissions()
    visit(page, shop, service.subscribe())
    state = page.evaluate(SUBSCRIBE)
    assert state == {"state": "denied"}
    assert page.evaluate("() => window.asked") == []
    assert PushSubscription.objects.count() == 0


@pytest.mark.parametrize("language", ["en", "pt-br"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_the_connector_has_the_lines_to_copy_and_fits(
    open_as: OpenAs, root: User, world: World, language: str, width: int
) -> None:
    page = open_as(root, viewport={"width": width, "height": 900}, locale=language)
    page.goto(reverse("admin:channels_connector_change", args=[world.connector.pk]))
    lines = page.locator("[data-carried] code")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_have_text(world.connector.config["public_key"])
    expect(lines.nth(2)).to_contain_text("/js/trilha-sw.js")
    expect(page.locator("[name=webpush__secret__private_key]")).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["trilha-push", "trilha-sw"])
def test_each_part_says_which_it_is(name: str) -> None:
    script = browser.newest(name)
    assert f"{name}.js {script.version}:" in script.text.decode().partition("\n")[0]
