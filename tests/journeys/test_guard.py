"""The last look before a message goes: what the customer did meanwhile (DESIGN §5, send guards)."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from channels.dispatch import dispatch_due
from channels.models import Message
from customers.models import InboxItem
from customers.resolve import resolve_inbox
from journeys import guard as guard_module
from tests.journeys.stage import Stage, message, welcome

SENT, ACTED = ("sent", ""), ("cancelled", "acted")


def dispatch(stage: Stage) -> list[tuple[str, str]]:
    dispatch_due(stage.connector.pk, stage.now)
    return stage.messages()


def at_the_reminder(stage: Stage, **changes: Any) -> None:
    """The welcome is sent, the hold has timed out, the reminder is queued."""
    stage.publish(welcome(**changes))
    stage.know()
    stage.happen("customer.signed_up", properties={"cart": "a"})
    dispatch(stage)
    stage.pass_time(days=1)


def test_the_reminder_goes_to_somebody_who_did_nothing(stage: Stage) -> None:
    at_the_reminder(stage)
    assert dispatch(stage) == [SENT, SENT]


def test_a_log_in_while_the_reminder_is_queued_cancels_it(stage: Stage) -> None:
    at_the_reminder(stage)
    stage.happen("login.succeeded")
    assert dispatch(stage) == [SENT, ACTED]


def test_a_log_in_only_just_accepted_cancels_it_too(stage: Stage) -> None:
    at_the_reminder(stage)
    stage.accept("login.succeeded")
    assert dispatch(stage) == [SENT, ACTED]
    assert InboxItem.objects.count() == 1


def test_a_log_in_by_another_profile_of_the_customer_counts(stage: Stage) -> None:
    at_the_reminder(stage)
    stage.happen("page.viewed", anonymous_id="phone")
    stage.accept("login.succeeded", "", anonymous_id="phone")
    assert dispatch(stage) == [SENT, ACTED]


def test_somebody_elses_log_in_does_not(stage: Stage) -> None:
    at_the_reminder(stage)
    stage.accept("login.succeeded", "bia")
    assert dispatch(stage) == [SENT, SENT]


def test_an_old_log_in_received_late_does_not(stage: Stage) -> None:
    at_the_reminder(stage)
    stage.accept("login.succeeded", at=stage.now - timedelta(days=9))
    assert dispatch(stage) == [SENT, SENT]


def test_an_unresolved_identity_of_the_person_holds_the_message_for_a_second(stage: Stage) -> None:
    at_the_reminder(stage)
    stage.accept("identify", "ana", anonymous_id="tablet")
    assert dispatch(stage) == [SENT, ("held", "unresolved")]
    assert Message.objects.get(state="held").due_at - stage.now < timedelta(seconds=2)
    stage.pass_time(seconds=2)
    assert dispatch(stage) == [SENT, SENT]


def test_the_log_in_must_satisfy_the_branchs_rule(stage: Stage) -> None:
    rule = {"leaf": "event_property", "name": "with", "op": "eq", "value": "password"}
    hold = welcome()["steps"][1] | {"branches": [{"event": "login.succeeded", "rule": rule, "next": "done"}]}
    at_the_reminder(stage, steps=[welcome()["steps"][0], hold, *welcome()["steps"][2:]])
    stage.happen("login.succeeded", properties={"with": "cookie"})
    stage.accept("login.succeeded", properties={"with": "nothing"})
    assert dispatch(stage) == [SENT, SENT]


def test_another_carts_order_leaves_the_reminder_of_this_one(stage: Stage) -> None:
    hold = welcome()["steps"][1] | {"branches": [{"event": "order.completed", "key": "cart", "next": "done"}]}
    entry = {"event": "customer.signed_up", "key": "cart"}
    at_the_reminder(stage, entry=entry, steps=[welcome()["steps"][0], hold, *welcome()["steps"][2:]])
    stage.happen("order.completed", properties={"cart": "b"})
    assert dispatch(stage) == [SENT, SENT]


def test_the_order_of_this_cart_cancels_it(stage: Stage) -> None:
    hold = welcome()["steps"][1] | {"branches": [{"event": "order.completed", "key": "cart", "next": "done"}]}
    entry = {"event": "customer.signed_up", "key": "cart"}
    at_the_reminder(stage, entry=entry, steps=[welcome()["steps"][0], hold, *welcome()["steps"][2:]])
    stage.accept("order.completed", properties={"cart": "a"})
    assert dispatch(stage) == [SENT, ACTED]


def test_an_event_that_resumed_an_earlier_wait_is_spent(stage: Stage) -> None:
    first = welcome()["steps"][1] | {
        "id": "first",
        "branches": [{"event": "login.succeeded", "next": "hold"}],
    }
    stage.publish(welcome(steps=[first, *welcome()["steps"][1:]]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    stage.pass_time(days=1)
    assert dispatch(stage) == [SENT]


@pytest.mark.parametrize(("event", "expected"), [("ticket.opened", ACTED), ("login.succeeded", SENT)])
def test_a_message_may_name_its_own_cancelling_events(stage: Stage, event: str, expected: tuple[str, str]) -> None:
    steps = welcome()["steps"]
    steps[2] = message("remind", next="lost", cancel_on=[{"event": "ticket.opened"}])
    at_the_reminder(stage, steps=steps)
    stage.accept(event)
    assert dispatch(stage) == [SENT, expected]


def test_a_run_ended_by_an_exit_sends_nothing_more(stage: Stage) -> None:
    steps = [*welcome()["steps"]]
    steps[2] = message("remind", next="pause")
    steps.append({"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "lost"})
    at_the_reminder(stage, steps=steps, exit_events=[{"event": "account.closed", "state": "lost"}])
    stage.happen("account.closed")
    assert dispatch(stage) == [SENT, ("cancelled", "ended")]


def test_since_step_counts_only_what_came_after_the_wait_began(stage: Stage) -> None:
    hold = welcome()["steps"][1] | {"since": "step"}
    pause = {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": "hold"}
    stage.publish(welcome(steps=[pause, hold, *welcome()["steps"][2:]]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(minutes=5)
    stage.happen("login.succeeded")
    stage.pass_time(hours=1)
    stage.pass_time(days=1)
    assert dispatch(stage) == [SENT]


def test_a_log_in_that_satisfies_the_branchs_rule_cancels(stage: Stage) -> None:
    rule = {
        "all": [
            {"leaf": "event_property", "name": "with", "op": "eq", "value": "password"},
            {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"},
        ]
    }
    hold = welcome()["steps"][1] | {"branches": [{"event": "login.succeeded", "rule": rule, "next": "done"}]}
    at_the_reminder(stage, steps=[welcome()["steps"][0], hold, *welcome()["steps"][2:]])
    stage.happen("identify", traits={"plan": "pro"})
    stage.accept("login.succeeded", properties={"with": "password"})
    assert dispatch(stage) == [SENT, ACTED]


def test_a_log_in_resolved_between_the_guards_two_looks_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_reminder(stage)
    stage.accept("login.succeeded")
    look = guard_module._acted

    def resolve_then_look(*args: Any) -> Any:
        resolve_inbox(stage.now)
        return look(*args)

    monkeypatch.setattr(guard_module, "_on_its_way", lambda *_args: None)
    monkeypatch.setattr(guard_module, "_acted", resolve_then_look)
    assert dispatch(stage) == [SENT, ACTED]


def test_a_log_in_accepted_while_the_events_are_read_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    at_the_reminder(stage)
    look = guard_module._acted

    def look_then_accept(*args: Any) -> Any:
        answer = look(*args)
        stage.accept("login.succeeded")
        return answer

    monkeypatch.setattr(guard_module, "_acted", look_then_accept)
    assert dispatch(stage) == [SENT, ACTED]


@pytest.mark.parametrize("between", ["consent.permission.permissions", "channels.guards.ask"])
def test_a_merge_during_the_check_holds_the_message_and_decides_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    stage.happen("page.viewed", "", anonymous_id="dev1")
    at_the_reminder(stage)
    stage.accept("page.viewed", "ana", anonymous_id="dev1")
    module, name = ("channels.dispatch.send", "permissions") if "permissions" in between else ("channels.guards", "ask")
    original = getattr(import_module(module), name)

    def merge_first(*args: Any) -> Any:
        resolve_inbox(stage.now)
        return original(*args)

    monkeypatch.setattr(f"{module}.{name}", merge_first)
    assert dispatch(stage) == [SENT, ("held", "unresolved")]
    stage.pass_time(seconds=2)
    assert dispatch(stage) == [SENT, SENT]
