"""Rules on the way ask for segments, permission and the run itself; where none asks, nothing of it is read."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.why.run import explain_run
from channels.models import Message
from customers.models import Segment
from customers.segments import define
from journeys.definition import InvalidDefinition
from journeys.engine import asking
from journeys.models import RuleInputs, Run
from journeys.segment_use import journeys_at
from journeys.validate import check
from tests.journeys.segments import GOLD, make_segment
from tests.journeys.stage import Stage, message, welcome

VIP = {"leaf": "segment", "key": "vip"}
MAY = {"leaf": "permission", "purpose": "news", "channel": "email"}


def of_run(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"leaf": "this_run", "name": name, "op": op, "value": value}


def split(rule: dict[str, Any], **more: Any) -> dict[str, Any]:
    branches = [{"rule": rule, "next": "done"}]
    usual = {"type": "split", "id": "split", "state": "not_activated", "branches": branches, "otherwise": "lost"}
    return usual | more


def pause(next: str = "split", **more: Any) -> dict[str, Any]:
    return {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": next} | more


def journey(*first: dict[str, Any], **changes: Any) -> dict[str, Any]:
    usual = welcome(**changes)
    return usual | {"steps": [*first, *usual["steps"][-2:]]}


def taken(stage: Stage) -> str | None:
    return stage.steps_of(stage.the_run())[-1]


@pytest.mark.parametrize(("plan", "way"), [("gold", "done"), ("free", "lost")])
def test_a_split_asks_who_is_in_a_segment_at_that_time(stage: Stage, plan: str, way: str) -> None:
    make_segment(stage, GOLD)
    stage.publish(journey(pause(), split(VIP)))
    stage.know(plan="silver")
    stage.happen("customer.signed_up")
    stage.know(plan=plan)
    stage.pass_time(hours=1)
    assert taken(stage) == way
    assert list(RuleInputs.objects.values_list("seq", "traits", "facts")) == [(3, {}, {"segment.vip": way == "done"})]


def test_a_segment_of_another_brand_by_the_same_key_is_another(stage: Stage) -> None:
    make_segment(stage, GOLD)
    other = type(stage.brand).objects.create(key="other", name="Other")
    elsewhere = Segment.objects.create(brand=other, key="vip", name="vip", is_static=True)
    define.open_list(elsewhere, stage.now)
    stage.publish(journey(pause(), split(VIP)))
    stage.know()
    stage.happen("customer.signed_up")
    run = stage.the_run()
    elsewhere.memberships.create(profile_id=run.profile_id, customer_id=run.customer_id, entered_at=stage.now)
    stage.pass_time(hours=1)
    assert taken(stage) == "lost"


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_a_split_asks_whether_somebody_may_be_written_to_now(stage: Stage, *, is_withdrawn: bool) -> None:
    stage.publish(journey(pause(), split(MAY)))
    stage.know()
    stage.happen("customer.signed_up")
    if is_withdrawn:
        stage.happen("consent.withdrawn", properties={"purpose": "news"})
    stage.pass_time(hours=1)
    assert taken(stage) == ("lost" if is_withdrawn else "done")
    seen = RuleInputs.objects.get().facts
    assert seen == {"permission.news.email": "withdrawn" if is_withdrawn else "allowed"}


def test_permission_of_who_has_no_address_is_refused_and_told_so(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "asked by the split"}
    stage.publish(journey(split(MAY), entry=entry))
    stage.happen("customer.signed_up")
    assert taken(stage) == "lost"
    assert RuleInputs.objects.get().facts == {"permission.news.email": "no_address"}


@pytest.mark.parametrize(
    ("rule", "way"),
    [
        (of_run("state", "eq", "not_activated"), "done"),
        (of_run("hours", "ge", 1), "done"),
        (of_run("hours", "gt", 1), "lost"),
        (of_run("last_step", "eq", "pause"), "done"),
        (of_run("last_outcome", "eq", "timer"), "done"),
        (of_run("last_outcome", "in", ["event", "timed_out"]), "lost"),
        (of_run("messages", "eq", 1), "done"),
        (of_run("messages", "eq", 2), "lost"),
        ({"not": {"leaf": "this_run", "name": "last_step", "op": "missing"}}, "done"),
    ],
)
def test_a_split_asks_what_the_run_itself_is(stage: Stage, rule: dict[str, Any], way: str) -> None:
    stage.publish(journey(message("hello", next="pause"), pause(), split(rule)))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert taken(stage) == way


def test_a_message_that_was_refused_is_none_that_the_run_had(stage: Stage) -> None:
    stage.publish(journey(message("hello", next="pause"), pause(), split(of_run("messages", "ge", 1))))
    stage.know()
    stage.happen("customer.signed_up")
    Message.objects.update(state="suppressed")
    stage.pass_time(hours=1)
    assert taken(stage) == "lost"
    assert RuleInputs.objects.get().facts == {"run.messages": 0}


def test_an_exit_rule_is_asked_the_same_on_entry_and_before_a_message(stage: Stage) -> None:
    make_segment(stage, GOLD)
    rules = [{"rule": {"all": [VIP, of_run("state", "eq", "not_activated")]}, "state": "lost"}]
    steps = [pause("hello"), message("hello", next="lost"), {"type": "exit", "id": "lost", "state": "lost"}]
    stage.publish(journey(exit_rules=rules) | {"steps": steps})
    stage.know(plan="gold")
    stage.happen("customer.signed_up")
    assert stage.refusals() == ["exit_already_true"]
    stage.know("bia")
    stage.happen("customer.signed_up", "bia")
    stage.accept("identify", "bia", traits={"plan": "gold"})
    stage.run()
    stage.pass_time(hours=1)
    assert (stage.the_run().get_status_display(), stage.messages()) == ("exited", [])
    assert RuleInputs.objects.get().facts == {"segment.vip": True, "run.state": "not_activated"}


def test_a_run_that_an_event_moves_is_asked_the_same(stage: Stage) -> None:
    make_segment(stage, GOLD)
    hold = {
        "type": "hold", "id": "pause", "state": "not_activated", "timeout": {"after": "P1D", "next": "lost"},
        "branches": [{"event": "login.succeeded", "next": "split"}],
    }  # fmt: skip
    rule = {"all": [VIP, MAY, of_run("last_outcome", "eq", "event"), of_run("messages", "eq", 1)]}
    stage.publish(journey(message("hello", next="pause"), hold, split(rule)))
    stage.know(plan="gold")
    stage.happen("customer.signed_up")
    stage.happen("login.succeeded")
    assert taken(stage) == "done"


def test_why_says_what_the_rule_saw(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(journey(pause(), split({"any": [VIP, MAY, of_run("messages", "gt", 3)]})))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    move = explain_run(stage.the_run())[1][-1]
    assert move.saw == {"segment.vip": False, "permission.news.email": "allowed", "run.messages": 0}
    assert "is in the segment vip" in move.text
    assert "may be written to by" in move.text
    RuleInputs.objects.all().delete()
    bare = explain_run(stage.the_run())[1][-1]
    assert (bare.saw, bare.not_kept) == ({}, "What the rule saw of the person was not kept, or was erased.")


def test_nothing_of_it_is_read_where_nobody_asks(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    make_segment(stage, GOLD)
    plan = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "x"}
    stage.publish(journey(pause(), split(plan)))
    stage.publish(journey(pause(after="PT5M", next="rest"), pause(id="rest"), split(VIP)), "other")
    stage.know()
    stage.happen("customer.signed_up")
    monkeypatch.setattr(asking, "Answers", _unwanted)
    stage.pass_time(minutes=6)
    assert {stage.steps_of(run)[-1] for run in stage.runs()} == {"pause", "rest"}
    Run.objects.filter(journey__key="other").delete()
    stage.pass_time(hours=1)
    assert (taken(stage), RuleInputs.objects.get().facts) == ("lost", None)


def _unwanted(*_answers: object) -> None:
    raise AssertionError("nobody asked for this")


@pytest.mark.parametrize(
    ("rule", "code", "pointer"),
    [
        ({"leaf": "segment", "key": "nobody"}, "unknown_segment", "/key"),
        ({"leaf": "permission", "purpose": "x", "channel": "email"}, "unknown_purpose", "/purpose"),
    ],
)
def test_what_the_brand_does_not_have_is_not_published(
    stage: Stage, rule: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        stage.publish(journey(split(rule)))
    at = "/steps/0/branches/0/rule"
    assert [(one.code, one.pointer) for one in refused.value.problems] == [(code, at + pointer)]


@pytest.mark.parametrize(
    ("rule", "code", "pointer"),
    [
        (of_run("state", "eq", "won"), "unknown_value", "/value"),
        (of_run("last_step", "in", ["split", "nowhere"]), "unknown_value", "/value/1"),
        (of_run("last_outcome", "ne", "bliss"), "unknown_value", "/value"),
        (of_run("mood", "eq", "good"), "name_invalid", "/name"),
        (of_run("hours", "ge", True), "wrong_type", "/value"),
        ({"leaf": "permission", "purpose": "news", "channel": "pigeon"}, "unknown_channel", "/channel"),
        ({"leaf": "event_count", "event": "x"}, "unknown_leaf", "/leaf"),
    ],
)
def test_questions_without_an_answer_are_refused_at_their_place(rule: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(journey(split(rule)))
    at = "/steps/0/branches/0/rule"
    assert [(one.code, one.pointer) for one in refused.value.problems] == [(code, at + pointer)]


@pytest.mark.parametrize("rule", [VIP, MAY, of_run("hours", "ge", 1)])
def test_a_rule_about_an_event_asks_none_of_it(rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(welcome(entry={"event": "customer.signed_up", "rule": rule}))
    assert [(one.code, one.pointer) for one in refused.value.problems] == [("unknown_leaf", "/entry/rule/leaf")]


def test_a_segment_that_a_live_journey_asks_for_is_not_archived(stage: Stage) -> None:
    segment = make_segment(stage, GOLD)
    other = make_segment(stage, GOLD, "others")
    stage.publish(journey(split(VIP)))
    assert (journeys_at(segment), journeys_at(other)) == (["welcome"], [])


def test_a_run_given_as_many_facts_as_it_asks_stays_as_late_as_it_was(stage: Stage) -> None:
    """The age is counted from entry, not from the last wait."""
    stage.publish(journey(pause(), split(of_run("hours", "ge", 5))))
    stage.know()
    stage.happen("customer.signed_up")
    run = Run.objects.get()
    stage.now += timedelta(hours=5)
    stage.run()
    assert (taken(stage), run.entered_at + timedelta(hours=5)) == ("done", stage.now)
