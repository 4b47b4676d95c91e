"""Segments follow what happens: who comes, who leaves, when time alone decides, and what is told of it."""

from typing import Any

import pytest

from customers import internal
from customers.awaited import await_names
from customers.models import Customer, Event, EventPayload, Profile, Segment, SegmentItem, SegmentTurn
from customers.rules import RuleError
from customers.segments import define
from tests.journeys.segments import (
    BOUGHT,
    GOLD,
    NEVER_BOUGHT,
    build_all,
    inside,
    make_segment,
    spells,
)
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def told(name: str) -> list[tuple[str, bool]]:
    """(segment, is historical) of the events of that name."""
    events = Event.objects.filter(name=name).order_by("id")
    said = {
        one.event_id: one.payload["properties"]["segment"] for one in EventPayload.objects.filter(event_id__in=events)
    }
    return [(said[event.pk], event.historical) for event in events]


def identify(stage: Stage, user: str, **traits: Any) -> None:
    stage.happen("identify", user, traits=traits)


def test_a_build_finds_who_is_in_it_and_starts_nothing(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED])
    identify(stage, "ana", plan="gold")
    identify(stage, "bia", plan="free")
    segment = make_segment(stage, GOLD)
    assert (segment.state, segment.size, segment.built_at) == (Segment.State.LIVE, 1, stage.now)
    assert inside(segment) == {"ana"}
    assert spells(segment) == [(False, True)]
    assert told(internal.SEGMENT_ENTERED) == []


def test_a_trait_that_changes_brings_in_and_takes_out(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED, internal.SEGMENT_LEFT])
    segment = make_segment(stage, GOLD)
    identify(stage, "ana", plan="gold")
    assert inside(segment) == {"ana"}
    stage.pass_time(minutes=1)
    identify(stage, "ana", plan="free")
    assert inside(segment) == set()
    stage.pass_time(minutes=1)
    identify(stage, "ana", plan="gold")
    assert spells(segment) == [(True, False), (False, False)]
    assert told(internal.SEGMENT_ENTERED) == [("vip", False), ("vip", False)]
    assert told(internal.SEGMENT_LEFT) == [("vip", False)]


def test_the_event_names_its_cause(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED])
    make_segment(stage, GOLD)
    identify(stage, "ana", plan="gold")
    entered = Event.objects.get(name=internal.SEGMENT_ENTERED)
    assert (entered.cause_id, entered.hops) == (Event.objects.get(name="identify").pk, 1)


def test_what_a_segment_does_not_look_at_queues_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    make_segment(stage, GOLD)
    identify(stage, "ana", plan="free")
    asked: list[int] = []
    monkeypatch.setattr("customers.segments.stage.settle", lambda *given, **_names: asked.append(len(given[2])))
    identify(stage, "ana", city="Recife")
    stage.happen("order.completed", "ana")
    assert asked == []


def test_an_event_counts_and_the_window_moves_on(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_LEFT])
    segment = make_segment(stage, BOUGHT)
    stage.happen("order.completed", "ana")
    assert inside(segment) == {"ana"}
    stage.pass_time(days=20)
    stage.happen("order.completed", "ana")
    stage.pass_time(days=29)
    assert inside(segment) == {"ana"}
    stage.pass_time(days=1, seconds=1)
    assert inside(segment) == set()
    assert told(internal.SEGMENT_LEFT) == [("vip", False)]
    assert not SegmentTurn.objects.exists()


def test_time_alone_can_bring_somebody_in(stage: Stage) -> None:
    segment = make_segment(stage, {"leaf": "event_recency", "event": "visit", "op": "last_before", "ago": "P7D"})
    stage.happen("visit", "ana")
    assert inside(segment) == set()
    stage.pass_time(days=7)
    assert inside(segment) == {"ana"}
    stage.happen("visit", "ana")
    assert inside(segment) == set()


def test_a_turn_found_by_the_build_comes(stage: Stage) -> None:
    stage.happen("order.completed", "ana")
    segment = make_segment(stage, {"all": [BOUGHT, {"not": GOLD}]})
    assert inside(segment) == {"ana"}
    stage.pass_time(days=31)
    assert inside(segment) == set()


def test_no_turn_is_kept_of_those_in_whom_time_changes_nothing(stage: Stage) -> None:
    identify(stage, "ana", plan="free")
    stage.happen("order.completed", "ana")
    make_segment(stage, {"all": [BOUGHT, GOLD]})
    stage.happen("order.completed", "ana")
    assert not SegmentTurn.objects.exists()


def test_who_is_new_is_in_a_segment_of_those_who_never_did(stage: Stage) -> None:
    segment = make_segment(stage, NEVER_BOUGHT)
    stage.happen("visit", "ana")
    assert inside(segment) == {"ana"}
    stage.happen("order.completed", "ana")
    assert inside(segment) == set()


def test_history_fills_and_starts_nothing(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED])
    segment = make_segment(stage, BOUGHT)
    stage.happen("order.completed", "ana", historical=True)
    assert spells(segment) == [(False, True)]
    assert told(internal.SEGMENT_ENTERED) == [("vip", True)]


def test_what_happens_during_a_build_is_not_lost(stage: Stage) -> None:
    identify(stage, "ana", plan="gold")
    segment = make_segment(stage, GOLD, is_built=False)
    identify(stage, "bia", plan="gold")
    assert SegmentItem.objects.count() == 1
    build_all(stage.now)
    identify(stage, "eva", plan="gold")
    assert inside(segment) == {"ana", "bia", "eva"}
    assert not SegmentItem.objects.exists()


def test_an_edited_rule_is_built_anew_as_history(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_LEFT])
    segment = make_segment(stage, GOLD)
    identify(stage, "ana", plan="gold")
    identify(stage, "bia", plan="free")
    define.set_rule(segment, {"not": GOLD}, stage.now)
    build_all(stage.now)
    assert inside(segment) == {"bia"}
    assert told(internal.SEGMENT_LEFT) == []
    assert [one.number for one in segment.versions.all()] == [2, 1]


def test_a_rule_edited_during_a_build_wins(stage: Stage) -> None:
    identify(stage, "ana", plan="gold")
    segment = make_segment(stage, GOLD, is_built=False)
    define.set_rule(segment, {"not": GOLD}, stage.now)
    build_all(stage.now)
    segment.refresh_from_db()
    assert (segment.state, inside(segment)) == (Segment.State.LIVE, set())


def test_segments_that_look_at_segments_follow(stage: Stage) -> None:
    make_segment(stage, GOLD, "gold")
    segment = make_segment(stage, {"not": {"leaf": "segment", "key": "gold"}}, "others")
    identify(stage, "ana", plan="free")
    assert inside(segment) == {"ana"}
    identify(stage, "ana", plan="gold")
    assert inside(segment) == set()


def test_a_rebuilt_segment_has_those_that_look_at_it_follow(stage: Stage) -> None:
    identify(stage, "ana", plan="gold")
    gold = make_segment(stage, GOLD, "gold")
    segment = make_segment(stage, {"leaf": "segment", "key": "gold"}, "shiny")
    define.set_rule(gold, {"not": GOLD}, stage.now)
    build_all(stage.now)
    stage.pass_time(seconds=1)
    assert inside(segment) == set()
    assert spells(segment) == [(True, True)]


def test_segments_may_not_lead_to_one_another(stage: Stage) -> None:
    gold = make_segment(stage, GOLD, "gold")
    make_segment(stage, {"leaf": "segment", "key": "gold"}, "shiny")
    with pytest.raises(RuleError) as refused:
        define.set_rule(gold, {"leaf": "segment", "key": "shiny"}, stage.now)
    assert refused.value.code == "circular_segments"
    with pytest.raises(RuleError) as refused:
        define.set_rule(gold, {"leaf": "segment", "key": "gold"}, stage.now)
    assert refused.value.code == "circular_segments"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"leaf": "segment", "key": "nobody"}, "unknown_segment"),
        ({"leaf": "identifier", "name": "passport"}, "unknown_identifier_kind"),
        ({"leaf": "event_property", "name": "total", "op": "exists"}, "unknown_leaf"),
        ({"leaf": "event_count", "event": "segment.entered"}, "reserved_event"),
        ({"leaf": "event_count", "event": "x", "times": -1}, "number_out_of_range"),
        ({"leaf": "event_count", "event": "x", "within": "P1000Y"}, "wrong_type"),
        ({"leaf": "event_count", "event": "x", "within": "P4000D"}, "window_out_of_range"),
        ({"leaf": "event_count", "event": ""}, "name_invalid"),
        ({"leaf": "event_count", "event": "x", "where": [{"name": 'a"; drop', "op": "exists"}]}, "name_invalid"),
        ({"leaf": "event_recency", "event": "x", "op": "last_within"}, "missing_field"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(stage: Stage, rule: Any, code: str) -> None:
    segment = Segment.objects.create(brand=stage.brand, key="x", name="x")
    with pytest.raises(RuleError) as refused:
        define.set_rule(segment, rule, stage.now)
    assert refused.value.code == code
    assert not segment.versions.exists()


def test_a_merge_keeps_the_membership_and_an_unmerge_gives_it_back(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED])
    segment = make_segment(stage, BOUGHT)
    stage.happen("order.completed", "", anonymous_id="tablet")
    stage.happen("order.completed", "ana")
    stage.pass_time(days=1)
    stage.happen("visit", "ana", anonymous_id="tablet")
    [customer] = Profile.objects.values_list("customer", flat=True).distinct()
    held = segment.memberships.filter(left_at=None)
    assert [one.customer_id for one in held] == [customer, customer]
    assert len(told(internal.SEGMENT_ENTERED)) == 2


def test_what_becomes_true_by_a_merge_is_told(stage: Stage) -> None:
    await_names("test:1", [internal.SEGMENT_ENTERED])
    segment = make_segment(stage, {**BOUGHT, "times": 2})
    stage.happen("order.completed", "", anonymous_id="tablet")
    stage.happen("order.completed", "ana")
    assert told(internal.SEGMENT_ENTERED) == []
    stage.happen("visit", "ana", anonymous_id="tablet")
    assert segment.memberships.filter(left_at=None).count() == 1
    assert told(internal.SEGMENT_ENTERED) == [("vip", False)]


def test_an_archived_segment_follows_nothing_and_frees_nobody_else(stage: Stage) -> None:
    gold = make_segment(stage, GOLD, "gold")
    identify(stage, "ana", plan="gold")
    shiny = make_segment(stage, {"leaf": "segment", "key": "gold"}, "shiny")
    with pytest.raises(define.InUse):
        define.archive(gold)
    define.archive(shiny)
    define.archive(gold)
    identify(stage, "ana", plan="free")
    assert inside(gold) == {"ana"}
    assert not SegmentItem.objects.exists()


def test_an_archived_segment_is_not_built_again(stage: Stage) -> None:
    segment = make_segment(stage, GOLD)
    define.archive(segment)
    with pytest.raises(define.Archived):
        define.rebuild(segment, stage.now)
    with pytest.raises(define.Archived):
        define.set_rule(segment, BOUGHT, stage.now)


def test_of_several_builds_asked_for_one_is_done(stage: Stage) -> None:
    stage.happen("order.completed", "ana")
    segment = make_segment(stage, BOUGHT, is_built=False)
    define.rebuild(segment, stage.now)
    build_all(stage.now)
    assert inside(segment) == {"ana"}
    assert SegmentTurn.objects.count() == 1


def test_people_of_another_brand_are_not_in_it(stage: Stage) -> None:
    segment = make_segment(stage, {"not": GOLD})
    Customer.objects.create(created_at=stage.now)
    define.rebuild(segment, stage.now)
    build_all(stage.now)
    assert inside(segment) == set()
