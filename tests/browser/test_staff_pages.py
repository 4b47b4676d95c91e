"""The frame of the staff pages: keyboard, languages, themes, phones, and a form that shows what the choice asks for."""

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers.models import Brand
from tests.browser.conftest import PHONE, OpenAs


def focused(page: Page) -> str:
    told: str = page.evaluate("document.activeElement.className || document.activeElement.id")
    return told


def test_the_first_tab_leads_past_the_navigation(root: User, open_as: OpenAs) -> None:
    page = open_as(root)
    page.keyboard.press("Tab")
    assert focused(page) == "t-skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_filters_open_by_the_keyboard(root: User, open_as: OpenAs) -> None:
    page = open_as(root, "/admin/customers/quarantinedevent/")
    page.focus(".t-filters summary")
    page.keyboard.press("Enter")
    expect(page.locator(".t-filter").first).to_be_visible()


def test_a_slash_leads_to_the_search_box(root: User, open_as: OpenAs) -> None:
    page = open_as(root, "/admin/customers/customer/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "searchbar"


def test_the_language_is_switched_on_the_page_one_is_on(root: User, open_as: OpenAs) -> None:
    page = open_as(root, "/admin/customers/brand/")
    page.click(".t-user-button")
    page.click("#user-menu button[lang=pt-br]")
    page.wait_for_selector("html[lang=pt-br]")
    assert page.url.endswith("/admin/customers/brand/")
    page.click(".t-user-button")
    page.click("#user-menu button[lang=en]")
    page.wait_for_selector("html[lang=en]")


def test_the_theme_stays_as_chosen(root: User, open_as: OpenAs) -> None:
    page = open_as(root, color_scheme="light")
    page.click(".t-user-button")
    page.click("#user-menu button:has-text('Dark')")
    expect(page.locator("html.dark")).to_have_count(1)
    page.goto("/admin/customers/brand/")
    expect(page.locator("html.dark")).to_have_count(1)


def test_on_a_phone_the_navigation_opens_and_escape_closes_it(root: User, open_as: OpenAs) -> None:
    page = open_as(root, viewport=PHONE)
    expect(page.locator("#nav-sidebar")).not_to_be_visible()
    page.click(".t-header .t-icon-button.t-narrow-only")
    expect(page.locator("#nav-sidebar")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#nav-sidebar")).not_to_be_visible()


def test_no_page_is_wider_than_a_phone(root: User, open_as: OpenAs) -> None:
    page = open_as(root, viewport=PHONE)
    for path in (
        "/admin/",
        "/admin/customers/brand/add/",
        "/admin/channels/message/",
        "/admin/channels/connector/add/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_a_connector_asks_for_what_its_provider_needs(root: User, open_as: OpenAs) -> None:
    Brand.objects.create(key="acme", name="Acme")
    page = open_as(root, "/admin/channels/connector/add/")
    page.select_option("[name=provider]", "sandbox")
    expect(page.locator("[name=smtp__host]")).not_to_be_visible()
    page.select_option("[name=provider]", "smtp")
    expect(page.locator("[name=smtp__host]")).to_be_visible()
    expect(page.locator("[name=smtp__secret__password]")).to_have_attribute("type", "password")


def test_a_search_box_of_a_choice_says_what_is_chosen(root: User, open_as: OpenAs) -> None:
    page = open_as(root, "/admin/customers/brand/add/")
    expect(page.locator("#select2-id_zone-container")).to_have_attribute("aria-label", "time zone: UTC")
