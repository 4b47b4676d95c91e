"""An import in a real browser: handed in, mapped, watched to its end, in both languages, on a desk and on a phone."""

import os
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from customers import jobs
from customers.clock import utcnow
from customers.models import Brand, InboxItem, Source
from tests.browser.conftest import DESKTOP, PHONE, OpenAs
from tests.browser.test_accessibility import violations

ROWS = "cliente;e-mail;data;valor\nc1;ana@example.com;31/01/2026;1.234,50\nc2;;01/02/2026;20,00\nc3;;30/02/2026;1,00\n"


@pytest.fixture
def source(transactional_db: None) -> Source:
    brand = Brand.objects.create(key="acme", name="Acme", zone="America/Sao_Paulo", currency="BRL")
    return Source.objects.create(brand=brand, key="shop", name="Shop")


def picture(page: Page, name: str) -> None:
    """For people to look at, where somebody wants them."""
    if folder := os.environ.get("TRILHA_PICTURES"):
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)
        page.set_viewport_size(DESKTOP)


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_a_file_goes_all_the_way(root: User, open_as: OpenAs, source: Source, tmp_path: Path, language: str) -> None:
    (tmp_path / "pedidos.csv").write_text(ROWS, "cp1252")
    page = open_as(root, "/admin/customers/import/add/", locale=language)
    picture(page, f"hand-in-{language}")
    assert violations(page) == []
    page.select_option("[name=source]", label=str(source))
    page.select_option("[name=rows]", "events")
    page.set_input_files("[name=file]", tmp_path / "pedidos.csv")
    page.locator("form:has([name=file]) button[type=submit]").click()

    expect(page.locator("[name=to-0]")).to_have_value("identifier:user_id")
    expect(page.locator("[name=to-2]")).to_have_value("occurred_at")
    expect(page.locator("[name=format-2]")).to_have_value("%d/%m/%Y")
    page.fill("[name=event]", "Order Completed")
    page.locator("[name=do][value=map]").click()
    expect(page.locator("tbody .t-badge--good")).to_have_count(2)
    expect(page.locator("tbody .t-badge--bad")).to_have_text("not_a_time")
    picture(page, f"draft-{language}")
    assert violations(page) == []
    assert InboxItem.objects.count() == 0

    page.locator("[name=do][value=begin]").click()
    expect(page.locator("#import-progress[data-over=no]")).to_be_visible()
    jobs.work_on(utcnow, seconds=60)
    # The page sees it by itself.
    expect(page.locator("#import-progress[data-over=yes]")).to_be_visible(timeout=15_000)
    expect(page.locator(".import-numbers dd").nth(1)).to_have_text("2")
    picture(page, f"done-{language}")
    assert violations(page) == []
    assert InboxItem.objects.count() == 2
    with page.expect_download() as taken:
        page.locator("a[href$='/refused/']").click()
    assert "30/02/2026" in Path(taken.value.path()).read_text("utf-8-sig")


def test_without_script_a_reload_tells_how_far_it_is(
    root: User, open_as: OpenAs, source: Source, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("email,city\nana@example.com,Lins\n")
    page = open_as(root, "/admin/customers/import/add/", java_script_enabled=False)
    page.select_option("[name=source]", label=str(source))
    page.select_option("[name=rows]", "customers")
    page.set_input_files("[name=file]", tmp_path / "rows.csv")
    page.locator("form:has([name=file]) button[type=submit]").click()
    page.locator("[name=do][value=begin]").click()
    jobs.work_on(utcnow, seconds=60)
    page.reload()
    expect(page.locator("#import-progress[data-over=yes]")).to_be_visible()
