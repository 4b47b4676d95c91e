"""Rules ask what somebody was granted: the same in SQL and in memory, now and as of a moment."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from channels.entitlements.balance import held
from channels.entitlements.leaf import HELD
from customers.models import Brand, Customer, Profile
from customers.pg import raw_cursor
from customers.rules import PEOPLE, WALK, Facts, Reading, RuleError, leaf_kinds, parse
from tests.channels.test_entitlements import KEY, grant, revoke, use
from tests.channels.world import NOW, Person, World

DAY = timedelta(days=1)


def rule(**more: Any) -> dict[str, Any]:
    return {"leaf": "entitlement", "key": KEY} | more


def in_sql(world: World, document: Any, at: datetime, *, by_key: bool = False, as_of: bool = False) -> dict[UUID, Any]:
    asked, reading = parse(document, PEOPLE), Reading(at, world.brand.pk, by_key=by_key)
    holds, given = asked.as_of(reading) if as_of else asked.sql(reading)
    (turn, turning), (beside, joined) = reading.next_turn(), reading.joined()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id, {holds}, {turn} FROM customers_customer c{beside}", [*given, *turning, *joined])
        return {row[0]: row[1:] for row in cursor.fetchall()}


def in_memory(world: World, document: Any, at: datetime) -> dict[UUID, bool]:
    people = list(Customer.objects.values_list("pk", flat=True))
    with raw_cursor() as cursor:
        found = held(cursor, people, {KEY}, at)
    asked = parse(document, PEOPLE)
    return {one: asked.holds(Facts(extra={HELD: found.get((one, world.brand.pk), ())}, now=at)) for one in people}


def crowd(world: World) -> list[Person]:
    """Nothing; one; used up; two of two grants; uncounted; ended; taken back; of another key; of another brand."""
    people = [world.person(f"p{n}@example.com") for n in range(9)]
    grant(world, people[1], 1, key="a")
    grant(world, people[2], 1, key="b")
    use(world, people[2], 1, key="u")
    grant(world, people[3], 1, key="c")
    grant(world, people[3], 1, key="d", until=NOW + 5 * DAY)
    grant(world, people[4], None, key="e", until=NOW + 3 * DAY)
    grant(world, people[5], 9, key="f", until=NOW + DAY)
    revoke(grant(world, people[6], 9, key="g"))
    grant(world, people[7], 9, key="h", what="other")
    other = World(Brand.objects.create(key="o", name="O"), world.purpose, world.connector, world.version, NOW_ID)
    grant(other, people[8], 9, key="i")
    return people


NOW_ID = UUID(int=7)


def test_sql_by_key_or_for_all_and_memory_say_the_same_at_any_time(world: World) -> None:
    people = crowd(world)
    for least, days in product((1, 2, 3, 9), (0, 2, 4, 6)):
        at, document = NOW + days * DAY, rule(at_least=least)
        found = in_sql(world, document, at)
        assert found == in_sql(world, document, at, by_key=True)
        then = in_sql(world, document, at, as_of=True)
        assert {key: one[0] for key, one in found.items()} == {key: one[0] for key, one in then.items()}
        assert {key: one[0] for key, one in found.items()} == in_memory(world, document, at)
        negated = in_sql(world, {"not": document}, at)
        assert {key: one[0] for key, one in negated.items()} == {key: not one[0] for key, one in found.items()}
    now = in_sql(world, rule(), NOW)
    assert [now[one.customer.pk][0] for one in people] == [False, True, False, True, True, True, False, False, False]
    twice = in_sql(world, rule(at_least=2), NOW)
    assert [twice[one.customer.pk][0] for one in people] == [False, False, False, True, True, True, False, False, False]


def test_it_says_when_the_next_grant_ends(world: World) -> None:
    people = crowd(world)
    found = in_sql(world, rule(), NOW)
    assert [found[people[n].customer.pk][1] for n in (1, 3, 4, 5)] == [
        None, NOW + 5 * DAY, NOW + 3 * DAY, NOW + DAY,
    ]  # fmt: skip


def test_as_of_a_moment_past_what_was_done_since_does_not_count(world: World) -> None:
    ana = world.person()
    id_ = grant(world, ana, 2, at=NOW + DAY)
    use(world, ana, 1, at=NOW + 2 * DAY)
    revoke(id_, at=NOW + 3 * DAY)
    key = ana.customer.pk
    said = [
        [in_sql(world, rule(at_least=least), NOW + days * DAY, as_of=True)[key][0] for days in range(5)]
        for least in (1, 2)
    ]
    assert said == [[False, True, True, False, False], [False, True, False, False, False]]


def test_what_two_profiles_of_one_person_have_counts_together(world: World) -> None:
    ana, bia = world.person("a@example.com"), world.person("b@example.com")
    grant(world, ana, 1, key="a")
    grant(world, bia, 1, key="b")
    assert not any(one[0] for one in in_sql(world, rule(at_least=2), NOW).values())
    Profile.objects.filter(pk=bia.profile.pk).update(customer=ana.customer)
    assert in_sql(world, rule(at_least=2), NOW)[ana.customer.pk][0] is True


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"key": "Free Shipping"}, "name_invalid", "/key"),
        ({"key": ""}, "name_invalid", "/key"),
        ({"at_least": 0}, "out_of_range", "/at_least"),
        ({"at_least": 1_000_001}, "out_of_range", "/at_least"),
        ({"at_least": "2"}, "wrong_type", "/at_least"),
        ({"still": True}, "unknown_field", "/still"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(more: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(RuleError) as refused:
        parse(rule(**more), WALK)
    assert [(one.code, one.pointer) for one in refused.value.problems] == [(code, pointer)]


def test_it_stands_in_rules_about_people_and_on_the_way_and_not_at_the_moment_of_an_event() -> None:
    assert ("entitlement" in leaf_kinds(PEOPLE), "entitlement" in leaf_kinds(WALK), "entitlement" in leaf_kinds()) == (
        True, True, False,
    )  # fmt: skip
