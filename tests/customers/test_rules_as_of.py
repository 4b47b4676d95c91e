"""Rules over what was true at a moment, from the intervals of the customer's profiles."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from customers.models import Customer, Profile, Trait
from customers.pg import raw_cursor
from customers.rules import Rule, parse

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)


def on(day: int) -> datetime:
    return START + timedelta(days=day)


def plan_is(value: str) -> Rule:
    return parse({"leaf": "attribute", "name": "plan", "op": "eq", "value": value})


def person(profiles: int = 1) -> list[Profile]:
    customer = Customer.objects.create(created_at=START)
    return [Profile.objects.create(customer=customer, customer_since=START, created_at=START) for _ in range(profiles)]


def said(profile: Profile, name: str, value: Any, day: int, event_id: int = 1) -> None:
    Trait.objects.create(
        profile=profile, name=name, value=value, valid_from=on(day), recorded_at=on(day), event_id=event_id
    )


def held(rule: Rule, moment: datetime) -> int:
    """For how many of all customers."""
    text, parameters = rule.as_of(moment)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM customers_customer c WHERE {text}", parameters)
        return int(cursor.fetchone()[0])


def test_the_last_value_by_then_counts() -> None:
    (profile,) = person()
    said(profile, "plan", "free", 1)
    said(profile, "plan", "pro", 3)
    assert [held(plan_is("pro"), on(day)) for day in range(5)] == [0, 0, 0, 1, 1]
    assert [held(plan_is("free"), on(day)) for day in range(5)] == [0, 1, 1, 0, 0]


def test_the_winner_is_sought_over_all_profiles_of_the_customer() -> None:
    one, other = person(profiles=2)
    (stranger,) = person()
    said(one, "plan", "free", 1)
    said(other, "plan", "pro", 2)
    said(stranger, "plan", "free", 3)
    assert held(plan_is("pro"), on(2)) == 1
    assert held(plan_is("free"), on(2)) == 0


def test_of_two_values_from_one_moment_the_later_event_wins() -> None:
    one, other = person(profiles=2)
    said(one, "plan", "pro", 1, event_id=8)
    said(other, "plan", "free", 1, event_id=7)
    assert held(plan_is("pro"), on(1)) == 1


def test_a_value_taken_back_is_missing_from_then_on() -> None:
    (profile,) = person()
    said(profile, "plan", "pro", 1)
    said(profile, "plan", None, 2)
    missing = parse({"leaf": "attribute", "name": "plan", "op": "missing"})
    assert [held(missing, on(day)) for day in range(3)] == [1, 0, 1]


def test_a_path_walks_into_the_value_of_then() -> None:
    (profile,) = person()
    said(profile, "address", {"city": "Recife"}, 1)
    lives = parse({"not": {"leaf": "attribute", "name": "address.city", "op": "eq", "value": "Recife"}})
    assert [held(lives, on(day)) for day in range(2)] == [1, 0]


def test_what_an_event_said_never_changes() -> None:
    rule = parse({"all": [{"leaf": "event_property", "name": "total", "op": "gt", "value": 5}]})
    assert rule.as_of(START) == rule.sql()


def test_a_rule_also_runs_with_parameters_bound_by_the_server() -> None:
    conditions = [("in", ["pro", 1]), ("starts_with", "p"), ("contains", "r"), ("lt", "z"), ("ne", 5)]
    rule = parse({"all": [{"leaf": "attribute", "name": "plan", "op": op, "value": v} for op, v in conditions]})
    Customer.objects.create(created_at=START, traits={"plan": "pro"})
    text, parameters = rule.sql()
    found = raw_cursor().execute(f"SELECT count(*) FROM customers_customer c WHERE {text}", parameters).fetchone()
    assert found == (1,)
