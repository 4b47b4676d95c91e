"""Who is in a segment whose rule asks personal data is told only to those who may read that; others get tens."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from analytics.memberships import memberships
from customers import traits
from customers.models import Customer, Segment, SegmentMembership, SegmentSize, TraitDefinition
from customers.rules import PEOPLE, parse
from customers.segments import define, telling
from customers.segments.count import Estimate
from customers.segments.preview import in_coarse_words
from tests.config.partners import make_partners
from tests.customers.partner_api import EVERY_SCOPE, code_of
from tests.customers.test_import_pages import client_of, marketer
from tests.journeys.forms import values_of
from tests.journeys.segments import BOUGHT, GOLD, make_list, make_segment
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db
BIG_ORDERS = BOUGHT | {"where": [{"name": "total", "op": "gt", "value": 50}]}


@pytest.fixture
def stage(db: None) -> Stage:
    traits.forget()
    return make_stage()


@pytest.fixture
def masked(stage: Stage) -> User:
    return marketer("masked", stage.brand, "view_brand", "change_brand")


@pytest.fixture
def reader(stage: Stage) -> User:
    return marketer("reader", stage.brand, "view_brand", "change_brand", "view_pii")


def make_open(name: str) -> None:
    TraitDefinition.objects.create(name=name, label=name, is_personal=False)
    traits.forget()


def seen_by(user: User) -> Any:
    def see(model: Any) -> Any:
        return model.objects.shown_to(user)

    return see


def page_of(user: User, segment: Segment) -> str:
    return client_of(user).get(reverse("admin:customers_segment_change", args=[segment.pk])).content.decode()


def previewed(user: User, segment: Segment, rule: Any) -> str:
    client, address = client_of(user), reverse("admin:customers_segment_rule", args=[segment.pk])
    taken = client.post(address, {"do": "json", "json": json.dumps(rule), "lock": str(segment.rule_version)})
    values = values_of(taken.content.decode())
    return client.post(address, values, headers={"X-Trilha-Part": "preview"}).content.decode()


@pytest.mark.parametrize(
    ("rule", "is_personal"),
    [
        (GOLD, True),
        ({"not": GOLD}, True),
        ({"leaf": "attribute", "name": "tier", "op": "eq", "value": "a"}, False),
        (BOUGHT, False),
        (BIG_ORDERS, True),
        ({"any": [BOUGHT, BIG_ORDERS]}, True),
        ({"leaf": "identifier", "name": "email"}, False),
    ],
)
def test_a_rule_is_personal_when_it_asks_what_is_masked(stage: Stage, rule: Any, is_personal: bool) -> None:
    make_open("tier")
    assert make_segment(stage, rule, is_built=False).is_personal is is_personal
    assert telling.asks_personal(parse(rule, PEOPLE), stage.brand.pk) is is_personal


def test_who_looks_at_a_personal_segment_is_personal(stage: Stage) -> None:
    inner = make_segment(stage, BOUGHT, "inner", is_built=False)
    middle = make_segment(stage, {"not": {"leaf": "segment", "key": "inner"}}, "middle", is_built=False)
    outer = make_segment(stage, {"leaf": "segment", "key": "middle"}, "outer", is_built=False)
    apart = make_segment(stage, BOUGHT, "apart", is_built=False)
    define.set_rule(inner, GOLD, stage.now)
    told = dict(Segment.objects.values_list("key", "is_personal"))
    assert told == {"inner": True, "middle": True, "outer": True, "apart": False}
    assert telling.asks_personal(parse(outer.rule, PEOPLE), stage.brand.pk)
    define.set_rule(inner, BOUGHT, stage.now)
    assert not Segment.objects.filter(is_personal=True).exists()
    assert {middle.pk, apart.pk} <= set(Segment.objects.values_list("pk", flat=True))


def test_a_trait_that_is_opened_opens_its_segments(stage: Stage) -> None:
    segment = make_segment(stage, GOLD, is_built=False)
    root = client_of(User.objects.create_superuser("root"))
    form = {"name": "plan", "label": "Plan", "type": "text", "winner": "latest", "trusted": ""}
    assert root.post(reverse("admin:customers_traitdefinition_add"), form).status_code == 302
    segment.refresh_from_db()
    assert not segment.is_personal
    one = reverse("admin:customers_traitdefinition_change", args=[TraitDefinition.objects.get().pk])
    assert root.post(one, form | {"is_personal": "on"}).status_code == 302
    segment.refresh_from_db()
    assert segment.is_personal


def test_a_rule_that_cannot_be_read_any_more_counts_as_personal(stage: Stage) -> None:
    segment = make_segment(stage, BOUGHT, is_built=False)
    Segment.objects.filter(pk=segment.pk).update(rule={"leaf": "of a plug-in that is gone"})
    telling.settle_all()
    segment.refresh_from_db()
    assert segment.is_personal


def test_pages_tell_nobody_masked_who_is_in_it(stage: Stage, masked: User, reader: User) -> None:
    stage.know("ana", plan="gold")
    segment = make_segment(stage, GOLD)
    hidden = "Its rule asks personal data: who is in it is shown to those who may read that."
    shown, full = page_of(masked, segment), page_of(reader, segment)
    customer = str(Customer.objects.get().pk)
    assert (hidden in shown, customer in shown, "fewer than 10" in shown) == (True, False, True)
    assert (hidden in full, customer in full, "fewer than 10" in full) == (False, True, False)
    assert not SegmentMembership.objects.visible_to(masked).exists()
    assert not SegmentSize.objects.visible_to(masked).exists()
    assert SegmentMembership.objects.visible_to(reader).count() == 1
    ana = Customer.objects.get().pk
    assert memberships(ana, seen_by(masked)) == ()
    assert len(memberships(ana, seen_by(reader))) == 1


def test_of_what_is_not_personal_everybody_is_told(stage: Stage, masked: User) -> None:
    stage.know("ana")
    stage.happen("order.completed", "ana")
    bought = make_segment(stage, BOUGHT)
    page = page_of(masked, bought)
    assert str(Customer.objects.get().pk) in page
    assert "fewer than 10" not in page
    assert {one.segment_id for one in SegmentMembership.objects.visible_to(masked)} == {bought.pk}
    make_list(stage)
    assert SegmentSize.objects.visible_to(masked).count() == 2


def test_a_rule_being_written_counts_nobody_single_for_the_masked(stage: Stage, masked: User, reader: User) -> None:
    for number in range(12):
        stage.know(f"u{number}", plan="gold", city="Natal" if number else "Belém")
    segment = Segment.objects.create(brand=stage.brand, key="vip", name="VIP")
    belem = {"leaf": "attribute", "name": "city", "op": "eq", "value": "Belém"}
    nowhere = belem | {"value": "Nowhere"}
    assert "1 of 12 people" in previewed(reader, segment, belem)
    one, none = previewed(masked, segment, belem), previewed(masked, segment, nowhere)
    few = "Fewer than 10 of the 10 people who were asked; they are not counted for you"
    assert few in one
    assert few in none
    assert "About 10 of 10 people" in previewed(masked, segment, GOLD)
    assert "0 of 12 people" in previewed(masked, segment, BOUGHT)


def test_a_sample_tells_of_nobody_either() -> None:
    """With one in a sample, the guess would say that they are among those who were asked."""
    found = Estimate(500, 90, 2_800, 2_000, 1_000_000, is_exact=False, hits=1)
    assert in_coarse_words(found) == ("fewer than 10 of the 2,000 people who were asked; they are not counted for you")
    found = Estimate(12_345, 11_000, 14_000, 2_000, 1_000_000, is_exact=False, hits=25)
    assert in_coarse_words(found) == "about 12,300 of 1,000,000 people"


def test_partners_without_the_scope_get_tens_and_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    traits.forget()
    masked = tuple(scope for scope in EVERY_SCOPE if scope != "customers:personal")
    partners = make_partners(till=masked)
    monkeypatch.setattr("customers.clock.utcnow", lambda: partners.stage.now)
    ana = partners.know(partners.shop, plan="gold")
    partners.know(partners.till, plan="gold")
    segment, bought = make_segment(partners.stage, GOLD), make_segment(partners.stage, {"not": BOUGHT}, "idle")
    assert partners.till.get(f"segments/{segment.pk}").json()["size"] == 0
    assert partners.till.get(f"segments/{segment.pk}").json()["is_personal"] is True
    assert partners.shop.get(f"segments/{segment.pk}").json()["size"] == 1
    assert code_of(partners.till.get(f"segments/{segment.pk}/members"), 403) == "insufficient_scope"
    assert len(partners.shop.get(f"segments/{segment.pk}/members").json()["items"]) == 1
    assert [one["customer"] for one in partners.till.get(f"segments/{bought.pk}/members").json()["items"]] == [ana]
    keys = [one["key"] for one in partners.till.get(f"customers/{ana}/segments").json()["items"]]
    assert keys == ["idle"]


def test_tens_are_told_from_ten_on() -> None:
    assert [telling.coarse(number) for number in (0, 1, 9, 10, 19, 20, 12_345)] == [0, 0, 0, 10, 10, 20, 12_340]
    assert [telling.coarse_words(number) for number in (0, 9, 10, 12_345)] == [
        "fewer than 10", "fewer than 10", "about 10", "about 12,340",
    ]  # fmt: skip
