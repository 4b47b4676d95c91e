"""Goals: exits that we want, told apart from others wherever a run's end is told."""

import json
from datetime import timedelta
from typing import Any

import pytest

from analytics.metrics.branches import branch_distribution
from analytics.metrics.endings import endings
from analytics.metrics.period import ALWAYS
from analytics.metrics.ways import partings
from analytics.why import explain_run
from journeys.code.cases import run_cases
from journeys.code.file import read
from journeys.definition import InvalidDefinition
from journeys.diff import compare
from journeys.halting import archive
from journeys.models import Cause, Run, Transition
from journeys.validate import check
from tests.journeys.stage import T0, Stage, welcome

BOUGHT = {"event": "order.completed", "state": "activated", "outcome": "bought", "goal": True}
CLOSED = {"event": "account.closed", "state": "lost", "outcome": "closed"}
PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}


def with_exits(*exits: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return welcome(exit_events=list(exits), **changes)


def entered(stage: Stage, document: dict[str, Any], *users: str) -> Stage:
    stage.publish(document)
    for user in users or ("ana",):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    return stage


def last_move(stage: Stage) -> tuple[int, int | None]:
    move = Transition.objects.order_by("seq").last()
    assert move is not None
    return move.cause, move.branch


def test_a_goal_ends_the_run_in_any_wait_with_a_cause_of_its_own(stage: Stage) -> None:
    entered(stage, with_exits(CLOSED, BOUGHT))
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    run = stage.the_run()
    assert (run.status, run.ended_at, last_move(stage)) == (
        Run.Status.EXITED, T0 + timedelta(hours=1), (Cause.GOAL, 1),
    )  # fmt: skip
    stage.pass_time(days=2)
    assert len(stage.messages()) == 1


def test_another_exit_stays_an_exit(stage: Stage) -> None:
    entered(stage, with_exits(CLOSED, BOUGHT))
    stage.happen("account.closed", at=T0 + timedelta(seconds=1))
    assert last_move(stage) == (Cause.EXIT, 0)


def test_a_rule_may_be_a_goal(stage: Stage) -> None:
    entered(stage, welcome(exit_rules=[{"rule": PRO, "state": "activated", "outcome": "upgraded", "goal": True}]))
    stage.happen("identify", traits={"plan": "pro"})
    stage.pass_time(days=1)
    assert last_move(stage) == (Cause.GOAL, 0)
    _way, moves = explain_run(stage.the_run())
    assert moves[-1].text == ('A goal of the journey was reached: plan eq "pro". Its outcome is “upgraded”.')


@pytest.mark.parametrize(("late", "cause"), [(0, Cause.GOAL), (1, Cause.CONTINUED)])
def test_a_window_is_open_up_to_and_including_its_end(stage: Stage, late: int, cause: Cause) -> None:
    entered(stage, with_exits(BOUGHT | {"within": "PT2H"}))
    stage.pass_time(hours=2, seconds=late)
    stage.happen("order.completed")
    assert last_move(stage)[0] == cause


def test_within_is_about_when_it_occurred_and_not_when_it_was_received(stage: Stage) -> None:
    entered(stage, with_exits(BOUGHT | {"within": "PT2H"}))
    stage.pass_time(hours=9)
    stage.happen("order.completed", at=T0 + timedelta(hours=1))
    assert last_move(stage)[0] == Cause.GOAL


def test_of_two_exits_of_one_event_the_window_decides(stage: Stage) -> None:
    late = BOUGHT | {"goal": False, "outcome": "late"}
    entered(stage, with_exits(BOUGHT | {"within": "PT2H"}, late))
    stage.pass_time(hours=3)
    stage.happen("order.completed")
    assert last_move(stage) == (Cause.EXIT, 1)


def test_the_reason_says_that_a_goal_was_reached_and_what_it_is_called(stage: Stage) -> None:
    entered(stage, with_exits(BOUGHT))
    stage.pass_time(hours=1)
    stage.happen("order.completed")
    _way, moves = explain_run(stage.the_run())
    assert (moves[-1].cause, moves[-1].text) == (
        "goal", "“order.completed” came, a goal of the journey: it was reached. Its outcome is “bought”."
    )  # fmt: skip


def test_the_numbers_tell_goals_exits_and_ways_apart_by_outcome(stage: Stage) -> None:
    entered(stage, with_exits(BOUGHT, CLOSED), "ana", "bia", "caio", "davi", "eva")
    stage.pass_time(hours=1)
    for user, event in (("ana", "order.completed"), ("bia", "order.completed"), ("caio", "account.closed"),
                        ("davi", "login.succeeded")):  # fmt: skip
        stage.happen(event, user)
    found = endings(stage.journeys["welcome"].pk)
    assert [(one.kind, one.state, one.outcome, one.runs) for one in found.endings] == [
        ("goal", "activated", "bought", 2), ("completed", "activated", "", 1), ("exit", "lost", "closed", 1),
    ]  # fmt: skip
    assert (found.total, str(found.parts[0].label)) == (4, "goal reached, activated, bought")


def test_goals_and_stops_at_a_hold_are_in_its_sum(stage: Stage) -> None:
    entered(stage, with_exits(BOUGHT), "ana", "bia")
    stage.pass_time(hours=1)
    stage.happen("order.completed", "ana")
    journey = stage.journeys["welcome"]
    archive(journey, by=None, now=stage.now, end=True)
    stage.run()
    [hold] = branch_distribution(partings(journey.pk, ALWAYS), {})
    assert ({part.key: part.count for part in hold.parts if part.count}, hold.holds) == ({"broken_off": 2}, True)


@pytest.mark.parametrize("within", ["PT0S", "P3651D", "-PT1H"])
def test_a_window_is_a_span_of_time(within: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(with_exits(CLOSED, BOUGHT | {"within": within}))
    assert [(one.code, one.pointer) for one in refused.value.problems] == [("duration", "/exit_events/1/within")]


def test_a_rule_has_no_window() -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(welcome(exit_rules=[{"rule": PRO, "state": "activated", "within": "PT2H"}]))
    assert [one.pointer for one in refused.value.problems] == ["/exit_rules/0"]


def test_what_becomes_a_goal_is_told_before_publishing() -> None:
    plain = with_exits({name: value for name, value in BOUGHT.items() if name != "goal"})
    texts = [change.text for change in compare(plain, with_exits(BOUGHT | {"within": "P2D"}))]
    assert len(texts) == 2
    assert "order.completed" in texts[1]
    assert "is a goal" in texts[1]


def test_a_case_says_by_what_and_with_which_outcome_a_run_must_end() -> None:
    file = read(
        json.dumps(
            {
                "key": "welcome",
                "name": "Welcome",
                "definition": with_exits(BOUGHT),
                "cases": [
                    {
                        "name": "who buys has reached the goal",
                        "when": [{"event": "customer.signed_up"}, {"at": "PT1H", "event": "order.completed"}],
                        "then": [{"after": "PT2H", "ended_by": "goal", "outcome": "bought", "ended_in": "activated"}],
                    },
                    {
                        "name": "who logs in has not",
                        "when": [{"event": "customer.signed_up"}, {"at": "PT1H", "event": "login.succeeded"}],
                        "then": [{"after": "PT2H", "ended_by": "goal"}],
                    },
                ],
            }
        )
    )
    assert [str(failure) for failure in run_cases(file)] == [
        "who logs in has not: after PT7200S, ended_by: expected 'goal', found 'completed'"
    ]
