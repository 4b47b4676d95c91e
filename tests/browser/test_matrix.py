"""The matrix in a real browser: edited in place by two people at once, moved by keys and mouse, on a phone, by axe."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Dialog, Page, expect

from customers.models import Brand
from journeys.models import Touchpoint
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.journeys.mapping import Board, make_board


@pytest.fixture
def board(transactional_db: None) -> Board:
    return make_board(Brand.objects.create(key="acme", name="Acme"))


@pytest.fixture
def rival(transactional_db: None) -> User:
    made: User = get_user_model().objects.create_superuser("rival")
    return made


def address(board: Board, page: str = "matrix") -> str:
    return reverse(f"admin:journeys_journeymap_{page}", args=[board.map.pk])


def card(page: Page, name: str) -> str:
    return f"[data-map-card]:has-text('{name}')"


def cell_of(page: Page, name: str) -> tuple[str, str]:
    """The stage and channel that a touchpoint stands in, as the table's headers say."""
    where = page.locator(card(page, name)).evaluate(
        "card => { const cell = card.closest('td'); const row = cell.parentElement;"
        " return [cell.closest('table').tHead.rows[0].cells[cell.cellIndex].querySelector('a').innerText,"
        " row.cells[0].innerText.trim()]; }"
    )
    return where[0], where[1]


def test_a_cell_is_edited_while_another_has_it_open_and_nothing_is_lost(
    root: User, rival: User, board: Board, open_as: OpenAs
) -> None:
    board.touchpoint("Welcome", customer_wants="coffee")
    mine, theirs = open_as(root, address(board)), open_as(rival, address(board))
    for page in (mine, theirs):
        page.click("text=Welcome")
        expect(page.locator("dialog [name=name]")).to_be_focused()
    theirs.fill("dialog [name=name]", "Warm welcome")
    theirs.fill("dialog [name=customer_is]", "curious")
    theirs.click("dialog button:has-text('Save')")
    expect(theirs.locator("[data-map-status]")).to_contain_text("“Warm welcome” was saved.")

    mine.fill("dialog [name=name]", "Hello")
    mine.fill("dialog [name=customer_wants]", "good coffee")
    mine.click("dialog button:has-text('Save')")
    alert = mine.locator("dialog [role=alert]")
    expect(alert).to_contain_text("Somebody else changed this while you had it open.")
    expect(alert).to_contain_text("rival")
    assert Touchpoint.objects.get().name == "Warm welcome"
    expect(mine.locator("dialog [name=name]")).to_have_value("Hello")
    expect(mine.locator("dialog .m-field--contested")).to_have_count(1)
    expect(mine.locator("dialog .m-field--contested")).to_contain_text("They wrote: Warm welcome")
    expect(mine.locator("dialog [name=customer_is]")).to_have_value("curious")
    assert violations(mine) == []

    mine.check("dialog [name=take][value=name]")
    mine.click("dialog button:has-text('Save this')")
    expect(mine.locator("[data-map-status]")).to_contain_text("“Warm welcome” was saved.")
    now = Touchpoint.objects.get()
    assert (now.name, now.customer_is, now.customer_wants) == ("Warm welcome", "curious", "good coffee")


def test_what_was_done_can_be_undone(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    page = open_as(root, address(board))
    page.click("text=Welcome")
    page.click("dialog button:has-text('Take off the map')")
    expect(page.locator("[data-map-status]")).to_contain_text("“Welcome” was removed.")
    expect(page.locator("[data-map-card]")).to_have_count(0)
    page.click("button:has-text('Undo')")
    expect(page.locator("[data-map-card]")).to_have_count(1)
    assert Touchpoint.objects.get().removed_at is None


def test_a_touchpoint_is_added_where_the_plus_stands(root: User, board: Board, open_as: OpenAs) -> None:
    page = open_as(root, address(board))
    page.click("text=Add a touchpoint: Use, store")
    page.fill("dialog [name=name]", "Counter")
    page.click("dialog button:has-text('Save')")
    expect(page.locator("[data-map-card]")).to_have_count(1)
    assert cell_of(page, "Counter") == ("Use", "store")


def test_alt_and_arrows_move_a_touchpoint_and_keep_the_focus(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    page = open_as(root, address(board))
    name = page.locator("[data-map-card] h2 a")
    name.focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("[data-map-status]")).to_contain_text("“Welcome” was moved.")
    assert cell_of(page, "Welcome") == ("Use", "e-mail")
    expect(name).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("tbody tr:nth-child(2) [data-map-card]")).to_have_count(1)
    assert cell_of(page, "Welcome") == ("Use", "store")
    page.keyboard.press("Alt+ArrowDown")
    assert Touchpoint.objects.get().lock_version == 3


def test_the_mouse_moves_a_touchpoint(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    page = open_as(root, address(board))
    page.drag_and_drop("[data-map-card]", "tbody tr:nth-child(2) td:nth-of-type(2)")
    expect(page.locator("[data-map-status]")).to_contain_text("“Welcome” was moved.")
    assert cell_of(page, "Welcome") == ("Use", "store")


def test_unsaved_words_are_not_lost_by_a_slip(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    page = open_as(root, address(board))
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", stay)
    page.click("text=Welcome")
    page.fill("dialog [name=name]", "Half a")
    page.keyboard.press("Escape")
    expect(page.locator("dialog [name=name]")).to_have_value("Half a")
    assert asked == ["Leave without saving?"]


def test_a_mistake_is_told_at_its_field(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    page = open_as(root, address(board))
    page.click("text=Welcome")
    page.fill("dialog [name=conversion_days]", "99")
    page.locator("dialog form.m-form").evaluate("form => form.noValidate = true")
    page.click("dialog button:has-text('Save')")
    expect(page.locator("dialog .errorlist")).to_contain_text("30")
    expect(page.locator("dialog [name=conversion_days]")).to_have_value("99")


def test_everything_works_without_the_script_of_the_map(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    page = open_as(root)
    page.route("**/journey_map*.js", lambda route: route.abort())
    page.goto(address(board))
    page.click("text=Welcome")
    page.wait_for_url("**/matrix/touchpoint/**")
    page.fill("[name=name]", "Hello")
    page.click("button:has-text('Save')")
    expect(page.locator("[data-map-status]")).to_contain_text("“Hello” was saved.")
    page.click("button:has-text('Undo')")
    expect(page.locator("[data-map-card]")).to_contain_text("Welcome")


def test_a_phone_shows_one_stage_at_a_time(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome")
    board.touchpoint("Counter", stage=board.use)
    page = open_as(root, address(board), viewport=PHONE)
    expect(page.locator("text=Welcome")).to_be_visible()
    expect(page.locator("text=Counter")).to_be_hidden()
    page.click(".m-stages a:has-text('Use')")
    expect(page.locator("text=Welcome")).to_be_hidden()
    expect(page.locator("text=Counter")).to_be_visible()
    assert re.search(r"[?&]at=2", page.url)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["matrix", "metro"])
def test_the_pages_are_accessible(name: str, root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome", is_critical=True, expected_event="login", owner=root)
    board.touchpoint("Missing", intent="live", stage=board.use)
    board.touchpoint("Counter", stage=board.use, channel=board.store, arrival_event="store.visited", intent="live")
    page = open_as(root, address(board, name))
    assert violations(page) == []


def test_the_panel_is_accessible_in_the_dialog_and_on_its_own(root: User, board: Board, open_as: OpenAs) -> None:
    board.touchpoint("Welcome", is_critical=True)
    page = open_as(root, address(board))
    page.click("text=Welcome")
    expect(page.locator("dialog [name=name]")).to_be_focused()
    assert violations(page) == []
    page.goto(reverse("admin:journeys_journeymap_part_add", args=[board.map.pk, "stage"]))
    assert violations(page) == []


def test_a_station_leads_to_its_touchpoint(root: User, board: Board, open_as: OpenAs) -> None:
    first = board.touchpoint("Welcome")
    page = open_as(root, address(board, "metro"))
    page.click(".m-station-name:has-text('Welcome')")
    page.wait_for_url(f"**/{first.pk}/")
    expect(page.locator("[name=name]")).to_have_value("Welcome")
