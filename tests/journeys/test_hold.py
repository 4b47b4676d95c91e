"""Holds that weigh what came when time is up, and holds whose time begins anew."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.journey_numbers import journey_numbers
from analytics.metrics.period import ALWAYS
from analytics.why.run import explain_run
from journeys.definition import InvalidDefinition
from journeys.models import Cause, Run, Transition
from journeys.validate import check
from tests.journeys.stage import T0, Stage, welcome

DAY = timedelta(days=1)


def holding(**more: Any) -> dict[str, Any]:
    document = welcome()
    document["steps"][1] |= {
        "branches": [
            {"event": "order.completed", "next": "done"},
            {"event": "login.succeeded", "next": "remind"},
        ]
    } | more
    return document


def best(**more: Any) -> dict[str, Any]:
    return holding(take="best", **more)


def anew(**more: Any) -> dict[str, Any]:
    return holding(reset={"event": "cart.filled", "most": 2} | more)


def causes(run: Run) -> list[int]:
    return list(Transition.objects.filter(run_id=run.pk).order_by("seq").values_list("cause", flat=True))


def begin(stage: Stage, document: dict[str, Any]) -> None:
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up")


def test_of_all_that_came_the_branch_that_stands_first_is_taken_when_time_is_up(stage: Stage) -> None:
    begin(stage, best())
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    stage.pass_time(hours=21, minutes=59)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold"]
    stage.pass_time(minutes=1)
    run = stage.the_run()
    assert stage.steps_of(run) == ["welcome", "hold", "done"]
    assert (causes(run), run.ended_at) == ([Cause.ENTERED, Cause.CONTINUED, Cause.BEST], T0 + DAY)
    _way, moves = explain_run(run)
    assert moves[-1].text == "The time of “hold” was over, and “order.completed” was the best of what had come."


def test_without_any_of_it_time_runs_out_as_ever(stage: Stage) -> None:
    begin(stage, best())
    stage.happen("cart.filled")
    stage.pass_time(days=1)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]
    assert causes(stage.the_run())[2] == Cause.TIMED_OUT


def test_what_came_at_the_very_deadline_is_weighed_and_what_came_later_is_not(stage: Stage) -> None:
    begin(stage, best())
    stage.now = T0 + DAY
    stage.happen("login.succeeded")
    assert causes(stage.the_run())[2] == Cause.BEST
    stage.now = T0 + 2 * DAY
    stage.publish(best(), key="second")
    stage.happen("customer.signed_up", at=stage.now)
    second = stage.runs()[-1]
    stage.now += DAY + timedelta(seconds=1)
    stage.accept("order.completed")
    stage.run()
    assert causes(second)[2] == Cause.TIMED_OUT


def test_a_rule_and_an_exit_count_as_ever(stage: Stage) -> None:
    rule = {"leaf": "event_property", "name": "total", "op": "gt", "value": 50}
    document = best(
        branches=[
            {"event": "order.completed", "next": "done", "rule": rule},
            {"event": "login.succeeded", "next": "remind"},
        ]
    )
    begin(stage, document)
    stage.happen("order.completed", properties={"total": 20})
    stage.happen("login.succeeded")
    stage.pass_time(days=1)
    assert stage.steps_of(stage.the_run())[2] == "remind"


def test_an_event_that_was_taken_is_not_weighed_again(stage: Stage) -> None:
    document = best(
        branches=[{"event": "order.completed", "next": "done"}, {"event": "login.succeeded", "next": "hold"}],
        timeout={"after": "PT1H", "next": "remind"},
    )
    begin(stage, document)
    stage.happen("login.succeeded")
    stage.pass_time(hours=1)
    assert causes(stage.the_run())[2:] == [Cause.BEST]
    stage.pass_time(hours=1)
    assert causes(stage.the_run())[2:4] == [Cause.BEST, Cause.TIMED_OUT]


def test_time_begins_anew_from_when_the_event_occurred(stage: Stage) -> None:
    begin(stage, anew())
    stage.pass_time(hours=10)
    stage.accept("cart.filled", at=T0 + timedelta(hours=8))
    stage.run()
    run = stage.the_run()
    assert (run.due_at, run.status) == (T0 + timedelta(hours=32), Run.Status.ACTIVE)
    assert causes(run) == [Cause.ENTERED, Cause.CONTINUED, Cause.RESET]
    _way, moves = explain_run(run)
    assert moves[-1].text == "“cart.filled” came, and “hold” waits anew."
    stage.pass_time(hours=21, minutes=59)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "hold"]
    stage.pass_time(minutes=1)
    assert stage.steps_of(stage.the_run())[-2:] == ["remind", "lost"]


def test_time_begins_anew_so_often_and_no_more(stage: Stage) -> None:
    begin(stage, anew())
    for _time in range(4):
        stage.pass_time(hours=1)
        stage.happen("cart.filled")
    run = stage.the_run()
    assert run.due_at == T0 + timedelta(hours=2) + DAY
    assert causes(run).count(Cause.RESET) == 2


def test_in_one_batch_as_well(stage: Stage) -> None:
    begin(stage, anew())
    stage.now += timedelta(hours=5)
    for hours in (1, 2, 3):
        stage.accept("cart.filled", at=T0 + timedelta(hours=hours))
    stage.run()
    assert stage.the_run().due_at == T0 + timedelta(hours=2) + DAY
    assert causes(stage.the_run()).count(Cause.RESET) == 2


def test_what_happened_before_the_wait_begins_nothing_anew(stage: Stage) -> None:
    stage.publish(anew())
    stage.know()
    stage.accept("customer.signed_up", at=T0 - timedelta(hours=2))
    stage.accept("cart.filled", at=T0 - timedelta(hours=1))
    stage.run()
    assert (stage.the_run().due_at, causes(stage.the_run()).count(Cause.RESET)) == (T0 + DAY, 0)


def test_an_awaited_event_ends_the_wait_however_often_it_began_anew(stage: Stage) -> None:
    begin(stage, anew())
    stage.happen("cart.filled")
    stage.pass_time(hours=30)
    assert stage.steps_of(stage.the_run())[-1] == "lost"
    stage.publish(anew(), key="other")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=20)
    stage.happen("cart.filled")
    stage.pass_time(hours=20)
    stage.happen("order.completed")
    assert stage.steps_of(stage.runs()[-1])[-1] == "done"


def test_the_numbers_add_up(stage: Stage) -> None:
    begin(stage, anew())
    stage.pass_time(hours=1)
    stage.happen("cart.filled")
    numbers = journey_numbers(stage.journeys["welcome"].pk, ALWAYS)
    assert numbers.broken == []
    [sum_] = numbers.branches
    assert {part.key: part.count for part in sum_.parts} == {"timed_out": 0, "reset": 1, "broken_off": 0, "standing": 1}
    [hold] = numbers.holds.holds
    assert (hold.by_event, hold.over, hold.waiting) == (0, 0, 1)


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"reset": {"event": "cart.filled", "most": 0}}, "reset_count", "/steps/1/reset/most"),
        ({"reset": {"event": "cart.filled", "most": 101}}, "reset_count", "/steps/1/reset/most"),
        ({"reset": {"event": "cart.filled", "key": "cart_id"}}, "key_unused", "/steps/1/reset/key"),
        ({"branches": [{"event": f"e{n}", "next": "done"} for n in range(10)]}, "branch_count", "/steps/1/branches"),
    ],
)
def test_a_hold_that_cannot_be_is_refused_with_its_place(more: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(holding(**more))
    assert (code, pointer) in [(one.code, one.pointer) for one in refused.value.problems]
