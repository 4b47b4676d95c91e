"""Typed variables in simulations, cases, files and starts by API: the same values as live."""

from typing import Any

import pytest

from analytics.why.run import explain_run
from customers.models import Identifier
from journeys.code.cases import run_cases
from journeys.code.file import read, write
from journeys.diff import compare
from journeys.engine.start import Caller, start
from journeys.models import Variable
from tests.journeys.stage import Stage
from tests.journeys.test_asks import pause, split
from tests.journeys.test_code import a_file, as_json
from tests.journeys.test_simulation import simulated
from tests.journeys.test_variables import ALL, PLAN, SETS, asked, hold, with_variables

RULE = {"all": [asked("plan", "eq", "pro"), asked("total", "ge", 2)]}


def test_a_simulation_gives_and_asks_the_same(stage: Stage) -> None:
    stage.publish(with_variables(hold(SETS, next="pause"), pause(), split(RULE)))
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("customer.signed_up", user, properties={"plan": "pro", "cart": {"total": 1}})
    stage.happen("plan.chosen", "ana", properties={"total": 2})
    stage.happen("plan.chosen", "bia", properties={"total": 2, "chosen": "free"})
    stage.pass_time(hours=1)
    assert [stage.steps_of(run)[-1] for run in stage.runs()] == ["done", "lost"]
    tally = simulated(stage).tally
    assert {to: n for (step, _way, to), n in tally.ways.items() if step == "split"} == {"done": 1, "lost": 1}


@pytest.mark.parametrize(
    ("expected", "failures"),
    [
        ({"plan": "pro", "total": 3, "gift": False, "day": None}, 0),
        ({"plan": "pro", "total": 4}, 1),
        ({"day": "2026-05-31T09:00:00Z"}, 1),
    ],
)
def test_a_case_says_what_the_run_holds(expected: dict[str, Any], failures: int) -> None:
    case = {
        "name": "chooses",
        "when": [
            {"event": "customer.signed_up"},
            {"at": "PT1H", "event": "plan.chosen", "properties": {"chosen": "pro", "total": 3}},
        ],
        "then": [{"after": "PT1H", "variables": expected, "ended_in": "activated"}],
    }
    file = a_file(definition=as_json(with_variables(hold(SETS), split(RULE))), cases=[case])
    assert len(list(run_cases(file))) == failures
    assert read(write(file)).definition == file.definition


def test_what_changed_of_a_variable_is_told_by_its_name() -> None:
    before = as_json(with_variables(hold(SETS), split(RULE)))
    after = as_json(with_variables(hold(SETS), split(RULE), variables=[PLAN | {"default": "basic"}, *ALL[2:]]))
    assert [(one.kind, one.pointer) for one in compare(before, after)] == [
        ("removed", "/variables/1"),
        ("changed", "/variables/0/default"),
    ]
    assert "plan" in compare(before, after)[1].text


def test_an_entry_by_api_begins_with_what_the_caller_says(stage: Stage) -> None:
    entry = {"event": "customer.signed_up", "api": True}
    document = with_variables(hold(SETS), split(RULE), entry=entry)
    stage.publish(document)
    stage.know()
    profile = Identifier.objects.get(kind_id="user_id", value="ana").profile_id
    caller = Caller(stage.brand.pk, stage.source.pk, profile, "m-start", "tok")
    start(stage.journeys["welcome"].pk, caller, {"plan": "pro", "cart": {"total": 7}}, stage.now)
    held = list(Variable.objects.order_by("name").values_list("name", "text", "number", "boolean"))
    assert held == [("gift", None, None, False), ("plan", "pro", None, None), ("total", None, 7.0, None)]


def test_why_of_a_run_whose_variables_are_gone_says_nothing_of_them(stage: Stage) -> None:
    stage.publish(with_variables(hold(SETS), split(RULE)))
    stage.know()
    stage.happen("customer.signed_up")
    Variable.objects.all().delete()
    assert explain_run(stage.the_run())[1][0].gave == {}
