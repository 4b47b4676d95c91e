"""What rules ask of people on their way, as of the simulated moment: as live, or said to be unknown."""

from typing import Any

import pytest

from journeys.code.cases import run_cases
from journeys.compiling import version
from journeys.engine.arrivals import Arrival
from journeys.simulation.past import Assumed
from journeys.simulation.run import simulate
from journeys.simulation.unknown import Unknown
from tests.journeys.segments import GOLD, make_segment
from tests.journeys.stage import Stage, message
from tests.journeys.test_asks import MAY, VIP, journey, of_run, pause, split, taken
from tests.journeys.test_code import a_file, as_json
from tests.journeys.test_simulation import simulated


def asking(rule: dict[str, Any]) -> dict[str, Any]:
    return journey(message("hello", next="pause"), pause(), split(rule))


def ways_of_split(tally: Any) -> dict[str, int]:
    return {to: n for (step, _way, to), n in tally.ways.items() if step == "split"}


def test_segment_and_permission_are_those_of_the_moment(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(asking({"all": [VIP, MAY, of_run("messages", "eq", 1), of_run("last_outcome", "eq", "timer")]}))
    for user in ("ana", "bia", "caio"):
        stage.know(user, plan="gold")
        stage.happen("customer.signed_up", user)
    stage.pass_time(minutes=1)
    stage.happen("consent.withdrawn", "bia", properties={"purpose": "news"})
    stage.know("caio", plan="free")
    stage.pass_time(hours=1)
    live = [stage.steps_of(run)[-1] for run in stage.runs()]
    assert live == ["done", "lost", "lost"]
    # What came afterwards changes nothing of what was.
    stage.pass_time(minutes=1)
    stage.know("ana", plan="free")
    stage.happen("consent.withdrawn", "ana", properties={"purpose": "news"})
    told = simulated(stage)
    assert ways_of_split(told.tally) == {"done": 1, "lost": 2}
    assert Unknown.SEGMENT_BEFORE in told.unknown


def test_a_message_counts_only_where_it_was_permitted_then(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "guard": "none", "guard_reason": "asked by the split"}
    stage.publish(asking(of_run("messages", "eq", 0)) | {"entry": entry})
    stage.know("ana")
    stage.know("bia", granted=False)
    for user in ("ana", "bia"):
        stage.happen("customer.signed_up", user)
    stage.pass_time(hours=1)
    assert [stage.steps_of(run)[-1] for run in stage.runs()] == ["lost", "done"]
    told = simulated(stage)
    assert ways_of_split(told.tally) == {"done": 1, "lost": 1}
    assert Unknown.SEGMENT_BEFORE not in told.unknown


def test_an_exit_rule_asks_on_entry_in_a_simulation_too(stage: Stage) -> None:
    make_segment(stage, GOLD)
    rules = [{"rule": {"all": [VIP, {"not": of_run("hours", "gt", 0)}, MAY]}, "state": "lost"}]
    stage.publish(asking(MAY) | {"exit_rules": rules})
    stage.know(plan="gold")
    stage.happen("customer.signed_up")
    assert stage.refusals() == ["exit_already_true"]
    assert dict(simulated(stage).tally.refused) == {"exit_already_true": 1}


def test_of_a_file_nobody_is_in_a_segment_and_everybody_agreed(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(asking({"any": [VIP, {"not": MAY}]}))
    stage.know(plan="gold")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert taken(stage) == "done"
    of = version(stage.journeys["welcome"].live_version_id or 0)
    run = stage.the_run()
    at = run.entered_at
    event = Arrival(0, 1, at, at, run.profile_id, of.brand_id, "customer.signed_up", "m", run.customer_id, {})
    told = simulate(of, [[event]], Assumed("UTC"), stage.now)
    assert ways_of_split(told.tally) == {"lost": 1}
    assert Unknown.ANY_SEGMENT in told.unknown


@pytest.mark.parametrize(
    ("given", "when", "path"),
    [
        ({"segments": ["vip"]}, [], "done"),
        ({"segments": ["others"]}, [], "lost"),
        ({}, [{"at": "PT10M", "enters": "vip"}], "done"),
        ({"segments": ["vip"]}, [{"at": "PT10M", "leaves": "vip"}], "lost"),
        ({"segments": ["vip"]}, [{"at": "PT10M", "consent": "withdrawn"}], "lost"),
    ],
)
def test_a_case_tells_segments_and_consent(given: dict[str, Any], when: list[dict[str, Any]], path: str) -> None:
    document = as_json(asking({"all": [VIP, MAY, of_run("messages", "ge", 1), of_run("hours", "ge", 1)]}))
    case = {
        "name": "asks",
        "given": given,
        "when": [{"event": "customer.signed_up"}, *when],
        "then": [{"after": "PT1H", "path": ["hello", "pause", "split", path]}],
    }
    assert list(run_cases(a_file(definition=document, cases=[case]))) == []
