"""One person, two plain forms: one told by trilha.js, one by the server of a form service, and the person is one."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from customers import clock, keys
from customers.hooks import secrets
from customers.models import (
    Customer,
    Event,
    EventType,
    Hook,
    Identifier,
    Profile,
    QuarantinedEvent,
    ReceivedBody,
    Source,
)
from journeys.engine.drain import drain
from tests.browser.authoring import make_shop
from tests.browser.conftest import OpenAs
from tests.browser.shop import Shop, opened
from tests.browser.test_script import Visitor, arrived, ready
from tests.customers.hooked import SECRET, standard

NEWSLETTER = """
<form action="/thanks" method="post" data-trilha="customer.registered">
  <label>Name <input name="name" data-trilha-identify="first_name"></label>
  <label>Mail <input name="email" type="email" data-trilha-identify></label>
  <button>Join</button>
</form>
"""
# Of somebody else's making: it knows nothing of Trilha, and there is no script on its page.
QUOTE = """
<form action="/quote" method="post">
  <input type="hidden" name="submission" value="s-1">
  <label>E-mail <input name="email" type="email"></label>
  <label>Phone <input name="telefone" type="tel"></label>
  <label>Kilos <input name="kilos" type="number"></label>
  <button>Ask for a quote</button>
</form>
"""
SAMPLE = {"submission": "s-0", "email": "bia@example.com", "telefone": "+5511987650000", "kilos": "5"}
MAPPING = {
    "events": [
        {
            "key": "quote",
            "when": [{"path": "/submission", "present": True}],
            "name": {"constant": "quote.requested"},
            "id": "/submission",
            "identifiers": {"email": {"path": "/email", "steps": ["trim", "lower"]}, "phone": "/telefone"},
            "properties": {"kilos": {"path": "/kilos", "steps": ["number"]}},
        }
    ]
}


@pytest.fixture
def source(transactional_db: None) -> Source:
    brand = make_shop()
    for name in ("customer.registered", "quote.requested"):
        EventType.objects.create(brand=brand, name=name)
    return Source.objects.create(brand=brand, key="shop", name="Shop")


@pytest.fixture
def hook(source: Source, root: User, open_as: OpenAs) -> Hook:
    """The form service's webhook, its mapping written on its page beside a sample."""
    hook = Hook(source=source, name="Quotes")
    secrets.add(hook, SECRET)
    hook.save()
    page = open_as(root, reverse("admin:customers_hook_mapping", args=[hook.pk]))
    page.get_by_role("textbox", name="Sample").fill(json.dumps(SAMPLE))
    page.get_by_role("textbox", name="Mapping").fill(json.dumps(MAPPING))
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#mapping-preview").get_by_text("quote.requested").first).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The mapping holds for what comes from now on.")).to_be_visible()
    hook.refresh_from_db()
    assert hook.mapping == MAPPING
    return hook


@pytest.fixture
def shop(source: Source, live_server: Any) -> Iterator[Shop]:
    """A shop whose page has the two lines of trilha.js and a form."""
    with opened() as shop:
        keys.forget()
        key = keys.issue_browser(source, [shop.url])
        shop.page(
            f'<script async src="{live_server.url}/js/trilha.js" data-key="{key.public}" data-page="off"></script>',
            body=NEWSLETTER,
        )
        yield shop


@pytest.fixture
def service(hook: Hook, live_server: Any) -> Iterator[Shop]:
    """A form service: what its form sends it hands on as it came, signed, as a delivery of its own."""
    deliveries = count(1)
    with opened() as service:
        service.page("", body=QUOTE, stub=False)

        def hand_on(content_type: str, body: bytes) -> None:
            signed = standard(SECRET, f"delivery-{next(deliveries)}", clock.utcnow(), body)
            headers = {**signed, "Content-Type": content_type}
            requests.post(f"{live_server.url}/hooks/{hook.pk}", body, headers=headers, timeout=30).raise_for_status()

        service.on_form = hand_on
        yield service


@pytest.fixture
def visitor(chromium: Browser, shop: Shop) -> Iterator[Visitor]:
    context = chromium.new_context(locale="en")
    visitor = Visitor(context)
    yield visitor
    # What no answer came for is sent again by the shop's next page; a call still under way would be the next test's.
    visitor.page.goto(shop.url)
    visitor.page.wait_for_function("Object.keys(localStorage).every((key) => !key.includes('.m.'))")
    context.close()
    assert visitor.errors == []


def join(visitor: Visitor, shop: Shop) -> None:
    """Fill in the shop's form, which trilha.js tells of before it goes on."""
    visitor.page.goto(shop.url)
    ready(visitor)
    visitor.page.get_by_label("Name").fill("Ana")
    visitor.page.get_by_label("Mail").fill("ana@example.com")
    visitor.page.get_by_role("button", name="Join").click()
    visitor.page.wait_for_url("**/thanks")
    assert [one["name"] for one in arrived(2)] == ["identify", "customer.registered"]
    settle()


def ask_for_a_quote(visitor: Visitor, service: Shop) -> None:
    visitor.page.goto(service.url)
    visitor.page.get_by_label("E-mail").fill("Ana@Example.com")
    visitor.page.get_by_label("Phone").fill("+55 11 98765-4321")
    visitor.page.get_by_label("Kilos").fill("12")
    visitor.page.get_by_role("button", name="Ask for a quote").click()
    visitor.page.wait_for_url("**/quote")
    settle()


def settle() -> None:
    assert drain(clock.utcnow)
    assert QuarantinedEvent.objects.count() == 0


def known() -> dict[str, Any]:
    """Everything about who there is, apart from what they did."""
    return {
        "customers": list(Customer.objects.values_list("pk", flat=True)),
        "profiles": sorted(Profile.objects.values_list("pk", "customer_id")),
        "identifiers": sorted(Identifier.objects.values_list("kind_id", "value", "profile_id", "closed_at")),
    }


def events() -> list[str]:
    return sorted(Event.objects.filter(source__key="shop").values_list("name", flat=True))


def assert_once(page: Page, anonymous: str) -> None:
    """One customer with both acts and every identifier, and their page says so."""
    customer = Customer.objects.get()
    identifiers = dict(Identifier.objects.filter(closed_at=None).values_list("kind_id", "value"))
    assert identifiers == {"email": "ana@example.com", "phone": "+5511987654321", "anonymous_id": anonymous}
    assert Identifier.objects.count() == 3
    assert events() == ["customer.registered", "identify", "quote.requested"]
    page.goto(reverse("admin:customers_customer_changelist"))
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.goto(reverse("admin:customers_customer_change", args=[customer.pk]))
    line = page.get_by_role("region", name="Timeline")
    for name in ("customer.registered", "quote.requested"):
        expect(line.get_by_text(name, exact=True)).to_have_count(1)
    for value in ("ana@example.com", "+5511987654321", anonymous):
        expect(page.locator(".why-side").get_by_text(value).first).to_be_visible()


def anonymous_of(visitor: Visitor, shop: Shop) -> str:
    visitor.page.goto(shop.url)
    ready(visitor)
    told: str = visitor.run("trilha.anonymousId()")
    return told


@pytest.mark.parametrize("first", ["the script's form", "the webhook's form"])
def test_a_person_who_fills_in_both_forms_is_there_once(
    visitor: Visitor, shop: Shop, service: Shop, root: User, open_as: OpenAs, first: str
) -> None:
    acts: list[Callable[[], None]] = [lambda: join(visitor, shop), lambda: ask_for_a_quote(visitor, service)]
    for act in acts if first == "the script's form" else reversed(acts):
        act()
    assert_once(open_as(root), anonymous_of(visitor, shop))


def test_a_form_sent_a_second_time_changes_nothing(
    visitor: Visitor, shop: Shop, service: Shop, root: User, open_as: OpenAs
) -> None:
    join(visitor, shop)
    ask_for_a_quote(visitor, service)
    before, anonymous = known(), anonymous_of(visitor, shop)
    # The browser sends the form anew, and its service hands it on as another delivery.
    ask_for_a_quote(visitor, service)
    assert [(body.accepted, body.duplicates) for body in ReceivedBody.objects.order_by("id")] == [(1, 0), (0, 1)]
    assert known() == before
    assert_once(open_as(root), anonymous)
    # Who joins a second time has done it twice, and is nobody else for that.
    join(visitor, shop)
    assert known() == before
    assert events() == ["customer.registered", "customer.registered", "identify", "identify", "quote.requested"]
