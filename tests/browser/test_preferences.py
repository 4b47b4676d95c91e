"""The public pages of consent in a real browser: by keyboard alone, on a phone, without scripts, in both languages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from channels.models import Message
from consent.confirming import answer
from consent.confirming.link import make_link as confirm_link
from consent.models import Confirmation, ConsentEntry, Pause, Preference, PurposeText
from consent.permission import Ask, permissions
from consent.preferences.link import Link, make_link
from consent.unsubscribe import Token, make_token
from customers import clock
from customers.ids import new_id
from tests.browser.conftest import DESKTOP, PHONE, OpenAs
from tests.channels.world import Person, World, make_world
from tests.consent import people

_RUN: Final = "() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


@pytest.fixture
def world(transactional_db: None) -> World:
    world = make_world()
    words = {"en": ("News", "Once a week."), "pt-BR": ("Novidades", "Uma vez por semana.")}
    for locale, (name, description) in words.items():
        PurposeText.objects.create(purpose=world.purpose, locale=locale, name=name, description=description)
    people.make_purpose(world.brand, "offers")
    return world


@pytest.fixture
def ana(world: World) -> Person:
    """Somebody whose own language is not known, with a telephone beside the mail."""
    ana = world.person()
    ana.customer.locale = ""
    ana.customer.save()
    phone = people.make_address("+5511987654321", "sms")
    people.seen(ana.profile, phone)
    people.tell(phone, ana.profile, world.purpose, "given", clock.utcnow())
    return ana


@pytest.fixture
def path(world: World, ana: Person) -> str:
    return f"/p/{make_link(Link(ana.address.pk, ana.profile.pk, world.brand.pk, new_id()))}"


def allowed(world: World, ana: Person) -> bool:
    return permissions([Ask(ana.customer.pk, ana.address.pk, world.purpose.pk)], clock.utcnow())[0].allowed


def violations(page: Page) -> list[str]:
    """What axe finds on a public page in both themes and sizes; its policy forbids to be asked again and again."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for size in (DESKTOP, PHONE):
        for theme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=theme)
            for one in page.evaluate(_RUN):
                found += [f"{one['id']} ({theme}, {size['width']}): {node['html'][:200]}" for node in one["nodes"]]
    return found


def tab_to(page: Page, is_there: Callable[[dict[str, Any]], bool]) -> None:
    """Press Tab until the element in focus is the one."""
    for _press in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "() => ({tag: document.activeElement.tagName, name: document.activeElement.name || '',"
            " value: document.activeElement.value || '', text: document.activeElement.textContent.trim(),"
            " outline: getComputedStyle(document.activeElement).outlineStyle})"
        )
        if is_there(focus):
            assert focus["outline"] != "none", f"no visible focus on {focus}"
            return
    pytest.fail("the keyboard does not reach it")


def test_by_keyboard_alone_a_topic_is_stopped_and_the_stopping_undone(
    world: World, ana: Person, path: str, open_as: OpenAs
) -> None:
    page = open_as(None, path)
    key = f"{world.purpose.pk}.{ana.address.pk}"
    tab_to(page, lambda focus: focus["value"] == key)
    page.keyboard.press("Space")
    tab_to(page, lambda focus: focus["name"] == "save_topics")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 topic was stopped.")
    assert not allowed(world, ana)
    tab_to(page, lambda focus: focus["name"] == "undo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Everything is as it was before.")
    assert allowed(world, ana)


def test_by_keyboard_alone_everything_is_paused_and_resumed(path: str, open_as: OpenAs) -> None:
    page = open_as(None, path)
    tab_to(page, lambda focus: focus["name"] == "pause" and focus["value"] == "1m")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Everything is paused")).to_be_visible()
    tab_to(page, lambda focus: focus["name"] == "resume")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("We have sent a mail to")
    assert Pause.objects.filter(ended_at=None).count() > 0
    page.goto(f"/c/{confirm_link(Confirmation.objects.get(ends_pause=True).pk)}")
    tab_to(page, lambda focus: focus["name"] == "confirm")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The pause is over.")
    assert Pause.objects.filter(ended_at=None).count() == 0


def test_a_get_changes_nothing_however_often_and_with_scripts(
    world: World, ana: Person, path: str, open_as: OpenAs
) -> None:
    unsubscribe = f"/u/{make_token(Token(ana.address.pk, world.purpose.pk, new_id()))}"
    confirmation = asked(world, ana)
    before = ConsentEntry.objects.count()
    page = open_as(None, path)
    for address in (path, unsubscribe, f"/c/{confirm_link(confirmation.pk)}"):
        for query in ("", "?lang=pt-br", "?topic=x&save_topics=1&pause=1w&all=1&confirm=1&unsubscribe=1"):
            page.goto(address + query)
            page.wait_for_load_state("networkidle")
    assert ConsentEntry.objects.count() == before
    assert (Pause.objects.count(), Preference.objects.count()) == (0, 0)
    assert Confirmation.objects.get().outcome == "open"


@pytest.mark.parametrize("spoken", ["en", "pt-BR"])
def test_every_state_of_the_page_is_accessible(world: World, path: str, open_as: OpenAs, spoken: str) -> None:
    page = open_as(None, path, locale=spoken)
    expect(page.locator("html")).to_have_attribute("lang", spoken.lower())
    expect(page.get_by_role("group", name={"en": "News", "pt-BR": "Novidades"}[spoken], exact=True)).to_be_visible()
    assert violations(page) == []
    page.locator("[name=pause][value='1w']").click()
    page.locator("[name=all]").click()
    expect(page.locator("[name=undo]")).to_be_visible()
    assert violations(page) == []
    page.locator("[name=topic]").first.check()
    page.locator("[name=save_topics]").click()
    expect(page.get_by_role("status")).to_contain_text("a•••@e•••.com")
    assert violations(page) == []


@pytest.mark.parametrize("spoken", ["en", "pt-BR"])
def test_unsubscribing_and_confirming_are_accessible(world: World, ana: Person, open_as: OpenAs, spoken: str) -> None:
    page = open_as(None, f"/u/{make_token(Token(ana.address.pk, world.purpose.pk, new_id()))}", locale=spoken)
    assert violations(page) == []
    tab_to(page, lambda focus: focus["name"] == "unsubscribe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    assert violations(page) == []
    assert not allowed(world, ana)
    page.locator("p.note a").click()
    expect(page.locator("[name=save_topics]")).to_be_visible()
    confirmation = asked(world, ana, spoken)
    page.goto(f"/c/{confirm_link(confirmation.pk)}")
    assert violations(page) == []
    tab_to(page, lambda focus: focus["name"] == "confirm")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    assert violations(page) == []
    assert allowed(world, ana)
    again = asked(world, ana, spoken)
    answer.confirm(again, again.expires_at)
    assert page.goto(f"/c/{confirm_link(again.pk)}").status == 410  # type: ignore[union-attr]  # there is an answer
    assert violations(page) == []


def test_on_a_phone_nothing_overflows_and_everything_can_be_touched(path: str, open_as: OpenAs) -> None:
    page = open_as(None, f"{path}?lang=pt-br", viewport=PHONE)
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    small = page.evaluate(
        "() => [...document.querySelectorAll('button, label.choice, .languages a')]"
        ".filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"
    )
    assert small == []


def test_without_scripts_it_does_everything(world: World, ana: Person, path: str, open_as: OpenAs) -> None:
    page = open_as(None, path, java_script_enabled=False)
    page.get_by_label("At most one message a week").check()
    page.get_by_role("button", name="Save how often").click()
    page.get_by_role("group", name="Write to me in").get_by_label("Português").check()
    page.get_by_role("button", name="Save language").click()
    preference = Preference.objects.get()
    assert (preference.every_days, preference.language) == (7, "pt-BR")
    # From the next time on the page speaks it too, and the switch leads back for this once.
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_text("O que você recebe de nós")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What you get from us")
    page.get_by_role("button", name="Unsubscribe from all").click()
    assert not allowed(world, ana)
    assert Message.objects.count() == 0


def test_a_topic_is_added_by_the_mail_that_confirms_it(world: World, ana: Person, path: str, open_as: OpenAs) -> None:
    page = open_as(None, path, java_script_enabled=False)
    offers = page.get_by_role("group", name="Offers", exact=True)
    offers.get_by_label(re.compile("e-mail")).check()
    page.get_by_role("button", name="Save topics").click()
    expect(page.get_by_role("status")).to_contain_text("We have sent a mail to a•••@e•••.com")
    expect(offers.get_by_label(re.compile("e-mail"))).not_to_be_checked()
    assert Message.objects.get().origin_kind == "consent"
    confirmation = Confirmation.objects.get()
    page.goto(f"/c/{confirm_link(confirmation.pk)}")
    page.get_by_role("button", name="Yes, I confirm").click()
    expect(page.get_by_role("status")).to_contain_text("about “Offers”")
    page.get_by_role("link", name="See everything you get").click()
    expect(offers.get_by_label(re.compile("e-mail"))).to_be_checked()


def asked(world: World, ana: Person, language: str = "en") -> Confirmation:
    """A request for confirmation that waits, made a moment ago."""
    now = clock.utcnow()
    return Confirmation.objects.create(
        brand=world.brand, address=ana.address, profile=ana.profile, purpose=world.purpose, language=language.lower(),
        method="link", asked_at=now, expires_at=now + timedelta(days=3),
    )  # fmt: skip
