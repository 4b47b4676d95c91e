"""A journey written from nothing in a browser, checked, published, and written by two people at once."""

from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Dialog, Page, expect

from journeys import drafts
from journeys.models import Journey
from tests.browser.authoring import ABANDONED_CART, AuthorForm, make_shop, write_abandoned_cart
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.journeys.stage import T0


def address(journey: Journey, page: str = "author") -> str:
    return reverse(f"admin:journeys_journey_{page}", args=[journey.pk])


def new_journey(draft: dict[str, Any] | None = None) -> Journey:
    return Journey.objects.create(brand=make_shop(), key="cart", name="Abandoned cart", draft=draft or {})


def author(page: Page) -> AuthorForm:
    return AuthorForm(page)


def test_the_abandoned_cart_is_written_from_nothing_and_published(open_as: OpenAs, root: User) -> None:
    make_shop()
    page = open_as(root, reverse("admin:journeys_journey_add"))
    page.fill('[name="name"]', "Abandoned cart")
    page.locator(".field-brand .select2-selection").click()
    page.locator(".select2-search__field").fill("Acme")
    page.locator(".select2-results__option", has_text="Acme").click()
    page.locator('[name="_continue"]').click()
    page.get_by_role("link", name="States and steps").click()
    form = author(page)
    write_abandoned_cart(form)
    # A gap is told with a link that leads to it.
    form.write("entry/event", "")
    form.press("check")
    assert form.errors() == ["Entry event /entry/event: This is missing."]
    page.locator("#a-summary a").click()
    expect(form.field("entry/event")).to_be_focused()
    form.write("entry/event", "cart.abandoned")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_role("heading", name="What the first version will be")).to_be_visible()
    expect(page.get_by_text("“remind-by-whatsapp” is new")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Publish the journey").click()
    expect(page.get_by_text("Abandoned cart v1 is live.")).to_be_visible()
    journey = Journey.objects.get()
    assert journey.draft == ABANDONED_CART
    assert journey.live_version is not None
    assert (journey.status, journey.live_version.definition) == ("live", ABANDONED_CART)


def test_the_page_passes_axe_with_and_without_problems(open_as: OpenAs, root: User) -> None:
    journey = new_journey(ABANDONED_CART | {"purpose": "", "entry": {"event": "x", "rule": {"all": [None]}}})
    for scheme, size in (("light", None), ("dark", PHONE)):
        options: dict[str, Any] = {"color_scheme": scheme} | ({"viewport": size} if size else {})
        page = open_as(root, address(journey) + "?check=1", **options)
        assert violations(page) == []
        for other in ("versions", "text", "status"):
            page.goto(address(journey, other))
            assert violations(page) == []


def test_steps_are_moved_copied_and_removed_by_the_keyboard_and_brought_back(open_as: OpenAs, root: User) -> None:
    page = open_as(root, address(new_journey(ABANDONED_CART)))
    form = author(page)
    page.locator("#f-steps-0-down").focus()
    page.keyboard.press("Enter")
    form.settle()
    assert form.value("steps/1/id") == "half-an-hour"
    # The focus went along, so that the same key moves on.
    expect(page.locator("#f-steps-1-down")).to_be_focused()
    page.keyboard.press("Enter")
    form.settle()
    assert form.value("steps/2/id") == "half-an-hour"
    form.press("copy:/steps/2")
    assert form.value("steps/3/id") == "half-an-hour-2"
    form.press("remove:/steps/3")
    expect(page.locator(".a-undo")).to_contain_text("“half-an-hour-2” was removed.")
    form.press("undo")
    assert form.value("steps/3/id") == "half-an-hour-2"


def test_a_renamed_step_is_followed_where_it_is_named(open_as: OpenAs, root: User) -> None:
    form = author(open_as(root, address(new_journey(ABANDONED_CART))))
    form.write("steps/1/id", "nudge")
    assert form.value("steps/0/next") == "nudge"


def test_what_is_typed_while_the_form_follows_is_not_lost(open_as: OpenAs, root: User) -> None:
    page = open_as(root, address(new_journey(ABANDONED_CART)))
    form = author(page)
    form.field("steps/1/id").fill("nudge")
    # Leaving the field asks the server; meanwhile somebody types on.
    form.field("entry/event").focus()
    page.keyboard.press("End")
    page.keyboard.type("!!")
    form.settle()
    assert (form.value("entry/event"), form.value("steps/0/next")) == ("cart.abandoned!!", "nudge")
    expect(form.field("entry/event")).to_be_focused()


def test_leaving_with_unsaved_changes_asks_first(open_as: OpenAs, root: User) -> None:
    page = open_as(root, address(new_journey(ABANDONED_CART)))
    form = author(page)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.goto(address(Journey.objects.get()))
    assert asked == []
    form.write("entry/event", "other")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.goto(address(Journey.objects.get(), "status"))
    assert asked == ["beforeunload"]


def test_two_at_once_lose_nothing(open_as: OpenAs, root: User) -> None:
    journey = new_journey()
    journey = drafts.save_draft(journey, ABANDONED_CART, by=root, now=T0, lock=0)
    mine, theirs = (author(open_as(root, address(journey))) for _person in range(2))
    theirs.write("steps/0/after/~n", "45")
    theirs.page.get_by_role("button", name="Save draft").last.click()
    expect(theirs.page.get_by_text("The draft was saved.")).to_be_visible()
    mine.write("entry/event", "cart.left")
    mine.page.get_by_role("button", name="Save draft").last.click()
    expect(mine.page.get_by_text("root saved this draft while you were writing")).to_be_visible()
    assert violations(mine.page) == []
    mine.page.get_by_role("button", name="Put both together").click()
    assert (mine.value("steps/0/after/~n"), mine.value("entry/event")) == ("45", "cart.left")
    mine.page.get_by_role("button", name="Save draft").last.click()
    expect(mine.page.get_by_text("The draft was saved.")).to_be_visible()
    journey.refresh_from_db()
    assert (journey.draft["steps"][0]["after"], journey.draft["entry"]["event"]) == ("PT45M", "cart.left")


def test_without_scripts_the_same_buttons_work(open_as: OpenAs, root: User) -> None:
    journey = new_journey(ABANDONED_CART)
    page = open_as(root, address(journey), java_script_enabled=False)
    page.locator('button[value="remove:/steps/2"]').click()
    expect(page.locator(".a-undo")).to_contain_text("“a-day” was removed.")
    page.locator('button[value="undo"]').click()
    page.locator('[name="steps/2/after/~n"]').fill("12")
    page.get_by_role("button", name="Save draft").last.click()
    journey.refresh_from_db()
    assert journey.draft["steps"][2] == ABANDONED_CART["steps"][2] | {"after": "P12D"}


def test_a_phone_shows_the_form_without_scrolling_sideways(open_as: OpenAs, root: User) -> None:
    page = open_as(root, address(new_journey(ABANDONED_CART)), viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
