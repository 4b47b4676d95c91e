"""Rules over people's past say the same in SQL and in memory, of rules and people nobody thought of."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.ids import NIL, new_id
from customers.models import Brand, Customer, Event, EventPayload, Identifier, Profile, Source
from customers.rules import PEOPLE, Facts, Happened, Reading, Rule, parse

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
EVENTS = ["Order", "Visit"]
KINDS = ["email", "phone"]
# Moments just beside and upon the edges of the windows that rules ask for.
DAYS = [0, 1, 2, 3, 5, 8]
SECONDS = st.sampled_from([-1, 0, 1])


class Person(NamedTuple):
    """How long ago things happened and were received, by which of two profiles, with what properties."""

    events: list[tuple[str, timedelta, timedelta, int, dict[str, Any]]]
    identifiers: list[str]
    plan: str | None


@st.composite
def happenings(draw: st.DrawFn) -> tuple[str, timedelta, timedelta, int, dict[str, Any]]:
    ago = timedelta(days=draw(st.sampled_from(DAYS)), seconds=draw(SECONDS))
    received = timedelta(days=draw(st.sampled_from(DAYS))) if draw(st.booleans()) else ago
    properties = {"total": draw(st.sampled_from([5, 50, "50", None]))} if draw(st.booleans()) else {}
    return draw(st.sampled_from(EVENTS)), ago, received, draw(st.integers(0, 1)), properties


people = st.builds(
    Person,
    st.lists(happenings(), max_size=5),
    st.lists(st.sampled_from(KINDS), max_size=2, unique=True),
    st.sampled_from(["pro", "free", None]),
)
durations = st.sampled_from([f"P{day}D" for day in DAYS if day])
where: st.SearchStrategy[list[dict[str, Any]]] = st.just([]) | st.lists(
    st.fixed_dictionaries(
        {"name": st.just("total"), "op": st.sampled_from(["gt", "eq", "ne"]), "value": st.sampled_from([5, 49, "50"])}
    ),
    min_size=1,
    max_size=2,
)
counts = st.fixed_dictionaries(
    {
        "leaf": st.just("event_count"),
        "event": st.sampled_from(EVENTS),
        "op": st.sampled_from(["at_least", "at_most", "exactly"]),
        "times": st.integers(0, 3),
        "where": where,
    },
    optional={"within": durations},
)
recency = st.fixed_dictionaries(
    {
        "leaf": st.just("event_recency"),
        "event": st.sampled_from(EVENTS),
        "op": st.sampled_from(["last_within", "last_before", "first_within", "first_before"]),
        "ago": durations,
        "where": where,
    }
) | st.builds(lambda event: {"leaf": "event_recency", "event": event, "op": "never"}, st.sampled_from(EVENTS))
others = st.sampled_from(
    [
        {"leaf": "identifier", "name": "email"},
        {"leaf": "identifier", "name": "phone"},
        {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
    ]
)
leaves = counts | recency | others
groups = st.builds(lambda key, nodes: {key: nodes}, st.sampled_from(["all", "any"]), st.lists(leaves, min_size=2))
trees = leaves | groups | st.builds(lambda node: {"not": node}, leaves | groups)


def place(person: Person, brand: Brand, source: Source, first_event: int) -> UUID:
    """The person as rows; returns the customer's key."""
    customer = Customer.objects.create(created_at=NOW, traits={} if person.plan is None else {"plan": person.plan})
    profiles = [
        Profile.objects.create(customer=customer, customer_since=NOW, created_at=NOW)
        for _ in range(2 + len(person.identifiers))
    ]
    for profile, kind in zip(profiles[2:], person.identifiers, strict=True):
        value = str(profile.pk)
        Identifier.objects.create(
            namespace=NIL, kind_id=kind, value=value, original=value, profile=profile, opened_at=NOW
        )
    for n, (name, ago, received, by, properties) in enumerate(person.events):
        times = {"received_at": NOW - received}
        Event.objects.create(
            id=first_event + n, occurred_at=NOW - ago, brand=brand, source=source, profile=profiles[by], kind="track",
            name=name, message_id=str(new_id()), **times,
        )  # fmt: skip
        EventPayload.objects.create(event_id=first_event + n, payload={"properties": properties}, **times)
    return customer.pk


def facts_of(person: Person, now: datetime) -> Facts:
    happened = [
        Happened(name, min(NOW - ago, NOW - received), properties)
        for name, ago, received, _by, properties in person.events
    ]
    extra = {"events": happened, "identifiers": set(person.identifiers)}
    return Facts({} if person.plan is None else {"plan": person.plan}, extra=extra, now=now)


def in_sql(rule: Rule, now: datetime, brand: Brand, *, by_key: bool) -> dict[UUID, tuple[bool, datetime | None]]:
    """By customer, whether it holds, and when that may next change by itself."""
    reading = Reading(now, brand.pk, by_key=by_key)
    holds, given = rule.sql(reading)
    (turn, turning), (beside, joined) = reading.next_turn(), reading.joined()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c.id, {holds}, {turn} FROM customers_customer c{beside}", [*given, *turning, *joined])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(people, min_size=6, max_size=6), st.lists(trees, min_size=12, max_size=12))
def test_sql_and_memory_agree_now_and_at_the_next_turn(crowd: list[Person], asked: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        brand = Brand.objects.create(key=f"b{new_id()}", name="B")
        source = Source.objects.create(brand=brand, key="s", name="S")
        keys = [place(person, brand, source, 1000 * n) for n, person in enumerate(crowd)]
        for tree in asked:
            rule = parse(tree, PEOPLE)
            found = in_sql(rule, NOW, brand, by_key=False)
            assert found == in_sql(rule, NOW, brand, by_key=True)
            assert [found[key][0] for key in keys] == [rule.holds(facts_of(person, NOW)) for person in crowd]
            for key, person in zip(keys, crowd, strict=True):
                unchanged_until_its_turn(rule, person, found[key])
        transaction.set_rollback(True)


def unchanged_until_its_turn(rule: Rule, person: Person, found: tuple[bool, datetime | None]) -> None:
    """Nothing happens meanwhile: the answer may change at the moment that was named, and at none before."""
    holds, turn = found
    edges = {NOW + timedelta(days=day) - ago for day in DAYS for _n, *agos, _by, _p in person.events for ago in agos}
    for moment in sorted(edge for edge in edges if edge > NOW and (turn is None or edge < turn)):
        assert rule.holds(facts_of(person, moment)) is holds


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(people, min_size=5, max_size=5), st.lists(counts | recency, min_size=8, max_size=8))
def test_the_past_is_read_as_it_stood_then(crowd: list[Person], asked: list[dict[str, Any]]) -> None:
    then = NOW - timedelta(days=2)
    with transaction.atomic():
        brand = Brand.objects.create(key=f"b{new_id()}", name="B")
        source = Source.objects.create(brand=brand, key="s", name="S")
        keys = [place(person, brand, source, 1000 * n) for n, person in enumerate(crowd)]
        for tree in asked:
            rule, reading = parse(tree, PEOPLE), Reading(then, brand.pk)
            text, given = rule.as_of(reading)
            beside, joined = reading.joined()
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT c.id, {text} FROM customers_customer c{beside}", [*given, *joined])
                found = dict(cursor.fetchall())
            for key, person in zip(keys, crowd, strict=True):
                facts = facts_of(person, then)
                facts.extra = {"events": [one for one in facts.extra["events"] if one.at <= then]}
                assert found[key] is rule.holds(facts)
        transaction.set_rollback(True)
