"""Whose word on a trait counts: the last, the first, or the more trusted source's; what is not of its type never."""

from typing import Any

import pytest
from django.db import connection

from customers import jobs, traits
from customers.merging import anew
from customers.models import Customer, Source, Trait, TraitDefinition
from customers.personal import TRAITS, mask
from customers.rules import parse
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None) -> Stage:
    traits.forget()
    return make_stage()


def define(name: str, **fields: Any) -> TraitDefinition:
    made, _new = TraitDefinition.objects.update_or_create(name=name, defaults=fields)
    traits.forget()
    return made


def say(stage: Stage, value: Any, source: Source | None = None, name: str = "plan") -> None:
    before, stage.source = stage.source, source or stage.source
    stage.happen("identify", traits={name: value})
    stage.source = before
    stage.pass_time(minutes=1)


def known() -> dict[str, Any]:
    return dict(Customer.objects.get().traits)


def test_by_default_the_last_word_counts(stage: Stage) -> None:
    say(stage, "basic")
    say(stage, "gold")
    assert known() == {"plan": "gold"}


def test_the_first_word_counts_where_it_is_said_so(stage: Stage) -> None:
    define("plan", winner="first")
    say(stage, "basic")
    say(stage, "gold")
    assert known() == {"plan": "basic"}


def test_a_trusted_sources_word_counts_whenever_it_was_said(stage: Stage) -> None:
    crm = Source.objects.create(brand=stage.brand, key="crm", name="CRM")
    define("plan", winner="trusted", trusted=[crm.pk])
    say(stage, "basic")
    assert known() == {"plan": "basic"}
    say(stage, "gold", crm)
    say(stage, "silver")
    assert known() == {"plan": "gold"}


@pytest.mark.parametrize(
    ("type_", "fits", "does_not"),
    [
        ("number", 7, "7"),
        ("text", "7", 7),
        ("flag", True, "true"),
        ("list", [1], {"a": 1}),
        ("document", {"a": 1}, [1]),
        ("moment", "2026-03-02T12:00:00Z", "soon"),
        ("moment", "2026-03-02", "2026-3-2"),
    ],
)
def test_what_is_not_of_its_type_is_kept_and_never_wins(stage: Stage, type_: str, fits: Any, does_not: Any) -> None:
    define("x", type=type_)
    say(stage, fits, name="x")
    say(stage, does_not, name="x")
    assert known() == {"x": fits}
    assert Trait.objects.filter(name="x").count() == 2
    say(stage, None, name="x")
    assert known() == {"x": None}


def test_a_new_definition_holds_for_everybody_after_a_job(stage: Stage) -> None:
    say(stage, "basic")
    say(stage, "gold")
    define("plan", winner="first")
    anew.ask_for_traits(["plan"])
    assert jobs.work_on(lambda: stage.now, seconds=30)
    assert known() == {"plan": "basic"}


def test_a_rule_asked_of_the_past_follows_the_same_definition(stage: Stage) -> None:
    define("plan", winner="first")
    say(stage, "basic")
    then = stage.now
    say(stage, "gold")
    rule = parse({"leaf": "attribute", "name": "plan", "op": "eq", "value": "basic"})
    for moment in (then, stage.now):
        text, parameters = rule.as_of(moment)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {text} FROM customers_customer c", parameters)
            assert cursor.fetchone() == (True,)


def test_country_zone_and_locale_are_read_off_the_traits(stage: Stage) -> None:
    told = {"country": "br", "timezone": "America/Recife", "locale": "pt-BR"}
    stage.happen("identify", traits=told)
    one = Customer.objects.get()
    assert (one.country, one.zone, one.locale) == ("BR", "America/Recife", "pt-BR")
    stage.pass_time(minutes=1)
    stage.happen("identify", traits={"country": "Brazil", "address": {"country": "AU"}})
    assert Customer.objects.get().country == "AU"


def test_what_is_not_personal_is_shown_to_all_who_see_the_customer(stage: Stage) -> None:
    told = {"plan": "gold", "email": "ana@example.com"}
    assert mask(told, TRAITS) == {"plan": "•••", "email": "•••"}
    define("plan", is_personal=False)
    assert mask(told, TRAITS) == {"plan": "gold", "email": "•••"}
