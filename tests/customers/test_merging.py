"""People decide who is who: merged, looked at beforehand, and taken apart again with nothing lost."""

import os
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import Purpose
from consent.permission import Ask, permissions
from customers import merging
from customers.merging.decide import NothingToSplit
from customers.models import Address, Customer, Edge, Event, Identifier, Profile
from journeys.models import EntryMemory, Run
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def profile(value: str) -> UUID:
    return Identifier.objects.get(value=value, closed_at=None).profile_id


def decided(stage: Stage) -> merging.Decision:
    return merging.decide.decision(stage.brand.pk, 1, "test", stage.now)


def people() -> list[set[str]]:
    found: dict[UUID, set[str]] = {}
    for one in Identifier.objects.select_related("profile"):
        found.setdefault(one.profile.customer_id, set()).add(one.value)
    return sorted(found.values(), key=sorted)


def join(stage: Stage, one: str, other: str) -> None:
    stage.pass_time(seconds=1)
    merging.join(profile(one), profile(other), decided(stage))
    stage.run()


def split(stage: Stage, *values: str) -> None:
    stage.pass_time(seconds=1)
    merging.split([profile(value) for value in values], decided(stage))
    stage.run()


def test_two_accounts_of_one_person_are_two_names_from_now_on(stage: Stage) -> None:
    stage.happen("identify", "ana", email="ana@example.com")
    stage.happen("identify", "anna", email="anna@example.com")
    join(stage, "ana@example.com", "anna")
    assert people() == [{"ana", "anna", "ana@example.com", "anna@example.com"}]
    assert set(Edge.objects.filter(assurance=6).values_list("kind", "skipped")) == {("join", False), ("alias", False)}
    stage.happen("page.viewed", "", anonymous_id="phone")
    stage.happen("page.viewed", "anna", anonymous_id="phone")
    assert len(people()) == 1


def test_taken_apart_they_stay_apart_whatever_else_is_told(stage: Stage) -> None:
    stage.happen("identify", "ana", email="family@example.com")
    stage.happen("page.viewed", "", email="family@example.com", anonymous_id="tablet")
    assert len(people()) == 1
    split(stage, "tablet")
    assert people() == [{"ana", "family@example.com"}, {"tablet"}]
    for _again in range(3):
        stage.happen("page.viewed", "", email="family@example.com", anonymous_id="tablet")
        stage.happen("page.viewed", "ana", email="family@example.com")
    assert people() == [{"ana", "family@example.com"}, {"tablet"}]


def test_who_is_one_already_is_merged_without_harm(stage: Stage) -> None:
    stage.happen("identify", "ana", email="ana@example.com")
    stage.happen("identify", "anna", email="anna@example.com")
    join(stage, "ana", "anna")
    before = people()
    # Two people decided the same at once, or the facts came first.
    join(stage, "ana@example.com", "anna@example.com")
    join(stage, "ana", "anna")
    join(stage, "ana", "ana")
    assert people() == before == [{"ana", "anna", "ana@example.com", "anna@example.com"}]
    split(stage, "anna", "anna@example.com")
    assert people() == [{"ana", "ana@example.com"}, {"anna", "anna@example.com"}]


def test_a_later_decision_outweighs_an_earlier_one(stage: Stage) -> None:
    for visitor in ("a", "b"):
        stage.happen("page.viewed", "", anonymous_id=visitor)
    for _again in range(2):
        join(stage, "a", "b")
        assert people() == [{"a", "b"}]
        split(stage, "b")
        assert people() == [{"a"}, {"b"}]


def test_there_is_nothing_to_cut_within_one_profile_or_across_two_people(stage: Stage) -> None:
    for visitor in ("a", "b"):
        stage.happen("page.viewed", "", anonymous_id=visitor)
    for values in (["a"], ["a", "b"]):
        with pytest.raises(NothingToSplit):
            merging.split([profile(value) for value in values], decided(stage))


def test_events_stay_with_their_profile_and_traits_with_their_person(stage: Stage) -> None:
    stage.happen("identify", "", anonymous_id="a", traits={"plan": "gold", "city": "Recife"})
    stage.pass_time(minutes=1)
    stage.happen("identify", "", anonymous_id="b", traits={"plan": "basic"})
    before = dict(Customer.objects.values_list("id", "traits"))
    join(stage, "a", "b")
    united = Profile.objects.get(pk=profile("a")).customer
    assert united.traits == {"plan": "basic", "city": "Recife"}
    split(stage, "b")
    assert dict(Customer.objects.values_list("id", "traits")) == before
    assert Event.objects.filter(profile_id=profile("b")).count() == 1


def test_a_preview_tells_what_the_decision_then_does_and_writes_nothing(stage: Stage) -> None:
    for visitor in ("a", "b", "c"):
        stage.happen("page.viewed", "", anonymous_id=visitor)
    join(stage, "a", "b")
    edges = Edge.objects.count()
    foreseen = merging.preview_join(profile("b"), profile("c"), decided(stage))
    assert (Edge.objects.count(), people()) == (edges, [{"a", "b"}, {"c"}])
    assert [len(profiles) for profiles in foreseen.people.values()] == [3]
    assert foreseen.moved == {profile("c")}
    join(stage, "b", "c")
    assert people() == [{"a", "b", "c"}]
    cut = merging.preview_split([profile("a")], decided(stage))
    assert sorted(len(profiles) for profiles in cut.people.values()) == [1, 2]


def test_what_other_evidence_holds_apart_a_preview_says_so(stage: Stage) -> None:
    for visitor in ("a", "b"):
        stage.happen("page.viewed", "", anonymous_id=visitor)
    made = decided(stage)
    join(stage, "a", "b")
    split(stage, "b")
    # Decided before it was taken apart: the later word stands.
    assert merging.preview_join(profile("a"), profile("b"), made).stays


def verdicts(stage: Stage, address: str) -> list[tuple[bool, str]]:
    place, purpose = Address.objects.get(value=address).pk, Purpose.objects.get().pk
    asks = [Ask(customer, place, purpose) for customer in sorted(customers())]
    return [(one.allowed, one.reason) for one in permissions(asks, stage.now)]


def test_a_grant_among_ones_own_counts_as_before_when_a_merge_was_undone(stage: Stage) -> None:
    stage.happen("page.viewed", "", anonymous_id="older")
    about = {"properties": {"purpose": "news"}, "email": "ana@example.com"}
    stage.happen("consent.withdrawn", "ana", **about)
    stage.pass_time(hours=1)
    stage.happen("consent.granted", "", anonymous_id="phone", **about)
    assert verdicts(stage, "ana@example.com") == [(False, "no_consent"), (True, "")]
    join(stage, "older", "ana")
    assert verdicts(stage, "ana@example.com") == [(True, "")]
    split(stage, "older")
    assert verdicts(stage, "ana@example.com") == [(False, "no_consent"), (True, "")]


def test_a_grant_from_before_the_merge_outweighs_nothing_of_the_others(stage: Stage) -> None:
    stage.happen("consent.withdrawn", "", anonymous_id="older", email="a@example.com", properties={"purpose": "news"})
    stage.pass_time(hours=1)
    stage.happen("consent.granted", "ana", properties={"purpose": "news"})
    join(stage, "ana", "older")
    assert verdicts(stage, "a@example.com") == [(False, "withdrawn")]


# --- unmerge(merge(x)) = x, with events, consents and runs ----------------------------------------------------------
# What a run did meanwhile stays done, as when the other did what it awaits: nobody does such a thing here.

NAMES = ("a", "b", "c", "d")
ENTRY = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}
Deed = tuple[str, str]
deeds = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["grant", "withdraw", "enter", "identify", "share", "rest"])),
    min_size=3,
    max_size=14,
)


def act(stage: Stage, deed: Deed) -> None:
    name, what = deed
    address = f"{name}@example.com"
    match what:
        case "grant" | "withdraw":
            told = "consent.granted" if what == "grant" else "consent.withdrawn"
            stage.happen(told, "", anonymous_id=name, email=address, properties={"purpose": "news"})
        case "enter":
            stage.happen("customer.signed_up", "", anonymous_id=name)
        case "identify":
            stage.happen("identify", "", anonymous_id=name, email=address, traits={"name": name, "email": address})
        case "share":
            stage.happen("page.viewed", "", anonymous_id=name, email="family@example.com")
        case _:
            stage.pass_time(minutes=7)


def picture(stage: Stage) -> dict[str, Any]:
    """Everything that merging may move: who is whose, what may be sent to whom, runs, traits."""
    homes = dict(Profile.objects.values_list("id", "customer_id"))
    purpose = Purpose.objects.get().pk
    asks = [
        Ask(customer, address, purpose)
        for customer in sorted(set(homes.values()))
        for address in sorted(Address.objects.values_list("id", flat=True))
    ]
    fields = ("id", "customer_id", "profile_id", "status", "step", "due_at", "ended_at", "merged_into_id")
    return {
        "homes": homes,
        "verdicts": dict(zip(asks, permissions(asks, stage.now), strict=True)),
        "runs": list(Run.objects.order_by("id").values(*fields)),
        "memory": list(EntryMemory.objects.order_by("journey_id", "profile_id", "entry_key").values()),
        "traits": dict(Customer.objects.filter(profiles__isnull=False).values_list("id", "traits")),
        "events": set(Event.objects.values_list("id", "profile_id")),
    }


def customers() -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for id_, customer in Profile.objects.values_list("id", "customer_id"):
        found.setdefault(customer, []).append(id_)
    return found


@settings(max_examples=600 if os.environ.get("FULL") else 40, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds, st.data())
def test_a_merge_that_is_undone_was_never_there(told: Sequence[Deed], data: st.DataObject) -> None:
    undone = transaction.atomic()
    # As Django's own tests say of theirs: what must be outermost may still begin inside.
    undone._from_testcase = True  # type: ignore[attr-defined]  # Django's own
    with undone:
        stage = make_stage()
        stage.publish(welcome(entry=ENTRY))
        for deed in told:
            act(stage, deed)
        pairs = list(combinations(sorted(customers()), 2))
        if pairs:
            # The clock stands still, lest anything but the merge changes.
            one, other = data.draw(st.sampled_from(pairs))
            before, profiles = picture(stage), customers()
            merging.join(profiles[one][0], profiles[other][0], decided(stage))
            stage.run()
            assert len(customers()) == len(profiles) - 1
            out = data.draw(st.sampled_from([profiles[one], profiles[other]]))
            stage.now += timedelta(microseconds=1)
            merging.split(out, decided(stage))
            stage.run()
            stage.now -= timedelta(microseconds=1)
            assert picture(stage) == before
        transaction.set_rollback(True)
