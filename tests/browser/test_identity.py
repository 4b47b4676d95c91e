"""Whether two are one, decided in a browser: clear to everybody, and with the keyboard alone."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from customers.models import DuplicatePair, Profile
from tests.browser.conftest import OpenAs
from tests.browser.test_accessibility import violations
from tests.customers.test_duplicates import pair_of, profile, propose
from tests.journeys.stage import Stage, make_stage, welcome


@pytest.fixture
def stage(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = make_stage()
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    stage.publish(welcome())
    for number, last in enumerate(("Almeida", "Almeda")):
        traits: dict[str, Any] = {"first_name": "Ana", "last_name": last, "birth_date": "1990-02-03", "city": "Recife"}
        stage.know(f"u{number}", **traits)
        stage.happen("customer.signed_up", f"u{number}")
        stage.pass_time(minutes=1)
    propose(stage, "u0", "u1", level=3, names=2, city=3, email=0)
    return stage


def press_until(page: Page, name: str) -> None:
    """Tab to what has this name, and press Enter there."""
    for _step in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return page.keyboard.press("Enter")
    pytest.fail(f"the keyboard does not reach {name}")


def test_a_pair_is_decided_with_the_keyboard(stage: Stage, root: User, open_as: OpenAs) -> None:
    pair = pair_of("u0", "u1")
    page = open_as(root, reverse("admin:customers_duplicatepair_change", args=[pair.pk]))
    assert violations(page) == []
    expect(page.get_by_role("cell", name="the same").first).to_be_visible()
    press_until(page, "One person: merge")
    expect(page.get_by_text("They are one customer now.")).to_be_visible()
    assert DuplicatePair.objects.get().state == DuplicatePair.State.ACCEPTED


def test_a_merge_is_previewed_done_and_undone(stage: Stage, root: User, open_as: OpenAs) -> None:
    home = Profile.objects.get(pk=profile("u0")).customer_id
    page = open_as(root, reverse("admin:customers_customer_identity", args=[home]))
    page.get_by_label("A whole identifier").fill("u1@example.com")
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.get_by_text("ends for the sake of the elder one")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("They are one customer now.")).to_be_visible()
    page.get_by_role("link", name="Undo…").first.click()
    assert violations(page) == []
    page.get_by_role("button", name="Take apart").click()
    expect(page.get_by_text("They are two customers now.")).to_be_visible()
