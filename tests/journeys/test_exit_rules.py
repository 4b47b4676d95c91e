"""Exits by condition: asked in whatever wait, as soon as something changes that they ask about."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from customers.models import Brand, Event, MatchItem, Source
from customers.resolve import resolve_inbox
from journeys.code.cases import run_cases
from journeys.code.file import read
from journeys.definition import InvalidDefinition
from journeys.engine import looks, match
from journeys.models import Cause, EntryRefusal, RecheckItem, Run, Transition
from journeys.validate import check
from tests.journeys.segments import make_segment
from tests.journeys.stage import Stage, welcome
from tests.journeys.test_asks_entitlements import given
from tests.journeys.test_unmerge import merge

PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
VIP = {"leaf": "segment", "key": "vip"}
SHIPPING = {"leaf": "entitlement", "key": "free_shipping"}
MAY = {"leaf": "permission", "purpose": "news", "channel": "email"}
ENTRY = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test", "reentry": "always"}


def document(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    exits = [{"rule": rule, "state": "lost", "outcome": "no longer meant"} for rule in rules]
    return welcome(entry=ENTRY, exit_rules=exits) | changes


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """Ana and Bia wait at the hold of a journey that is not for who has the plan pro."""
    stage.publish(document(PRO))
    for user in ("ana", "bia"):
        stage.know(user, plan="free")
        stage.happen("customer.signed_up", user)
    stage.pass_time(hours=1)
    return stage


def last_move(run: Run) -> tuple[int, int | None]:
    found = Transition.objects.filter(run_id=run.pk).order_by("seq").values_list("cause", "branch").last()
    assert found is not None
    return found


@pytest.mark.django_db
def test_who_becomes_what_the_rule_asks_leaves_at_once_and_nobody_else(waiting: Stage) -> None:
    waiting.happen("identify", "ana", traits={"plan": "pro"})
    ana, bia = waiting.runs()
    assert (ana.status, ana.ended_at, last_move(ana)) == (Run.Status.EXITED, waiting.now, (Cause.EXIT, 0))
    assert bia.status == Run.Status.ACTIVE


@pytest.mark.django_db
@pytest.mark.parametrize("traits", [{"plan": "team"}, {"city": "Recife"}])
def test_another_change_moves_nothing(waiting: Stage, traits: dict[str, str]) -> None:
    moves = Transition.objects.count()
    waiting.happen("identify", "ana", traits=traits)
    assert {run.status for run in waiting.runs()} == {Run.Status.ACTIVE}
    assert Transition.objects.count() == moves


@pytest.mark.django_db
def test_a_delay_is_a_wait_too_and_a_goal_is_told_as_one(stage: Stage) -> None:
    delay = {"type": "delay", "id": "rest", "state": "not_activated", "after": "P9D", "next": "lost"}
    ends = [{"rule": PRO, "state": "activated", "goal": True}]
    stage.publish(document(steps=[delay, *welcome()["steps"][4:]], exit_rules=ends))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "pro"})
    assert stage.the_run().status == Run.Status.EXITED
    assert last_move(stage.the_run()) == (Cause.GOAL, 0)


@pytest.mark.django_db
def test_who_comes_into_a_segment_leaves_at_once(stage: Stage) -> None:
    make_segment(stage, PRO)
    stage.publish(document(VIP))
    stage.know(plan="free")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "pro"})
    assert stage.the_run().status == Run.Status.EXITED


@pytest.mark.django_db
def test_who_is_granted_what_it_is_about_leaves_at_once(stage: Stage) -> None:
    stage.publish(document(SHIPPING))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    given(stage)
    stage.run()
    assert stage.the_run().status == Run.Status.EXITED


@pytest.mark.django_db
def test_the_run_is_asked_about_itself_as_it_is(waiting: Stage) -> None:
    """Beside a trait the rule asks how long the run has been there, and where it came from."""
    itself = {"leaf": "this_run", "name": "last_step", "op": "eq", "value": "welcome"}
    old = {"leaf": "this_run", "name": "hours", "op": "gt", "value": 5}
    waiting.publish(document({"all": [PRO, itself, old]}), "other")
    waiting.happen("customer.signed_up", "bia")
    run = Run.objects.latest("id")
    waiting.happen("identify", "bia", traits={"plan": "pro"})
    assert Run.objects.get(pk=run.pk).status == Run.Status.ACTIVE
    waiting.pass_time(hours=6)
    waiting.happen("identify", "bia", traits={"plan": "team"})
    waiting.happen("identify", "bia", traits={"plan": "pro"})
    assert Run.objects.get(pk=run.pk).status == Run.Status.EXITED


@pytest.mark.django_db
def test_a_change_beside_a_run_that_was_just_parking_is_found_by_looking_back(waiting: Stage) -> None:
    waiting.accept("identify", "ana", traits={"plan": "pro"})
    resolve_inbox(waiting.now)
    # As whoever matched it saw it: no run of hers was there.
    MatchItem.objects.all().delete()
    waiting.run()
    ana = waiting.runs()[0]
    assert ana.status == Run.Status.ACTIVE
    RecheckItem.objects.create(run_id=ana.pk)
    waiting.run()
    assert waiting.runs()[0].status == Run.Status.EXITED


@pytest.mark.django_db
def test_what_a_merge_makes_known_counts(stage: Stage) -> None:
    stage.publish(document(PRO))
    stage.happen("customer.signed_up", "", anonymous_id="page")
    stage.happen("identify", "ana", traits={"plan": "pro"})
    assert stage.the_run().status == Run.Status.ACTIVE
    merge(stage, "ana", "page")
    assert (stage.the_run().status, last_move(stage.the_run())) == (Run.Status.EXITED, (Cause.EXIT, 0))


@pytest.mark.django_db
def test_an_end_by_rule_has_its_last_step(stage: Stage) -> None:
    exits = [{"rule": PRO, "state": "lost", "last_step": "remind"}]
    stage.publish(document(exit_rules=exits))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "pro"})
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]


@pytest.mark.django_db
def test_who_left_by_a_rule_may_come_in_again_once_it_does_not_hold(waiting: Stage) -> None:
    waiting.happen("identify", "ana", traits={"plan": "pro"})
    waiting.happen("customer.signed_up", "ana")
    assert list(EntryRefusal.objects.values_list("reason", flat=True)) == ["exit_already_true"]
    waiting.happen("identify", "ana", traits={"plan": "free"})
    waiting.happen("customer.signed_up", "ana")
    assert [run.status for run in waiting.runs()] == [Run.Status.EXITED, Run.Status.ACTIVE, Run.Status.ACTIVE]


@pytest.fixture
def elsewhere(waiting: Stage) -> Source:
    """A shop of another brand, which knows her by a name of its own and the same mailbox."""
    brand = Brand.objects.create(key="other", name="Other")
    shop = Source.objects.create(brand=brand, key="shop", name="Shop")
    tell(waiting, shop, {})
    return shop


def tell(stage: Stage, shop: Source, traits: dict[str, Any]) -> None:
    there = replace(stage, brand=shop.brand, source=shop)
    there.happen("identify", "a-77", email="ana@example.com", traits=traits)


@pytest.mark.django_db
def test_a_trait_is_of_the_person_whichever_brand_is_told_of_it(waiting: Stage, elsewhere: Source) -> None:
    waiting.pass_time(minutes=1)
    tell(waiting, elsewhere, {"plan": "pro"})
    ana, bia = waiting.runs()
    assert (ana.status, bia.status) == (Run.Status.EXITED, Run.Status.ACTIVE)


@pytest.mark.django_db
def test_a_change_told_by_another_brand_beside_a_run_that_was_just_parking_is_found(
    waiting: Stage, elsewhere: Source
) -> None:
    waiting.pass_time(minutes=1)
    waiting.publish(document(PRO), "later")
    waiting.happen("customer.signed_up", "ana")
    run = Run.objects.latest("id")
    waiting.pass_time(minutes=1)
    replace(waiting, brand=elsewhere.brand, source=elsewhere).accept("identify", "a-77", traits={"plan": "pro"})
    resolve_inbox(waiting.now)
    # As whoever matched it saw it: no run of hers was there.
    MatchItem.objects.all().delete()
    RecheckItem.objects.create(run_id=run.pk)
    waiting.run()
    assert Run.objects.get(pk=run.pk).status == Run.Status.EXITED


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [VIP, SHIPPING], ids=["segment", "entitlement"])
def test_segments_and_entitlements_of_another_brand_are_none_of_its_business(
    waiting: Stage, elsewhere: Source, asked: dict[str, Any]
) -> None:
    """Of the same key there; what a rule asks is what its own brand has."""
    there = replace(waiting, brand=elsewhere.brand, source=elsewhere)
    make_segment(waiting, {"leaf": "attribute", "name": "city", "op": "eq", "value": "Natal"})
    make_segment(there, PRO)
    waiting.publish(document(asked), "another")
    waiting.happen("customer.signed_up", "ana")
    run = Run.objects.latest("id")
    tell(waiting, elsewhere, {"plan": "pro"})
    given(there)
    waiting.run()
    told = Event.objects.filter(name__in=("segment.entered", "entitlement.granted"))
    assert set(told.values_list("brand", flat=True)) == {there.brand.pk}
    assert Run.objects.get(pk=run.pk).status == Run.Status.ACTIVE


@pytest.mark.django_db
def test_of_two_rules_that_come_true_at_once_the_first_ends_the_run_and_once(stage: Stage) -> None:
    stage.know(plan="pro")
    stage.publish(document({"leaf": "attribute", "name": "city", "op": "eq", "value": "Recife"}, {"not": PRO}))
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "free", "city": "Recife"})
    assert last_move(stage.the_run()) == (Cause.EXIT, 0)
    assert Transition.objects.filter(step_to=None).count() == 1


@pytest.mark.django_db
def test_an_exit_that_names_the_event_comes_before_one_by_condition(stage: Stage) -> None:
    made = document(PRO, exit_events=[{"event": "trait.changed", "state": "activated", "goal": True}])
    stage.publish(made)
    stage.know(plan="free")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("identify", traits={"plan": "pro"})
    assert (stage.the_run().status, last_move(stage.the_run())) == (Run.Status.EXITED, (Cause.GOAL, 0))
    told = {
        "name": "a case",
        "when": [{"event": "customer.signed_up"}, {"at": "PT1H", "traits": {"plan": "pro"}}],
        "then": [{"after": "PT2H", "ended_in": "activated", "ended_by": "goal"}],
    }
    file = {"key": "exits", "name": "Exits", "definition": made, "cases": [told]}
    assert list(run_cases(read(json.dumps(file)))) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("late", "ended"), [(0, Run.Status.EXITED), (1, Run.Status.EXPIRED)])
def test_a_change_after_the_age_at_which_runs_end_is_no_goal(stage: Stage, late: int, ended: int) -> None:
    ends = [{"rule": PRO, "state": "activated", "goal": True}]
    stage.publish(document(exit_rules=ends, timeout={"after": "PT5H", "state": "lost"}))
    stage.know()
    stage.happen("customer.signed_up")
    # Nobody works meanwhile.
    stage.now += timedelta(hours=5, seconds=late)
    stage.accept("identify", traits={"plan": "pro"})
    resolve_inbox(stage.now)
    match.match_events(stage.now)
    stage.run()
    assert stage.the_run().status == ended


@pytest.mark.django_db
def test_what_many_runs_are_asked_about_themselves_is_read_at_once(waiting: Stage) -> None:
    itself = {"leaf": "this_run", "name": "last_step", "op": "eq", "value": "welcome"}
    waiting.publish(document({"all": [PRO, itself]}), "other")
    for user in ("ana", "bia"):
        waiting.happen("customer.signed_up", user)
    for user in ("ana", "bia"):
        waiting.accept("identify", user, traits={"plan": "pro"})
    resolve_inbox(waiting.now)
    with patch.object(match, "last_moves", wraps=looks.last_moves) as read:
        match.match_events(waiting.now)
    assert read.call_count == 1
    assert not Run.objects.filter(status=Run.Status.ACTIVE).exists()


def case(*when: dict[str, Any], **then: Any) -> list[str]:
    """What does not hold of a case that begins an hour before."""
    begins = {"event": "customer.signed_up"}
    told = {"name": "a case", "when": [begins, *when], "then": [{"after": "PT2H", **then}]}
    # The document is JSON, which is YAML too.
    file = {"key": "exits", "name": "Exits", "definition": document(PRO, {"not": MAY}), "cases": [told]}
    return [str(one) for one in run_cases(read(json.dumps(file)))]


@pytest.mark.parametrize(
    "change", [{"traits": {"plan": "pro"}}, {"consent": "withdrawn"}], ids=["a trait", "a consent"]
)
def test_a_case_leaves_at_the_moment_of_the_change(change: dict[str, Any]) -> None:
    assert case({"at": "PT1H", **change}, ended_in="lost", ended_by="exit", outcome="no longer meant") == []
    assert case({"at": "PT1H", "traits": {"city": "Recife"}}, waits_at="hold") == []


def by_itself(step: dict[str, Any]) -> dict[str, Any]:
    """A journey that does what its own exit asks about, and waits."""
    own = {"id": "own", "state": "not_activated", "next": "hold"} | step
    asked = {"leaf": "entitlement", "key": "free_shipping"} if step["type"] == "entitlement" else PRO
    return document(asked, steps=[own, *welcome()["steps"][1:]])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "step",
    [
        {"type": "update", "changes": [{"trait": "plan", "do": "set", "value": "pro"}]},
        {"type": "entitlement", "key": "free_shipping"},
    ],
    ids=["a trait", "an entitlement"],
)
def test_what_the_journey_does_itself_ends_its_run_and_a_case_says_so(stage: Stage, step: dict[str, Any]) -> None:
    given = by_itself(step)
    stage.publish(given)
    stage.happen("customer.signed_up")
    stage.pass_time(seconds=1)
    assert stage.steps_of(stage.the_run()) == ["own", "hold", None]
    told = {"when": [{"event": "customer.signed_up"}], "then": [{"after": "PT1H", "ended_by": "exit"}]}
    file = {"key": "exits", "name": "Exits", "definition": given, "cases": [{"name": "a case", **told}]}
    assert [str(one) for one in run_cases(read(json.dumps(file)))] == []


def test_a_rule_that_would_end_it_where_it_waits_needs_a_transition_from_there() -> None:
    definition = document(PRO, transitions=[("not_activated", "activated"), ("not_activated", "lost")])
    definition["states"].insert(1, {"name": "resting", "kind": "active"})
    definition["steps"][1]["state"] = "resting"
    definition["steps"][2]["state"] = "resting"
    definition["transitions"] += [("not_activated", "resting"), ("resting", "activated"), ("resting", "lost")]
    check(definition)
    definition["exit_rules"][0]["state"] = "gone"
    definition["states"].append({"name": "gone", "kind": "failure"})
    with pytest.raises(InvalidDefinition) as refused:
        check(definition | {"transitions": [*definition["transitions"], ("not_activated", "gone")]})
    (problem,) = refused.value.problems
    assert (problem.code, problem.pointer) == ("illegal_transition", "/exit_rules/0")
    assert str(problem.message) == "There is no transition from “resting” to “gone”."
