"""A rule written by its form: with the keyboard, with words beside it that follow, and nothing for axe to find."""

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from customers.models import TraitDefinition
from journeys.models import Journey
from tests.browser.authoring import AuthorForm, make_shop
from tests.browser.conftest import OpenAs
from tests.browser.test_accessibility import violations

RULE = {
    "all": [
        {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
        {"any": [{"leaf": "event_property", "name": "cart.total", "op": "gt", "value": 50}]},
    ]
}


def opened(open_as: OpenAs, root: User, locale: str = "en") -> Page:
    brand = make_shop()
    TraitDefinition.objects.create(name="plan", label="Subscription")
    draft = {"entry": {"event": "cart.created", "rule": RULE}, "steps": [], "states": []}
    journey = Journey.objects.create(brand=brand, key="cart", name="Abandoned cart", draft=draft)
    return open_as(root, reverse("admin:journeys_journey_author", args=[journey.pk]), locale=locale)


def words(page: Page) -> str:
    return page.locator("#f-entry-rule-rule .a-in-words").inner_text().removeprefix("In words:").strip()


def press(page: Page, order: str) -> None:
    """A button by the keyboard alone."""
    button = page.locator(f'#author-body button[value="{order}"]')
    button.focus()
    page.keyboard.press("Enter")
    AuthorForm(page).settle()


def test_conditions_are_turned_and_moved_by_the_keyboard_and_the_words_follow(open_as: OpenAs, root: User) -> None:
    page = opened(open_as, root)
    assert words(page) == "plan is pro and cart.total is more than 50"
    press(page, "down:/entry/rule/all/0")
    assert words(page) == "cart.total is more than 50 and plan is pro"
    press(page, "deny:/entry/rule/all/1")
    assert words(page) == "cart.total is more than 50 and not (plan is pro)"
    press(page, "part:/entry/rule/all/0/any")
    expect(page.get_by_text("Conditions: 2 of at most 50. Levels: 3 of at most 8.")).to_be_visible()
    assert violations(page) == []


def test_it_works_without_scripts(open_as: OpenAs, root: User) -> None:
    brand = make_shop()
    draft = {"entry": {"event": "cart.created", "rule": RULE}, "steps": [], "states": []}
    journey = Journey.objects.create(brand=brand, key="cart", name="Abandoned cart", draft=draft)
    address = reverse("admin:journeys_journey_author", args=[journey.pk])
    page = open_as(root, address, java_script_enabled=False)
    page.locator('#author-body button[value="deny:/entry/rule/all/0"]').click()
    expect(page.locator(".a-in-words")).to_contain_text("not (plan is pro) and cart.total is more than 50")


def test_names_are_suggested(open_as: OpenAs, root: User) -> None:
    page = opened(open_as, root)
    field = page.locator('[name="entry/rule/+/0/name"]')
    offered = page.locator(f"#{field.get_attribute('list')} option")
    assert [(one.get_attribute("value"), one.inner_text()) for one in offered.all()] == [("plan", "Subscription")]
