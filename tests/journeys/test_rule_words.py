"""A rule beside its form: in words, in both languages, whatever valid rule it is; turned, moved and counted."""

from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.authoring.choices import Choices
from customers.authoring.controls import Control
from customers.authoring.edits import CannotEdit
from customers.authoring.rule_form import size_of
from customers.authoring.words import rule_words
from customers.models import Brand, Customer, EventType, Profile, ProfileBrand, SchemaVersion, TraitDefinition
from customers.rules import parse
from customers.rules.parse import MOST_CONDITIONS, MOST_LEVELS
from customers.suggest import property_names, trait_names
from journeys.authoring import edits
from journeys.authoring.controls import controls
from tests.customers.segment_door import NOW
from tests.customers.test_rules_agree import ANYTHING, groups, leaves

RULES = st.lists(ANYTHING, min_size=2, max_size=4).flatmap(
    lambda pool: st.recursive(leaves(pool), groups, max_leaves=8)
)


def attribute(name: str, op: str, *value: Any) -> dict[str, Any]:
    return {"leaf": "attribute", "name": name, "op": op, **({"value": value[0]} if value else {})}


PLAN = attribute("plan", "eq", "pro")
CART = {"leaf": "event_property", "name": "cart.total", "op": "gt", "value": 50}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "plan is pro and (cart.total is more than 50 or not (email is known))"),
        ("pt-br", "plan é pro e (cart.total é maior que 50 ou não (email é conhecido))"),
    ],
)
def test_a_rule_reads_as_a_sentence(language: str, words: str) -> None:
    rule = {"all": [PLAN, {"any": [CART, {"not": attribute("email", "exists")}]}]}
    with translation.override(language):
        assert rule_words(rule) == words


@given(RULES)
@settings(max_examples=300, deadline=None)
def test_every_valid_rule_has_words_that_name_all_it_looks_at(rule: dict[str, Any]) -> None:
    parse(rule)
    for language in ("en", "pt-br"):
        with translation.override(language):
            words = rule_words(rule)
        assert all(name in words for name in names(rule)), words


def names(rule: Any) -> set[str]:
    if "leaf" in rule:
        return {rule["name"]}
    inner = rule.get("all") or rule.get("any") or [rule["not"]]
    return {name for part in inner for name in names(part)}


@given(RULES)
@settings(max_examples=200, deadline=None)
def test_the_size_shown_is_the_size_that_is_judged(rule: dict[str, Any]) -> None:
    conditions, levels = size_of(rule)
    assert (conditions <= MOST_CONDITIONS, levels <= MOST_LEVELS) == (True, True) or not parses(rule)
    deeper = rule
    for _more in range(MOST_LEVELS - levels):
        deeper = {"not": deeper}
    assert (parses(deeper), parses({"not": deeper})) == (True, False)


def parses(rule: Any) -> bool:
    try:
        parse(rule)
    except Exception as error:
        return not type(error).__name__.startswith("RuleError")
    return True


def document(rule: Any) -> dict[str, Any]:
    return {"entry": {"event": "cart.created", "rule": rule}, "steps": [], "states": []}


def test_a_condition_is_turned_into_its_opposite_and_back() -> None:
    made = document({"all": [PLAN, CART]})
    assert edits.apply(made, "deny:/entry/rule/all/1").focus == "/entry/rule/all/1"
    assert made["entry"]["rule"] == {"all": [PLAN, {"not": CART}]}
    edits.apply(made, "deny:/entry/rule")
    assert made["entry"]["rule"] == {"not": {"all": [PLAN, {"not": CART}]}}
    edits.apply(made, "deny:/entry/rule")
    edits.apply(made, "deny:/entry/rule/all/1")
    assert made["entry"]["rule"] == {"all": [PLAN, CART]}


@pytest.mark.parametrize("order", ["deny:/entry/rule/all/2", "deny:/entry/nothing", "deny:", "deny:/entry/rule/all/x"])
def test_what_is_not_there_has_no_opposite(order: str) -> None:
    made = document({"all": [PLAN, None]})
    with pytest.raises(CannotEdit):
        edits.apply(made, order)
    assert made == document({"all": [PLAN, None]})


def test_no_condition_has_no_opposite() -> None:
    with pytest.raises(CannotEdit):
        edits.apply(document({"all": [PLAN, None]}), "deny:/entry/rule/all/1")


def test_conditions_are_moved_within_their_group() -> None:
    made = document({"any": [PLAN, CART]})
    assert edits.apply(made, "up:/entry/rule/any/1").focus == "/entry/rule/any/0"
    assert made["entry"]["rule"] == {"any": [CART, PLAN]}


def parts(rule: Any) -> list[Control]:
    return list(controls(document(rule), Choices())["entry"].walk())


def test_the_form_says_the_rule_its_size_and_what_can_be_done_with_each_part() -> None:
    shown = next(one for one in parts({"all": [PLAN, {"not": CART}]}) if one.kind == "rule")
    assert (shown.extra["words"], shown.extra["conditions"], shown.extra["levels"]) == (
        "plan is pro and not (cart.total is more than 50)", 2, 3,
    )  # fmt: skip
    assert not shown.extra["is_too_large"]
    nodes = {one.pointer: one.extra for one in parts({"all": [PLAN, {"not": CART}]}) if one.kind == "node"}
    first, second = nodes["/entry/rule/all/0"], nodes["/entry/rule/all/1"]
    assert (first["is_first"], first["is_last"], first["is_denied"]) == (True, False, False)
    assert (second["is_first"], second["is_last"], second["is_denied"]) == (False, True, True)


def test_a_rule_beyond_the_limits_is_told_so_at_its_field() -> None:
    many = next(one for one in parts({"any": [PLAN] * (MOST_CONDITIONS + 1)}) if one.kind == "rule")
    assert (many.extra["conditions"], many.extra["is_too_large"]) == (MOST_CONDITIONS + 1, True)


def test_names_are_suggested_where_each_belongs() -> None:
    lists = {one.pointer: one.suggestions for one in parts({"all": [PLAN, CART]}) if one.label and one.suggestions}
    assert lists["/entry/rule/all/0/name"] == "list-trait"
    assert lists["/entry/rule/all/1/name"] == "list-property"


@pytest.mark.django_db
def test_suggestions_come_from_the_registry_and_from_people_of_the_brand_alone() -> None:
    shop, other = (Brand.objects.create(key=key, name=key) for key in ("shop", "other"))
    TraitDefinition.objects.create(name="tier", label="Loyalty tier")
    for brand, name in ((shop, "favourite"), (other, "secret_plan")):
        customer = Customer.objects.create(created_at=NOW, traits={name: "x", "tier": "gold"})
        profile = Profile.objects.create(customer=customer, customer_since=NOW, created_at=NOW)
        ProfileBrand.objects.create(profile=profile, brand=brand, first_seen_at=NOW)
    assert trait_names(shop.pk) == [("favourite", "favourite"), ("tier", "Loyalty tier")]
    for brand, name, status in ((shop, "total", "approved"), (shop, "draft", "draft"), (other, "theirs", "approved")):
        type_ = EventType.objects.create(brand=brand, name=f"order.{name}")
        schema = {"type": "object", "properties": {name: {}}}
        SchemaVersion.objects.create(event_type=type_, number=1, schema=schema, status=status)
    SchemaVersion.objects.create(
        event_type=type_, number=2, schema={"properties": []}, status="approved", follows=type_.versions.get()
    )
    assert property_names(shop.pk) == [("total", "total", "order.total")]
