"""A segment's rule written with the keyboard alone: nested, in words, counted while one types, and published."""

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from customers.models import Brand, Customer, EventType, Profile, ProfileBrand, SchemaVersion, Segment, TraitDefinition
from tests.browser.authoring import AuthorForm
from tests.browser.conftest import PHONE, OpenAs
from tests.browser.test_accessibility import violations
from tests.journeys.stage import T0

GOLD = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"}


def make_people() -> Segment:
    """Two of gold and one without a plan, in a brand whose registry knows of orders."""
    brand = Brand.objects.create(key="acme", name="Acme", zone="UTC", sender_email="hello@acme.example")
    TraitDefinition.objects.create(name="plan", label="Subscription")
    type_ = EventType.objects.create(brand=brand, name="order.completed")
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    SchemaVersion.objects.create(event_type=type_, number=1, schema=schema, status="approved")
    for plan in ("gold", "gold", None):
        customer = Customer.objects.create(created_at=T0, traits={"plan": plan} if plan else {})
        profile = Profile.objects.create(id=customer.pk, customer=customer, customer_since=T0, created_at=T0)
        ProfileBrand.objects.create(profile=profile, brand=brand, first_seen_at=T0)
    return Segment.objects.create(brand=brand, key="vip", name="VIP")


def opened(open_as: OpenAs, root: User, segment: Segment, locale: str = "en") -> Page:
    return open_as(root, reverse("admin:customers_segment_rule", args=[segment.pk]), locale=locale)


def press(page: Page, order: str) -> None:
    page.locator(f'#author-body button[value="{order}"]').focus()
    page.keyboard.press("Enter")
    AuthorForm(page).settle()


def choose(page: Page, name: str, label: str) -> None:
    """A choice by typing its beginning, as a keyboard does: on a busy machine as often as it takes, since a second
    between two letters begins a new word."""
    field = page.locator(f'#author [name="{name}"]')
    field.focus()
    for _attempt in range(5):
        page.keyboard.type(label)
        if field.evaluate("one => one.selectedOptions[0].label").startswith(label):
            break
        page.wait_for_timeout(1_200)
    page.keyboard.press("Tab")
    AuthorForm(page).settle()


def fill(page: Page, name: str, text: str) -> None:
    page.locator(f'#author [name="{name}"]').focus()
    page.keyboard.type(text)


def test_a_nested_rule_is_written_by_the_keyboard_counted_and_published(open_as: OpenAs, root: User) -> None:
    segment = make_people()
    page = opened(open_as, root, segment)
    beside = page.locator("#rule-preview")
    expect(beside).to_contain_text("Choose a condition.")
    choose(page, "rule/~node", "all")
    choose(page, "rule/+/0/~node", "Trait")
    fill(page, "rule/+/0/name", "plan")
    choose(page, "rule/+/0/op", "is")
    fill(page, "rule/+/0/value/~text", "gold")
    expect(beside).to_contain_text("2 of 3 people")
    expect(beside).to_contain_text("plan is gold")
    expect(beside).to_contain_text("plan é gold")
    press(page, "part:/rule/all")
    choose(page, "rule/+/1/~node", "not")
    choose(page, "rule/+/1/+/0/~node", "How")
    fill(page, "rule/+/1/+/0/event", "order.completed")
    page.keyboard.press("Tab")
    AuthorForm(page).settle()
    expect(beside).to_contain_text("plan is gold and not (order.completed happened at least 1 ×)")
    expect(beside).to_contain_text("2 of 3 people")
    press(page, "row:/rule/all/1/not/where")
    offered = page.locator('[name="rule/+/1/+/0/where/0/name"]').get_attribute("list")
    assert page.locator(f'[id="{offered}"] option').evaluate_all("all => all.map(one => one.value)") == ["total"]
    press(page, "remove:/rule/all/1/not/where/0")
    assert violations(page) == []
    page.locator('button[value="publish"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    segment.refresh_from_db()
    often = {"leaf": "event_count", "event": "order.completed", "where": [], "op": "at_least", "times": 1}
    assert segment.rule == {"all": [GOLD, {"not": often}]}
    expect(page.get_by_text("The rule was published.")).to_be_visible()


def test_it_reads_and_counts_without_scripts(open_as: OpenAs, root: User) -> None:
    segment = make_people()
    segment.rule = {"any": [GOLD, {"leaf": "identifier", "name": "phone"}]}
    segment.save()
    address = reverse("admin:customers_segment_rule", args=[segment.pk])
    page = open_as(root, address, java_script_enabled=False, locale="pt-BR", viewport=PHONE)
    page.locator('button[value="deny:/rule/any/0"]').click()
    expect(page.locator("#rule-preview")).to_contain_text("não (plan é gold) ou tem um identificador do tipo phone")
    page.locator('button[value="count"]').click()
    expect(page.locator("#rule-preview")).to_contain_text("1 de 3 pessoas")


def test_a_problem_is_told_at_its_field(open_as: OpenAs, root: User) -> None:
    page = opened(open_as, root, make_people(), "pt-BR")
    choose(page, "rule/~node", "Quantas")
    press(page, "check")
    assert page.locator("#a-summary li").count() == 1
    field = page.locator('[name="rule/event"]')
    assert field.get_attribute("aria-invalid") == "true"
    page.set_viewport_size(PHONE)
    assert violations(page) == []
