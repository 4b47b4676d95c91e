"""The staff's pages of consent in a real browser: a customer's consents and a privacy request, by keyboard alone, on a
phone, in both languages."""

from typing import Final

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from consent.models import ConsentEntry, Erasure, Pause, PrivacyRequest
from consent.privacy import requests
from consent.privacy.requests import Asking
from customers import clock
from customers.ids import NIL
from customers.models import Identifier
from tests.browser.conftest import DESKTOP, PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.channels.world import Person, World, make_world

_LANGUAGES: Final = ("en", "pt-BR")


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def ana(world: World) -> Person:
    ana = world.person()
    Identifier.objects.create(
        namespace=NIL, kind_id="email", value=ana.address.value, original=ana.address.value, profile=ana.profile,
        opened_at=clock.utcnow(),
    )  # fmt: skip
    return ana


@pytest.fixture
def consents(ana: Person) -> str:
    return reverse("admin:customers_customer_consent", args=[ana.customer.pk])


def asked(world: World, ana: Person, kind: str = "erasure") -> PrivacyRequest:
    now = clock.utcnow()
    names = requests.naming("email", ana.address.value, [], now)
    asking = Asking(brand=world.brand, kind=kind, law="lgpd", channel="phone", names=names, assurance=4)
    return requests.take_down(asking, now)


def of(request: PrivacyRequest) -> str:
    return reverse("admin:consent_privacyrequest_change", args=[request.pk])


def fits(page: Page) -> bool:
    """Nothing is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def press(page: Page, name: str) -> None:
    """Reach the button by the keyboard, and press it."""
    button = page.get_by_role("button", name=name, exact=True)
    for _turn in range(200):
        page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Enter")
            return
    pytest.fail(f"no way to “{name}” by the keyboard")


def test_staff_withdraw_for_a_person_by_keyboard_alone(
    open_as: OpenAs, root: User, world: World, consents: str
) -> None:
    page = open_as(root, consents)
    page.get_by_role("checkbox", name=world.purpose.name).focus()
    page.keyboard.press("Space")
    page.get_by_label("How and when they asked for it").focus()
    page.keyboard.type("By telephone, this morning")
    press(page, "Withdraw")
    expect(page.get_by_text("entry was added to the ledger")).to_be_visible()
    entry = ConsentEntry.objects.latest("id")
    assert (entry.state, entry.method) == ("withdrawn", "staff")
    expect(page.get_by_text("may not be sent").first).to_be_visible()


def test_without_a_reason_nothing_is_withdrawn(open_as: OpenAs, root: User, world: World, consents: str) -> None:
    before = ConsentEntry.objects.count()
    page = open_as(root, consents)
    page.get_by_role("checkbox", name=world.purpose.name).check()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    assert page.evaluate("document.querySelector('[name=reason]').validity.valueMissing")
    assert ConsentEntry.objects.count() == before


def test_a_pause_is_set_on_a_phone_in_portuguese(open_as: OpenAs, root: User, consents: str) -> None:
    page = open_as(root, consents, viewport=PHONE, locale="pt-BR")
    assert fits(page)
    page.get_by_label("Como e quando a pessoa pediu").fill("Por telefone")
    page.get_by_role("button", name="Pausar", exact=True).click()
    expect(page.get_by_text("A pessoa fica sem mensagens até").first).to_be_visible()
    assert Pause.objects.count() == 1


@pytest.mark.parametrize("language", _LANGUAGES)
def test_axe_finds_nothing_on_them(
    open_as: OpenAs, root: User, world: World, ana: Person, consents: str, language: str
) -> None:
    for path in (
        consents,
        of(asked(world, ana)),
        f"{of(asked(world, ana))}?preview=1",
        of(asked(world, ana, "access")),
    ):
        page = open_as(root, path, locale=language)
        assert violations(page) == []
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            assert fits(page), (path, size)


def test_a_request_is_taken_down_with_the_day_it_was_received(open_as: OpenAs, root: User, world: World) -> None:
    page = open_as(root, reverse("admin:consent_privacyrequest_add"))
    today = clock.utcnow().date().isoformat()
    for name, value in (("brand", str(world.brand.pk)), ("kind", "access"), ("law", "gdpr"), ("channel", "letter")):
        page.locator(f"[name={name}]").select_option(value)
    page.locator("[name=asked_on]").fill("2999-01-01")
    page.locator("[name=identifier]").fill("ana@example.com")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("That day is still to come")).to_be_visible()
    page.locator("[name=asked_on]").fill(today)
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Where it stands")).to_be_visible()
    request = PrivacyRequest.objects.get()
    assert (request.asked_on.isoformat(), request.opened_by) == (today, root)


def test_an_erasure_begins_after_a_look_at_what_will_go_by_keyboard_alone(
    open_as: OpenAs, root: User, world: World, ana: Person
) -> None:
    request = asked(world, ana)
    page = open_as(root, of(request))
    expect(page.get_by_role("button", name="Erase this person")).to_have_count(0)
    page.get_by_role("link", name="Look at what will go").press("Enter")
    expect(page.get_by_role("heading", name="What will go")).to_be_visible()
    press(page, "Erase this person")
    expect(page.get_by_text("A job does it")).to_be_visible()
    assert Erasure.objects.get().shown == [ana.profile.pk]


@pytest.mark.parametrize(
    ("language", "restrict", "lift"),
    [
        ("en", "Restrict processing", "Lift the restriction"),
        ("pt-BR", "Restringir o tratamento", "Levantar a restrição"),
    ],
)
def test_a_restriction_is_set_and_lifted(
    open_as: OpenAs, root: User, world: World, ana: Person, language: str, restrict: str, lift: str
) -> None:
    request = asked(world, ana, "restriction")
    page = open_as(root, of(request), locale=language, viewport=PHONE)
    page.get_by_role("button", name=restrict).click()
    assert request.restrictions.filter(lifted_at=None).count() == 1
    page.get_by_role("button", name=lift).click()
    expect(page.get_by_role("button", name=lift)).to_have_count(0)
    assert request.restrictions.filter(lifted_at=None).count() == 0
