"""Restriction of processing: what is known of a person is kept, and nothing is done with it until it is lifted."""

from typing import Any

import pytest

from channels.dispatch import dispatch_due
from consent.models import PrivacyRequest, Restriction
from consent.privacy import carry_out, requests
from consent.privacy.requests import Asking
from customers import merging
from customers.models import Event, Identifier
from customers.rules import PEOPLE, parse
from customers.segments import lists
from customers.segments.count import estimate
from journeys.models import Cause, Run, Transition
from tests.journeys.segments import GOLD, build_all, inside, make_list, make_segment, spells
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db
UNGUARDED = {"event": "customer.signed_up", "guard": "none", "guard_reason": "test"}


@pytest.fixture
def stage() -> Stage:
    stage = make_stage()
    for user in ("ana", "bia"):
        stage.know(user, plan="gold")
    return stage


def restrict(stage: Stage, user: str = "ana") -> PrivacyRequest:
    names = requests.naming("email", f"{user}@example.com", [], stage.now)
    asking = Asking(brand=stage.brand, kind="restriction", law="gdpr", channel="form", names=names, assurance=2)
    request = requests.take_down(asking, stage.now)
    carry_out.carry_out(request, stage.now, None)
    assert request.state == "done"
    stage.run()
    return request


def lift(stage: Stage, request: PrivacyRequest) -> None:
    assert carry_out.lift(request, stage.now, None) == 2
    stage.run()


@pytest.mark.parametrize("entry", [{"event": "customer.signed_up"}, UNGUARDED])
def test_no_journey_lets_them_in_and_others_it_does(stage: Stage, entry: dict[str, Any]) -> None:
    stage.publish(welcome(entry=entry))
    restrict(stage)
    stage.happen("customer.signed_up", "ana")
    stage.happen("customer.signed_up", "bia")
    assert stage.refusals() == ["restricted"]
    assert [run.profile.identifier.value for run in stage.runs()] == ["bia"]
    assert stage.messages() == [("queued", "")]


def test_what_happens_is_still_taken_down(stage: Stage) -> None:
    stage.publish(welcome())
    restrict(stage)
    stage.happen("customer.signed_up", "ana")
    assert Event.objects.filter(name="customer.signed_up").count() == 1


def test_runs_that_are_live_end_and_nothing_follows_from_them(stage: Stage) -> None:
    stage.publish(welcome())
    for user in ("ana", "bia"):
        stage.happen("customer.signed_up", user)
    stage.pass_time(minutes=1)
    restrict(stage)
    ana, bia = stage.runs()
    assert (ana.status, ana.ended_at, ana.due_at) == (Run.Status.EXITED, stage.now, None)
    assert Transition.objects.filter(run=ana).latest("seq").cause == Cause.RESTRICTED
    assert bia.status == Run.Status.ACTIVE
    dispatch_due(stage.connector.pk, stage.now)
    assert sorted(stage.messages()) == [("sent", ""), ("suppressed", "restricted")]
    moves = Transition.objects.filter(run=ana).count()
    stage.pass_time(days=2)
    assert Transition.objects.filter(run=ana).count() == moves
    assert stage.refusals() == []


def test_a_segment_is_left_and_come_back_to(stage: Stage) -> None:
    segment = make_segment(stage, GOLD)
    assert inside(segment) == {"ana", "bia"}
    stage.pass_time(minutes=1)
    request = restrict(stage)
    assert inside(segment) == {"bia"}
    stage.pass_time(minutes=1)
    lift(stage, request)
    assert inside(segment) == {"ana", "bia"}
    assert sorted(spells(segment)) == [(False, True), (False, True), (True, True)]


def test_a_segment_built_meanwhile_and_its_estimate_are_without_them(stage: Stage) -> None:
    request = restrict(stage)
    segment = make_segment(stage, GOLD)
    assert (segment.size, inside(segment)) == (1, {"bia"})
    assert estimate(parse(GOLD, PEOPLE), stage.brand.pk, stage.now).people == 1
    stage.happen("identify", "ana", traits={"plan": "gold", "city": "Porto"})
    assert inside(segment) == {"bia"}
    lift(stage, request)
    build_all(stage.now)
    assert inside(segment) == {"ana", "bia"}


def test_they_are_put_on_no_list_and_may_be_taken_off_one(stage: Stage) -> None:
    before, after = make_list(stage, "before"), make_list(stage, "after")
    ana = [Identifier.objects.get(value="ana").profile.customer_id]
    lists.put(before, ana, stage.now, inside=True)
    restrict(stage)
    assert lists.put(after, ana, stage.now, inside=True).changed == 0
    assert (inside(before), inside(after)) == ({"ana"}, set())
    assert lists.put(before, ana, stage.now, inside=False).changed == 1


def test_lifted_they_enter_again_and_what_ended_stays_ended(stage: Stage) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "reentry": "always"}))
    stage.happen("customer.signed_up", "ana")
    stage.pass_time(minutes=1)
    request = restrict(stage)
    stage.happen("customer.signed_up", "ana")
    stage.pass_time(minutes=1)
    lift(stage, request)
    assert not Restriction.objects.filter(lifted_at=None).exists()
    assert [run.status for run in stage.runs()] == [Run.Status.EXITED]
    stage.happen("customer.signed_up", "ana")
    assert [run.status for run in stage.runs()] == [Run.Status.EXITED, Run.Status.ACTIVE]
    assert stage.refusals() == ["restricted"]


def test_whoever_turns_out_to_be_them_is_in_no_journey_any_more(stage: Stage) -> None:
    stage.publish(welcome(entry=UNGUARDED))
    restrict(stage)
    stage.happen("customer.signed_up", "", anonymous_id="visitor")
    assert [run.status for run in stage.runs()] == [Run.Status.ACTIVE]
    ana, visitor = (Identifier.objects.get(value=value).profile_id for value in ("ana", "visitor"))
    stage.pass_time(seconds=1)
    merging.join(ana, visitor, merging.decide.decision(stage.brand.pk, 1, "test", stage.now))
    stage.run()
    [run] = stage.runs()
    assert run.status == Run.Status.EXITED
    assert Transition.objects.filter(run=run).latest("seq").cause == Cause.RESTRICTED
