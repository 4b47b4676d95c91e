"""Looking back: who is queued for it, what is found by it, and by which plans."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from consent import staff
from customers import work
from customers.pg import raw_cursor
from customers.resolve import stage as resolve
from journeys import halting
from journeys.engine import halts, match, passing, runs
from journeys.engine.advance import advance_due
from journeys.engine.match import match_events
from journeys.engine.recheck import recheck_parked
from journeys.models import Halt, RecheckItem, Run
from tests.journeys.stage import Stage, message, welcome
from tests.journeys.test_simulation import simulated

pytestmark = pytest.mark.django_db
STATE = "not_activated"
LEFT, LOG_IN = "customer.left", "login.succeeded"
PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
AGE = {"after": "PT90M", "state": "lost"}
LATE = {"leaf": "this_run", "name": "hours", "op": "ge", "value": 2}
MAY_BE_WRITTEN_TO = {"leaf": "permission", "purpose": "news", "channel": "email"}


def delay(id_: str, next_: str, after: str = "PT1H") -> dict[str, Any]:
    return {"type": "delay", "id": id_, "state": STATE, "after": after, "next": next_}


def pausing(**exit_: Any) -> dict[str, Any]:
    """A pause, a message, another pause; whoever leaves is out."""
    return welcome(
        exit_events=[{"event": LEFT, "state": "lost"} | exit_],
        steps=[
            delay("pause", "remind"),
            message("remind", next="rest"),
            delay("rest", "lost"),
            {"type": "exit", "id": "lost", "state": "lost"},
        ],
    )


def hold(id_: str, event: str, next_: str) -> dict[str, Any]:
    branches = [{"event": event, "next": next_}]
    timeout = {"after": "P1D", "next": "lost"}
    return {"type": "hold", "id": id_, "state": STATE, "branches": branches, "timeout": timeout}


def waiting(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    ends = [{"type": "exit", "id": "lost", "state": "lost"}]
    if steps[-1]["type"] == "hold":
        ends.append({"type": "exit", "id": "done", "state": "activated"})
    return welcome(steps=[*steps, *ends], **changes)


def looking_back() -> int:
    return RecheckItem.objects.count()


def come_to_rest(stage: Stage) -> None:
    """To the second pause, and no further: nobody has looked back yet."""
    stage.now += timedelta(hours=1)
    assert advance_due(stage.now) == 1
    assert stage.steps_of(stage.the_run())[-1] == "rest"


def test_a_run_that_begins_looks_back(stage: Stage) -> None:
    stage.publish(pausing())
    stage.know()
    stage.accept("customer.signed_up")
    for queue in (resolve.QUEUE, match.QUEUE):
        assert work.work_once(queue, stage.now) == 1
    assert stage.steps_of(stage.the_run()) == ["pause"]
    assert looking_back() == 1


def test_a_known_run_of_whom_nothing_came_is_not_queued(stage: Stage) -> None:
    stage.publish(pausing())
    stage.know()
    stage.happen("customer.signed_up")
    come_to_rest(stage)
    assert looking_back() == 0


def test_it_still_ends_by_an_event_that_comes_there(stage: Stage) -> None:
    stage.publish(pausing())
    stage.know()
    stage.happen("customer.signed_up")
    come_to_rest(stage)
    stage.happen(LEFT)
    assert stage.steps_of(stage.the_run()) == ["pause", "remind", "rest", None]


def test_a_known_run_that_comes_to_a_hold_looks_back(stage: Stage) -> None:
    document = pausing()
    document["steps"][2] = hold("rest", LOG_IN, "lost")
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen(LOG_IN)
    come_to_rest(stage)
    assert looking_back() == 1
    stage.run()
    assert stage.steps_of(stage.the_run())[-1] == "lost"


def test_what_came_before_counts_at_a_hold_that_another_event_leads_to(stage: Stage) -> None:
    stage.publish(waiting(hold("first", "visit.begun", "second"), hold("second", "visit.paid", "done")))
    stage.know()
    for name in ("customer.signed_up", "visit.paid", "visit.begun"):
        stage.happen(name)
    assert stage.steps_of(stage.the_run()) == ["first", "second", "done"]


def test_what_is_found_and_then_matched_moves_the_run_once(stage: Stage) -> None:
    stage.publish(waiting(delay("pause", "first"), hold("first", LOG_IN, "second"), hold("second", LOG_IN, "done")))
    stage.know()
    stage.happen("customer.signed_up")
    stage.now += timedelta(hours=1)
    due = stage.now
    stage.now += timedelta(seconds=1)
    stage.accept(LOG_IN)
    assert work.work_once(resolve.QUEUE, stage.now) == 1
    assert advance_due(due) == 1
    assert (recheck_parked(stage.now), match_events(stage.now)) == (1, 1)
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["pause", "first", "second"]


@pytest.mark.parametrize("rule", [PRO, {"all": [PRO, LATE]}], ids=["of the person", "of the run too"])
def test_exit_rules_are_asked_again_at_each_wait_once_something_has_changed(stage: Stage, rule: dict[str, Any]) -> None:
    """Live and simulated alike."""
    way = [delay("one", "two"), delay("two", "three"), delay("three", "lost")]
    stage.publish(waiting(*way, exit_rules=[{"rule": rule, "state": "lost"}]))
    stage.know(plan="free")
    stage.happen("customer.signed_up")
    stage.pass_time(minutes=30)
    stage.happen("identify", traits={"plan": "pro"})
    for _hour in range(4):
        stage.pass_time(hours=1)
    went = stage.steps_of(stage.the_run())
    assert went == (["one", None] if rule is PRO else ["one", "two", "three", None])
    assert _simulated_way(stage) == went


def _simulated_way(stage: Stage) -> list[str | None]:
    [path] = simulated(stage).tally.paths
    return [one["step"] or None for one in path]


def test_who_may_be_written_to_with_time_is_found_at_the_next_wait(stage: Stage) -> None:
    """The peace that somebody asked for ends by itself: no event tells of it."""
    way = [delay("one", "two", after="P20D"), delay("two", "lost", after="P20D")]
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "Nothing is sent."}
    stage.publish(waiting(*way, entry=entry, exit_rules=[{"rule": MAY_BE_WRITTEN_TO, "state": "lost"}]))
    stage.know(granted=False)
    stage.happen("customer.signed_up")
    staff.pause_for(stage.the_run().customer, stage.brand, "1w", stage.now)
    stage.pass_time(hours=1)
    stage.happen("consent.granted", properties={"purpose": "news"})
    assert stage.steps_of(stage.the_run()) == ["one"]
    stage.pass_time(days=20)
    assert stage.steps_of(stage.the_run()) == ["one", "two", None]


@pytest.mark.parametrize(
    ("document", "event", "went"),
    [
        pytest.param(welcome(), LOG_IN, ["welcome", "hold", "done"], id="a hold"),
        pytest.param(pausing() | {"timeout": AGE}, LEFT, ["pause", None], id="an exit before an age"),
    ],
)
def test_no_event_is_too_late_while_time_stands_though_nobody_was_set_aside_yet(
    stage: Stage, document: dict[str, Any], event: str, went: list[str | None]
) -> None:
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up")
    journey = stage.journeys["welcome"]
    halting.pause(journey, by=None, now=stage.now, waiting=Halt.Waiting.TIME_STANDS)
    stage.now += timedelta(days=2)
    stage.accept(event)
    assert (work.work_once(resolve.QUEUE, stage.now), match_events(stage.now)) == (1, 1)
    stage.now += timedelta(seconds=1)
    halting.resume(journey, by=None, now=stage.now)
    stage.run()
    assert stage.steps_of(stage.the_run()) == went


def test_of_a_journey_that_goes_on_only_those_look_back_who_are_still_in_it(stage: Stage) -> None:
    stage.publish(welcome())
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    stage.happen(LOG_IN, "ana")
    journey = stage.journeys["welcome"]
    halting.pause(journey, by=None, now=stage.now, waiting=Halt.Waiting.TIME_STANDS)
    stage.now += timedelta(hours=1)
    halting.resume(journey, by=None, now=stage.now)
    assert work.work_once(halts.QUEUE, stage.now) == 1
    waits = [run.pk for run in stage.runs() if run.status == Run.Status.ACTIVE]
    assert list(RecheckItem.objects.values_list("run_id", flat=True)) == waits
    assert len(waits) == 1


@pytest.mark.parametrize("rows_known", [0, 1000])
def test_live_runs_of_customers_are_found_by_customer_whatever_the_planner_knows(stage: Stage, rows_known: int) -> None:
    """A table that was just emptied, or filled since it was last looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = %s, relpages = %s WHERE relname IN ('journeys_run', 'run_due')",
            [rows_known, rows_known // 50],
        )
    work._look_up_by_key()
    nobody: list[Any] = [[]]
    asked = {
        match._LOOKING_BACK: nobody,
        runs._LIVE.format(column="customer_id", type="uuid"): nobody,
        runs._LIVE_OF: nobody,
        passing._TAKE: [[], [], []],
    }
    with raw_cursor() as cursor:
        for statement, parameters in asked.items():
            plan = "\n".join(row[0] for row in cursor.execute(f"EXPLAIN {statement}", parameters).fetchall())
            assert "using one_live_run_per_key" in plan, statement
            assert "run_due" not in plan, statement
            assert "Seq Scan on journeys_run" not in plan, statement


def test_the_oldest_event_of_a_profile_is_found_without_sorting_them(stage: Stage) -> None:
    work._look_up_by_key()
    with raw_cursor() as cursor:
        rows = cursor.execute(f"EXPLAIN {match._OLDER}", [[1, 2], []]).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "match_queue_by_profile" in plan
    assert "Sort" not in plan
