"""axe finds nothing on any staff page: every list, form and page of the admin, light and dark, desktop and phone."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, OpenAs
from tests.config.one_of_each import make_one_of_each

_THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_LOOKS: Final = [(size, theme) for size in (DESKTOP, PHONE) for theme in _THEMES]
_RUN: Final = "([beside, options]) => axe.run({exclude: beside}, options).then(found => found.violations)"
# A theme changes colours and nothing else, so in the dark only what is about colours is asked again.
_ASKED: Final[dict[str, dict[str, Any]]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}


def violations(page: Page, *, beside: Sequence[str] = ()) -> list[str]:
    """What axe finds on the page as it stands, in both themes and sizes, each told once; `beside` is not looked at."""
    page.wait_for_function("window.Alpine === undefined || !document.documentElement.hasAttribute('x-cloak')")
    page.evaluate(AXE_SCRIPT)
    found: dict[str, str] = {}
    for size, theme in _LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate("theme => document.documentElement.className = theme", theme)
        for violation in page.evaluate(_RUN, [[[part] for part in beside], _ASKED[theme]]):
            for node in violation["nodes"]:
                where = f"{violation['id']}: {' '.join(map(str, node['target']))}"
                found.setdefault(where, f"{where} ({theme}, {size['width']}): {node['html'][:200]}")
    return sorted(found.values())


def page_of(model: type[Model], view: str, user: User) -> str | None:
    """The list, the form for a new object, or the page of the first one, where there is such a thing."""
    served, name = admin.site.get_model_admin(model), f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}"
    request: Any = RequestFactory().get("/")
    request.user = user
    if view == "changelist":
        return reverse(name)
    if view == "add":
        return reverse(name) if served.has_add_permission(request) else None
    thing = model._default_manager.first()
    if thing is None or not served.has_view_permission(request, thing):
        return None
    try:
        return reverse(name, args=[thing.pk])
    except NoReverseMatch:  # it has no page
        return None


def by_app() -> dict[str, list[type[Model]]]:
    served: dict[str, list[type[Model]]] = {}
    for model in admin.site._registry:
        served.setdefault(model._meta.app_label, []).append(model)
    return served


# By name, since models are registered only once pytest has set Django up.
@pytest.mark.parametrize("app", ["auth", "channels", "consent", "customers", "django_celery_beat", "journeys"])
@pytest.mark.parametrize("view", ["changelist", "add", "change"])
def test_every_list_and_form_is_accessible(view: str, app: str, root: User, open_as: OpenAs) -> None:
    make_one_of_each()
    page = open_as(root)
    paths = [path for model in by_app()[app] if (path := page_of(model, view, root))]
    told: list[str] = []
    for number, path in enumerate(paths):
        page.goto(path)
        # The navigation is the same on all of them, and the largest part of most.
        told += [f"{path}: {violation}" for violation in violations(page, beside=["#nav-sidebar"] if number else ())]
    assert not told, "\n".join(told)


def test_no_app_is_left_out() -> None:
    marks: Any = test_every_list_and_form_is_accessible.pytestmark  # type: ignore[attr-defined]  # pytest puts it there
    [apps] = [mark.args[1] for mark in marks if mark.name == "parametrize" and mark.args[0] == "app"]
    assert set(by_app()) <= set(apps)


@pytest.mark.parametrize("path", ["/admin/", "/admin/password_change/", "/admin/customers/"])
def test_the_site_s_own_pages_are_accessible(path: str, root: User, open_as: OpenAs) -> None:
    make_one_of_each()
    assert violations(open_as(root, path)) == []


def test_what_was_done_to_a_brand_and_who_works_in_it_is_accessible(root: User, open_as: OpenAs) -> None:
    brand = make_one_of_each().brand
    page = open_as(root, reverse("admin:customers_brand_change", args=[brand.pk]))
    page.fill("[name=sender_name]", "Coffee and more")
    page.click("[name=_save]")
    page.goto(reverse("admin:customers_brand_history", args=[brand.pk]))
    expect(page.get_by_role("row", name="Coffee and more")).to_be_visible()
    assert violations(page) == []
    page.goto(reverse("admin:customers_brand_people", args=[brand.pk]))
    assert violations(page) == []


def test_the_log_in_page_is_accessible(open_as: OpenAs, transactional_db: None) -> None:
    assert violations(open_as(None, "/admin/login/")) == []


def test_a_form_with_mistakes_is_accessible(root: User, open_as: OpenAs) -> None:
    page = open_as(root, "/admin/customers/brand/add/")
    page.fill("[name=sender_email]", "nobody")
    page.locator("form#brand_form").evaluate("form => { form.noValidate = true; form.submit(); }")
    page.wait_for_selector(".errornote")
    assert violations(page) == []


def test_what_opens_is_accessible(root: User, open_as: OpenAs) -> None:
    make_one_of_each()
    page = open_as(root, "/admin/customers/quarantinedevent/")
    page.click(".t-filters summary")
    page.click(".t-user-button")
    page.wait_for_selector("#user-menu", state="visible")
    assert violations(page) == []


def test_the_mended_page_with_its_refusal_is_accessible(root: User, open_as: OpenAs) -> None:
    make_one_of_each()
    page = open_as(root, "/admin/customers/quarantinedevent/")
    page.click("#result_list tbody th a, #result_list tbody td a")
    page.click("text=Replay this")
    page.wait_for_selector("[role=alert]")
    assert violations(page) == []


def test_an_empty_list_is_accessible(root: User, open_as: OpenAs) -> None:
    assert violations(open_as(root, "/admin/journeys/journey/")) == []


def test_the_page_to_try_the_api_is_accessible(open_as: OpenAs, transactional_db: None) -> None:
    for scheme in _THEMES:
        page = open_as(None, "/api/v1/docs", color_scheme=scheme)
        page.wait_for_selector(".opblock")
        assert page.locator("html.dark-mode").count() == (scheme == "dark")
        page.evaluate(AXE_SCRIPT)
        found = page.evaluate(_RUN, [[], _ASKED["dark"]])
        assert [(scheme, node["html"], node["any"][0]["message"]) for one in found for node in one["nodes"]] == []
