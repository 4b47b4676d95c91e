"""The simulator's page in a browser: what other systems are taken to reply is filled in, asked for and shown."""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from journeys.models import Simulation
from tests.browser.conftest import DESKTOP, PHONE, OpenAs
from tests.journeys.calling import asking, other_side
from tests.journeys.stage import make_stage


def is_fine(page: Page) -> None:
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        page.evaluate(AXE_SCRIPT)
        assert page.evaluate("() => axe.run(document).then((found) => found.violations)") == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize(("locale", "open_them", "ask"), [
    ("en", "Replies of other systems", "Simulate"), ("pt-BR", "Respostas de outros sistemas", "Simular")
])  # fmt: skip
def test_what_is_supposed_is_filled_in_and_shown(
    open_as: OpenAs, settings: Any, locale: str, open_them: str, ask: str
) -> None:
    stage = make_stage()
    with other_side(stage, settings):
        journey = stage.publish(asking()).journey
    root: Any = get_user_model().objects.create_superuser("root")
    page = open_as(root, reverse("admin:journeys_journey_simulations", args=[journey.pk]), locale=locale)
    page.get_by_text(open_them).click()
    is_fine(page)
    page.locator("#s-error-0").select_option("timeout")
    page.locator("#s-percent-0").fill("12.5")
    page.locator("#s-json-0").fill('{"score": 7}')
    page.get_by_role("button", name=ask, exact=True).click()
    expect(page.locator("#s-shown")).to_be_visible()
    expect(page.get_by_text('{"score": 7}').first).to_be_visible()
    expect(page.get_by_text("12,5" if locale == "pt-BR" else "12.5").first).to_be_visible()
    is_fine(page)
    assert Simulation.objects.get().assumed == [
        {"step": "ask", "error": "timeout", "percent": 12.5, "json": {"score": 7}}
    ]
