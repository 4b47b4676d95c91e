"""Who looks back: a run that begins, and one that comes to where an earlier event may mean what it did not before."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from customers import work
from customers.pg import raw_cursor
from customers.resolve import stage as resolve
from journeys.engine import match, passing, runs
from journeys.engine.advance import advance_due
from journeys.engine.match import match_events
from journeys.models import RecheckItem
from tests.journeys.stage import Stage, message, welcome

pytestmark = pytest.mark.django_db
STATE = "not_activated"
LEFT, LOG_IN = "customer.left", "login.succeeded"


def delay(id_: str, next_: str) -> dict[str, Any]:
    return {"type": "delay", "id": id_, "state": STATE, "after": "PT1H", "next": next_}


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


def test_a_known_run_that_comes_to_another_pause_does_not(stage: Stage) -> None:
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
    document["steps"][2] = {
        "type": "hold", "id": "rest", "state": STATE, "branches": [{"event": LOG_IN, "next": "lost"}],
        "timeout": {"after": "P1D", "next": "lost"},
    }  # fmt: skip
    stage.publish(document)
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen(LOG_IN)
    come_to_rest(stage)
    assert looking_back() == 1
    stage.run()
    assert stage.steps_of(stage.the_run())[-1] == "lost"


PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}
LATE = {"leaf": "this_run", "name": "hours", "op": "ge", "value": 5}
LEAVES_IF_PRO = [{"event": LEFT, "state": "lost", "rule": PRO}]


@pytest.mark.parametrize(
    ("changes", "looks_back"),
    [
        pytest.param({"exit_events": LEAVES_IF_PRO}, 1, id="an event that counts for some of the people"),
        pytest.param({"exit_rules": [{"rule": LATE, "state": "lost"}]}, 0, id="a rule that asks nothing that is told"),
        pytest.param({"exit_rules": [{"rule": {"all": [PRO, LATE]}, "state": "lost"}]}, 1, id="a rule of the run too"),
        pytest.param({"exit_rules": [{"rule": PRO, "state": "lost"}]}, 0, id="a rule of what is told as it changes"),
    ],
)
def test_a_known_run_looks_back_where_what_came_before_may_end_it_now(
    stage: Stage, changes: dict[str, Any], looks_back: int
) -> None:
    stage.publish(pausing() | changes)
    stage.know()
    stage.happen("customer.signed_up")
    if "exit_events" in changes:
        stage.happen(LEFT)
    stage.happen("identify", traits={"plan": "free"})
    come_to_rest(stage)
    assert looking_back() == looks_back


def test_a_known_run_of_whom_nothing_came_has_nothing_to_look_back_for(stage: Stage) -> None:
    stage.publish(pausing(rule=PRO))
    stage.know()
    stage.happen("customer.signed_up")
    come_to_rest(stage)
    assert looking_back() == 0


def test_what_changed_before_it_came_there_ended_it_then(stage: Stage) -> None:
    stage.publish(pausing() | {"exit_rules": [{"rule": PRO, "state": "lost"}]})
    stage.know()
    stage.happen("customer.signed_up")
    stage.happen("identify", traits={"plan": "pro"})
    assert stage.steps_of(stage.the_run()) == ["pause", None]


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


def test_matching_what_a_known_run_awaits_moves_it_once(stage: Stage) -> None:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.accept(LOG_IN)
    stage.run()
    assert match_events(stage.now) == 0
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "done"]
