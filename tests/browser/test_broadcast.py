"""A broadcast in a real browser: written, looked at, started, its pilot group compared, let go on, and stopped."""

from typing import Final

import pytest
from django.contrib.auth.models import User
from django.db.models import Count
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize, expect

from channels.models import Broadcast, Message, TemplateText
from customers.clock import utcnow
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.channels.broadcasts.stage import bring_on, crowd, make_segment, put_in
from tests.channels.world import NOW, World, make_world

DESK: Final[ViewportSize] = {"width": 1280, "height": 800}


@pytest.fixture
def world(transactional_db: None) -> World:
    made = make_world()
    segment = make_segment(made, size=41)
    put_in(segment, [*crowd(made, 40), made.person("no@example.com", granted=False)], at=NOW)
    TemplateText.objects.filter(version=made.version).update(text="{{ unsubscribe_url }}", html="")
    return made


def choose(page: Page, name: str, label: str) -> None:
    page.select_option(f"[name={name}]", label=label)


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "wider than the window"


def write(page: Page, world: World) -> Broadcast:
    page.fill("[name=name]", "Spring news")
    choose(page, "brand", "Acme")
    choose(page, "segment", "Readers")
    choose(page, "purpose", "Newsletter")
    choose(page, "connector", "Mail")
    choose(page, "template", "Welcome")
    page.fill("[name=pilot_percent]", "50")
    page.fill("[name=wait_for]", "0")
    page.fill("[name=most_bounced]", "2")
    with page.expect_navigation():
        page.click("[name=_save]")
    return Broadcast.objects.get(name="Spring news", brand=world.brand)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_from_a_draft_by_its_pilot_group_to_the_stop(
    world: World, root: User, open_as: OpenAs, viewport: ViewportSize
) -> None:
    page = open_as(root, reverse("admin:channels_broadcast_add"), viewport=viewport)
    broadcast = write(page, world)
    main = page.locator("main")
    expect(main).to_contain_text("Nothing stands in its way.")
    page.click("text=Count how many would get it")
    expect(main).to_contain_text("Now it would reach 40")
    assert violations(page) == []
    fits(page)
    page.check("#sure-start")
    with page.expect_navigation():
        page.click("button[value=start]")
    now = utcnow()
    assert bring_on(broadcast, now) == "waiting"
    # The page finds out by itself.
    expect(main).to_contain_text("Let the others have it?", timeout=15_000)
    expect(main).to_contain_text("at most 2.0 %")
    first = Message.objects.filter(scope_id=broadcast.pk).count()
    assert 0 < first < 40
    assert violations(page) == []
    fits(page)
    page.check("#sure-go-on")
    with page.expect_navigation():
        page.click("button[value=go_on]")
    bring_on(broadcast, utcnow())
    page.reload()
    expect(main).to_contain_text("not written to: no consent")
    page.fill("#broadcast-why", "a wrong price")
    page.check("#sure-stop")
    with page.expect_navigation():
        page.click("button[value=stop]")
    expect(main).to_contain_text("a wrong price")
    assert bring_on(broadcast, utcnow()) == "stopped"
    page.reload()
    expect(main).to_contain_text("cancelled")
    assert violations(page) == []
    fits(page)
    assert dict(Message.objects.values_list("state").annotate(n=Count("id"))) == {"cancelled": 40}


def test_in_portuguese_it_says_the_same(world: World, root: User, open_as: OpenAs) -> None:
    page = open_as(root, reverse("admin:channels_broadcast_add"), locale="pt-BR", viewport=PHONE)
    write(page, world)
    expect(page.locator("main")).to_contain_text("Nada o impede.")
    assert violations(page) == []
    fits(page)
