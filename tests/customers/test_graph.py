"""Customers as a pure function of the edge set."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.ids import NIL
from customers.resolve.graph import Evidence, Grouping, Node, group

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def node(n: int, user: str = "") -> Node:
    return Node(UUID(int=n), ("user_id" if user else "anonymous_id", NIL), user or str(n), 1 if user else None)


def edge(one: int, other: int, assurance: int = 2, hours: int = 0, joins: bool = True) -> Evidence:
    low, high = sorted((UUID(int=one), UUID(int=other)))
    id_ = (one * 31 + other) * 100 + assurance * 10 + joins
    return Evidence(
        id_, low, high, "join" if joins else "split", assurance, T0 + timedelta(hours=hours), NIL, f"{one}-{other}"
    )


def people(grouping: Grouping) -> list[set[int]]:
    found: dict[UUID, set[int]] = {}
    for profile, customer in grouping.customer.items():
        found.setdefault(customer, set()).add(profile.int)
    return sorted(found.values(), key=min)


def test_edges_join_and_the_customer_is_the_least_profile() -> None:
    grouping = group([node(1), node(2), node(3)], [edge(3, 2)])
    assert people(grouping) == [{1}, {2, 3}]
    assert grouping.customer[UUID(int=3)] == UUID(int=2)


def test_two_user_ids_never_meet_and_the_better_evidence_wins() -> None:
    nodes = [node(1, "ana"), node(2, "bia"), node(3)]
    grouping = group(nodes, [edge(1, 3, assurance=1), edge(2, 3, assurance=3, hours=5)])
    assert people(grouping) == [{1}, {2, 3}]
    assert len(grouping.skipped) == 1


@pytest.mark.parametrize(("assurance", "with_device"), [(2, "bia"), (1, "ana"), (3, "ana")])
def test_of_what_a_source_saw_its_own_ids_come_before_what_was_typed(assurance: int, with_device: str) -> None:
    """A device was used with an e-mail first, of Ana; later Bia logged in on it."""
    nodes = [node(1, "ana"), node(2, "bia"), node(3), replace(node(4), typed=True)]
    edges = [edge(3, 4, assurance), edge(1, 4, assurance, hours=1), edge(2, 3, assurance, hours=2)]
    [device] = [one for one in people(group(nodes, edges)) if 3 in one]
    assert device == ({2, 3, 4} if with_device == "bia" else {1, 3, 4})


def test_told_apart_they_stay_apart_unless_outweighed() -> None:
    nodes = [node(1), node(2), node(3)]
    apart = edge(1, 3, assurance=3, joins=False)
    assert people(group(nodes, [edge(1, 2), edge(2, 3), apart])) == [{1, 2}, {3}]
    assert people(group(nodes, [edge(1, 2), edge(2, 3, assurance=4), apart])) in ([{1}, {2, 3}], [{1, 2, 3}])


facts = st.lists(
    st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 4), st.integers(0, 5), st.booleans()).filter(
        lambda fact: fact[0] != fact[1]
    ),
    max_size=12,
    unique_by=lambda fact: (min(fact[:2]), max(fact[:2]), fact[2], fact[4]),
)


def as_edges(found: list[tuple[int, int, int, int, bool]]) -> list[Evidence]:
    return [edge(min(a, b), max(a, b), assurance, hours, joins or a < 6) for a, b, assurance, hours, joins in found]


NODES = [node(1, "ana"), node(2, "bia"), node(3, "caio"), node(4), node(5), node(6), node(7)]


@given(facts, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(found, random) -> None:
    edges = as_edges(found)
    before = group(NODES, edges)
    random.shuffle(edges)
    assert group(list(reversed(NODES)), edges) == before


@given(facts)
def test_no_customer_ever_has_two_user_ids(found) -> None:
    for person in people(group(NODES, as_edges(found))):
        assert len(person & {1, 2, 3}) <= 1


@given(st.permutations(range(1, 6)))
def test_of_what_one_message_told_neither_is_older_whatever_the_profiles_are_called(ids: list[int]) -> None:
    """Profiles are called in the order of their making, and that is the order of arrival."""
    email, ana, anas_card, bia, bias_phone = (UUID(int=n) for n in ids)
    kinds = {email: "email", ana: "user_id", anas_card: "loyalty_card", bia: "user_id", bias_phone: "phone"}
    nodes = [
        Node(id_, (kind, NIL), kind + str(id_ == bia), 1 if kind == "user_id" else None) for id_, kind in kinds.items()
    ]
    sure = [(ana, anas_card, "m1"), (bia, bias_phone, "m2")]
    once = [(email, anas_card, "m3"), (email, bias_phone, "m3")]
    edges = [
        Evidence(n, min(pair), max(pair), "join", 2, T0 + timedelta(hours=told == "m3"), NIL, told)
        for n, (*pair, told) in enumerate(sure + once)
    ]
    grouping = group(nodes, edges)
    assert grouping.customer[email] == grouping.customer[ana]
    assert grouping.skipped == {3}


def test_every_order_of_five_edges_gives_the_same_people() -> None:
    edges = [edge(1, 4), edge(4, 5, hours=1), edge(5, 2), edge(2, 6), edge(6, 7, assurance=1)]
    results = {str(people(group(NODES, order))) for order in permutations(edges)}
    assert len(results) == 1
