"""What entered, what was made and what was refused adds up; and each sum says so when it does not."""

from uuid import UUID

import pytest

from analytics.metrics.equation import Equation
from analytics.metrics.message_steps_passed import message_steps_passed
from analytics.metrics.messages_created import messages_created
from analytics.metrics.refused_entries import refused_entries
from analytics.metrics.runs_entered import runs_entered
from channels.models import Message
from customers.ids import new_id
from journeys.models import Cause, Run, Transition
from tests.journeys.stage import Stage, welcome

State = Message.State


def journey_of(stage: Stage) -> UUID:
    return stage.journeys["welcome"].pk


def counts(sum_: Equation) -> dict[str, int]:
    return {part.key: part.count for part in sum_.parts if part.count}


@pytest.fixture
def five(stage: Stage) -> Stage:
    """Five enter: one logs in, one times out, three wait; somebody without permission is refused."""
    stage.publish(welcome())
    for user in ("ana", "bia", "caio", "davi", "eva"):
        stage.know(user)
    stage.know("finn", granted=False)
    stage.happen("customer.signed_up", "ana")
    stage.pass_time(hours=20)
    for user in ("bia", "caio", "davi", "eva", "finn"):
        stage.happen("customer.signed_up", user)
    stage.happen("login.succeeded", "bia")
    stage.pass_time(hours=5)
    return stage


def test_runs_entered_are_live_or_ended_somehow(five: Stage) -> None:
    entered = runs_entered(journey_of(five))
    assert (entered.total, counts(entered), entered.holds) == (5, {"live": 3, "completed": 2}, True)


def test_every_status_has_its_part(five: Stage) -> None:
    for run, status in zip(five.runs(), (3, 4, 5, 6, 1), strict=True):
        Run.objects.filter(pk=run.pk).update(status=status)
    entered = runs_entered(journey_of(five))
    assert counts(entered) == {"live": 1, "exited": 1, "failed": 1, "expired": 1, "merged": 1}
    assert entered.holds


def test_a_run_that_entered_twice_breaks_the_sum(five: Stage) -> None:
    run = five.runs()[0]
    Transition.objects.create(run=run, seq=99, at=five.now, step_to=0, state_to=0, cause=Cause.ENTERED)
    entered = runs_entered(journey_of(five))
    assert (entered.total, entered.holds) == (6, False)


def test_a_run_of_unknown_status_breaks_the_sum(five: Stage) -> None:
    Run.objects.filter(pk=five.runs()[0].pk).update(status=9)
    assert runs_entered(journey_of(five)).holds is False


def test_messages_are_counted_by_their_state(five: Stage) -> None:
    states = [State.CLICKED, State.DELIVERED, State.UNKNOWN, State.HELD, State.SUPPRESSED, State.QUEUED]
    for message, state in zip(Message.objects.order_by("created_at", "id"), states, strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    created = messages_created(journey_of(five))
    assert (created.total, created.holds) == (6, True)
    assert counts(created) == {"sent": 2, "unknown": 1, "held": 1, "suppressed": 1, "queued": 1}


def test_every_state_of_a_message_has_its_part(five: Stage) -> None:
    journey, message = journey_of(five), Message.objects.order_by("id")[0]
    for state in State:
        Message.objects.filter(pk=message.pk).update(state=state)
        assert messages_created(journey).holds, state


def test_a_message_filed_under_another_journey_breaks_the_sum(five: Stage) -> None:
    Message.objects.filter(pk=Message.objects.order_by("id")[0].pk).update(scope_id=new_id())
    created = messages_created(journey_of(five))
    assert (created.total, counts(created), created.holds) == (6, {"queued": 5}, False)


def test_every_message_step_passed_has_left_a_message(five: Stage) -> None:
    passed = message_steps_passed(journey_of(five))
    assert (passed.total, counts(passed), passed.holds) == (6, {"with_message": 6}, True)


def test_two_messages_of_one_visit_are_one_visit(five: Stage) -> None:
    message = Message.objects.order_by("id")[0]
    message.pk, message.address_id = new_id(), None
    message.save(force_insert=True)
    assert message_steps_passed(journey_of(five)).holds
    assert messages_created(journey_of(five)).total == 7


def test_a_run_that_leaves_before_the_message_has_not_passed_the_step(stage: Stage) -> None:
    # By the passing of time alone, of which no event tells while it waits.
    old = {"leaf": "this_run", "name": "hours", "op": "gt", "value": 20}
    stage.publish(welcome(exit_rules=[{"rule": old, "state": "lost"}]))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=24)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", None]
    passed = message_steps_passed(journey_of(stage))
    assert (passed.total, counts(passed), passed.holds) == (1, {"with_message": 1}, True)


def test_a_message_that_was_never_made_breaks_the_sum(five: Stage) -> None:
    Message.objects.order_by("id")[0].delete()
    passed = message_steps_passed(journey_of(five))
    assert (passed.total, counts(passed), passed.holds) == (6, {"with_message": 5}, False)
    assert messages_created(journey_of(five)).holds


def test_refused_entries_are_counted_by_reason(five: Stage) -> None:
    five.happen("customer.signed_up", "caio")
    five.happen("customer.signed_up", "davi")
    found = refused_entries(journey_of(five))
    assert [(part.key, part.count) for part in found.by_reason] == [("already_live", 2), ("no_consent", 1)]


def test_another_journey_of_the_same_event_has_its_own_numbers(five: Stage) -> None:
    five.publish(welcome(), key="second")
    other = five.journeys["second"].pk
    sums = (runs_entered(other), messages_created(other), message_steps_passed(other))
    assert [(one.total, counts(one), one.holds) for one in sums] == [(0, {}, True)] * 3
    assert refused_entries(other).by_reason == ()
