"""The work list in a real browser: by the keyboard alone, on a desk and on a phone, in both languages."""

from typing import Final

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize, expect

from channels.models import Task
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.browser.test_preferences import tab_to
from tests.channels.test_tasks import SOON, callable_, calling, made
from tests.channels.world import NOW, make_world

DESK: Final[ViewportSize] = {"width": 1280, "height": 800}
NUMBER: Final = "+5511987654321"
# To claim, to give back, and that it is done.
WORDS: Final = {"en": ("Claim", "Give it back", "Done."), "pt-br": ("Assumir", "Devolver", "Concluída.")}


@pytest.fixture
def task(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + SOON)
    calls = calling(make_world())
    return made(calls, callable_(calls, NUMBER))


def press(page: Page, text: str) -> None:
    """Past the navigation, to what says so."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, lambda focus: focus["text"] == text)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"wider than the window: {text}"


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_by_the_keyboard_alone_a_task_is_claimed_given_back_claimed_and_done(
    task: Task, root: User, open_as: OpenAs, language: str, viewport: ViewportSize
) -> None:
    claim, back, done = WORDS[language]
    page = open_as(root, reverse("admin:channels_task_changelist"), locale=language, viewport=viewport)
    press(page, "Call Ana")
    main = page.locator("main")
    expect(main).not_to_contain_text(NUMBER)
    press(page, claim)
    expect(main).to_contain_text(NUMBER)
    press(page, back)
    expect(main).not_to_contain_text(NUMBER)
    press(page, claim)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, lambda focus: focus["name"] == "outcome")
    page.keyboard.press("ArrowDown")
    tab_to(page, lambda focus: focus["name"] == "note")
    page.keyboard.type("glad")
    tab_to(page, lambda focus: focus["value"] == "complete")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text(done)
    expect(main).not_to_contain_text(NUMBER)
    task.refresh_from_db()
    assert (task.state, task.outcome, task.note) == ("done", "not_reached", "glad")


def test_a_task_in_hand_is_accessible(task: Task, root: User, open_as: OpenAs) -> None:
    page = open_as(root, reverse("admin:channels_task_change", args=[task.pk]))
    assert violations(page) == []
    page.click("button[value=claim]")
    page.wait_for_selector("[name=outcome]")
    assert violations(page) == []
