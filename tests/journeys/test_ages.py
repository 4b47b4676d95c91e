"""The age at which a journey ends a run, and the last step of an end."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.metrics.endings import endings
from analytics.metrics.message_steps_passed import message_steps_passed
from analytics.why import explain_run
from channels.dispatch import dispatch_due
from channels.models import Message
from journeys import halting
from journeys.compiling import awaited_names, version
from journeys.definition import InvalidDefinition
from journeys.models import Cause, Halt, Run, Transition
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.validate import check
from tests.journeys.stage import T0, Stage, message, welcome

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIME_OUT = {"after": "P3D", "state": "lost", "outcome": "too old"}


def waiting_for_days(**changes: Any) -> dict[str, Any]:
    """A hold of two days, and then another of five."""
    hold = welcome()["steps"][1] | {"timeout": {"after": "P2D", "next": "again"}}
    again = hold | {"id": "again", "timeout": {"after": "P5D", "next": "lost"}}
    return welcome(steps=[hold, again, *welcome()["steps"][3:]]) | {"timeout": TIME_OUT} | changes


def entered(stage: Stage, document: dict[str, Any]) -> Stage:
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up")
    return stage


def last_cause() -> Cause:
    move = Transition.objects.order_by("seq").last()
    assert move is not None
    return Cause(move.cause)


def test_a_run_ends_at_that_age_in_the_middle_of_a_wait(stage: Stage) -> None:
    entered(stage, waiting_for_days())
    assert stage.the_run().due_at == T0 + 2 * DAY
    stage.pass_time(days=2)
    run = stage.the_run()
    assert (run.due_at, run.waits_until, stage.steps_of(run)) == (T0 + 3 * DAY, T0 + 7 * DAY, ["hold", "again"])
    stage.pass_time(days=1)
    run = stage.the_run()
    assert (run.status, run.ended_at, last_cause()) == (Run.Status.EXPIRED, T0 + 3 * DAY, Cause.EXPIRED)
    assert run.version.definition["states"][run.state]["name"] == "lost"


def test_without_a_time_out_nothing_of_it_is_kept(stage: Stage) -> None:
    run = entered(stage, welcome()).the_run()
    assert (run.ends_at, run.waits_until, run.due_at) == (None, None, T0 + DAY)


def test_a_wait_that_ends_at_the_very_age_is_ended_by_it(stage: Stage) -> None:
    entered(stage, waiting_for_days(timeout=TIME_OUT | {"after": "P2D"}))
    stage.pass_time(days=2)
    assert (last_cause(), stage.steps_of(stage.the_run())) == (Cause.EXPIRED, ["hold", None])


def test_an_event_at_the_very_age_is_in_time_and_one_after_it_is_not(stage: Stage) -> None:
    exits = [{"event": "order.completed", "state": "activated", "goal": True}]
    stage.publish(waiting_for_days(exit_events=exits))
    for user in ("ana", "bia", "caio"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    stage.pass_time(days=2)
    stage.now = T0 + 3 * DAY
    stage.accept("login.succeeded", "ana")
    stage.accept("order.completed", "bia")
    stage.accept("order.completed", "caio", received=stage.now + timedelta(seconds=1), at=T0 + DAY)
    stage.now += timedelta(seconds=1)
    stage.run()
    assert [Run.Status(run.status) for run in stage.runs()] == [
        Run.Status.COMPLETED, Run.Status.EXITED, Run.Status.EXPIRED,
    ]  # fmt: skip


def test_a_reset_does_not_carry_a_wait_beyond_the_age(stage: Stage) -> None:
    document = waiting_for_days()
    document["steps"][0] |= {"reset": {"event": "page.viewed"}}
    entered(stage, document)
    stage.pass_time(days=1, hours=12)
    stage.happen("page.viewed")
    run = stage.the_run()
    assert (run.due_at, run.waits_until) == (T0 + 3 * DAY, T0 + timedelta(days=3, hours=12))


@pytest.mark.parametrize(("how", "later"), [(Halt.Waiting.TIME_STANDS, 10), (Halt.Waiting.TIME_GOES_ON, 0)])
def test_the_age_moves_with_the_waits_where_time_stood_still(stage: Stage, how: Halt.Waiting, later: int) -> None:
    entered(stage, waiting_for_days())
    stage.pass_time(days=1)
    halting.pause(stage.journeys["welcome"], by=None, now=stage.now, waiting=how)
    stage.pass_time(hours=10)
    halting.resume(stage.journeys["welcome"], by=None, now=stage.now)
    stage.run()
    run = stage.the_run()
    moved = timedelta(hours=later)
    assert (run.due_at, run.ends_at) == (T0 + 2 * DAY + moved, T0 + 3 * DAY + moved)


def test_a_wait_begun_while_time_stands_keeps_its_length_beside_the_age(stage: Stage) -> None:
    entered(stage, waiting_for_days(timeout=TIME_OUT | {"after": "P6D"}))
    stage.pass_time(days=1)
    halting.pause(stage.journeys["welcome"], by=None, now=stage.now, waiting=Halt.Waiting.TIME_STANDS)
    stage.pass_time(days=20)
    halting.resume(stage.journeys["welcome"], by=None, now=stage.now)
    stage.run()
    stage.pass_time(days=1)
    run = stage.the_run()
    assert (run.due_at, run.waits_until, run.ends_at) == (T0 + 26 * DAY, T0 + 27 * DAY, T0 + 26 * DAY)


def test_who_rests_while_time_stands_is_not_ended_by_age(stage: Stage) -> None:
    entered(stage, waiting_for_days())
    halting.pause(stage.journeys["welcome"], by=None, now=stage.now, waiting=Halt.Waiting.TIME_STANDS)
    stage.pass_time(days=9)
    stage.happen("login.succeeded")
    assert stage.the_run().status == Run.Status.COMPLETED


def test_the_reason_and_the_numbers_name_the_age_and_its_outcome(stage: Stage) -> None:
    entered(stage, waiting_for_days())
    stage.pass_time(days=2)
    stage.pass_time(days=1)
    _way, moves = explain_run(stage.the_run())
    assert (moves[-1].cause, moves[-1].text) == (
        "expired",
        "The run had been in the journey for as long as it lets anybody, and was ended. Its outcome is “too old”.",
    )
    [one] = endings(stage.journeys["welcome"].pk).endings
    assert (one.kind, one.state, one.outcome, one.runs) == ("expired", "lost", "too old", 1)


def test_a_simulation_ends_runs_at_the_same_age(stage: Stage) -> None:
    entered(stage, waiting_for_days())
    live = version(stage.the_run().version_id)
    events = stored(stage.brand.pk, awaited_names(live.definition, live.steps), T0, T0)
    told = simulate(live, events, Recorded("UTC"), T0 + 9 * DAY).tally.as_json()
    assert told["exits"] == [{"kind": "expired", "state": "lost", "outcome": "too old", "runs": 1}]


def with_thanks(**changes: Any) -> dict[str, Any]:
    """The goal has a last word."""
    thanks = message("thanks", next="done", state="activated")
    exits = [{"event": "order.completed", "state": "activated", "goal": True, "last_step": "thanks"}]
    return welcome(exit_events=exits, steps=[*welcome()["steps"], thanks], **changes)


def test_an_end_walks_its_last_step_to_the_exit(stage: Stage) -> None:
    entered(stage, with_thanks())
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    run = stage.the_run()
    assert (run.status, run.ended_at, run.due_at) == (Run.Status.EXITED, T0 + HOUR, None)
    assert stage.steps_of(run) == ["welcome", "hold", "thanks", "done"]
    causes = Transition.objects.order_by("seq").values_list("cause", flat=True)
    assert list(causes)[2:] == [Cause.GOAL, Cause.CONTINUED]
    assert message_steps_passed(stage.journeys["welcome"].pk).total == len(stage.messages()) == 2


def test_the_last_message_goes_and_one_of_before_does_not(stage: Stage) -> None:
    entered(stage, with_thanks())
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    dispatch_due(stage.connector.pk, stage.now)
    assert stage.messages() == [("cancelled", "ended"), ("sent", "")]


def test_what_a_hold_awaited_in_vain_does_not_call_the_last_message_back(stage: Stage) -> None:
    steps = with_thanks()["steps"]
    steps[1] = steps[1] | {"branches": [{"event": "order.completed", "next": "done"}]}
    steps[2] = steps[2] | {"next": "rest"}
    steps.append({"type": "delay", "id": "rest", "state": "not_activated", "after": "P1D", "next": "lost"})
    entered(stage, with_thanks() | {"steps": steps})
    stage.pass_time(days=1)
    stage.happen("order.completed")
    stage.accept("order.completed")
    dispatch_due(stage.connector.pk, stage.now)
    assert stage.messages() == [("expired", "late"), ("cancelled", "ended"), ("sent", "")]


def test_whoever_does_not_agree_gets_no_last_message(stage: Stage) -> None:
    entered(stage, with_thanks())
    stage.pass_time(hours=1)
    stage.happen("consent.withdrawn", properties={"purpose": "news"})
    stage.happen("order.completed")
    assert stage.messages()[1] == ("suppressed", "withdrawn")
    assert stage.the_run().status == Run.Status.EXITED


def test_a_withdrawal_after_the_end_keeps_the_last_message_back(stage: Stage) -> None:
    entered(stage, with_thanks())
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    stage.happen("consent.withdrawn", properties={"purpose": "news"})
    dispatch_due(stage.connector.pk, stage.now)
    assert stage.messages()[1] == ("suppressed", "withdrawn")


def test_the_age_may_have_a_last_step_whose_rules_see_the_entry(stage: Stage) -> None:
    last = {
        "type": "split", "id": "which", "state": "not_activated", "otherwise": "lost",
        "branches": [{"rule": {"leaf": "event_property", "name": "vip", "op": "eq", "value": True}, "next": "bye"}],
    }  # fmt: skip
    document = waiting_for_days(timeout=TIME_OUT | {"last_step": "which"})
    document["steps"] += [last, message("bye", next="lost")]
    stage.publish(document)
    for user, is_vip in (("ana", True), ("bia", False)):
        stage.know(user)
        stage.happen("customer.signed_up", user, properties={"vip": is_vip})
    stage.pass_time(days=2)
    stage.pass_time(days=1)
    assert [stage.steps_of(run)[2:] for run in stage.runs()] == [["which", "bye", "lost"], ["which", "lost"]]
    dispatch_due(stage.connector.pk, stage.now)
    assert stage.messages() == [("sent", "")]
    assert Message.objects.get().expires_at == T0 + 4 * DAY


def problems(document: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    return [(one.code, one.pointer) for one in refused.value.problems]


def test_ends_that_cannot_be_walked_are_refused() -> None:
    exits = with_thanks()["exit_events"]
    nobody = [exits[0] | {"last_step": "nobody"}]
    assert problems(with_thanks() | {"exit_events": nobody}) == [("unknown_step", "/exit_events/0/last_step")]
    waits = [exits[0] | {"last_step": "remind"}, exits[0]]
    holding = with_thanks() | {"exit_events": waits}
    holding["steps"][2] = holding["steps"][2] | {"next": "hold"}
    found = problems(holding)
    assert ("last_step_waits", "/exit_events/0/last_step") in found
    elsewhere = [exits[0] | {"last_step": "remind"}, exits[0]]
    assert problems(with_thanks() | {"exit_events": elsewhere}) == [("last_step_state", "/exit_events/0/last_step")]


def test_a_last_step_needs_its_transition_and_is_no_unreachable_step() -> None:
    document = with_thanks() | {"transitions": [("not_activated", "lost")]}
    assert ("illegal_transition", "/exit_events/0") in problems(document)
    unnamed = with_thanks() | {"exit_events": []}
    assert problems(unnamed) == [("unreachable", "/steps/5")]


@pytest.mark.parametrize(
    ("timeout", "problem"),
    [
        ({"after": "PT0S", "state": "lost"}, ("duration", "/timeout/after")),
        ({"after": "P1D", "state": "nowhere"}, ("unknown_state", "/timeout/state")),
        ({"after": "P1D", "state": "not_activated"}, ("end_state", "/timeout/state")),
        ({"state": "lost"}, ("invalid_definition", "/timeout")),
    ],
)
def test_a_time_out_has_a_span_and_an_end(timeout: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problems(welcome(timeout=timeout)) == [problem]
