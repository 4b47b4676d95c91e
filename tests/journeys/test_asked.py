"""What rules look at is read as far as the next wait, no further and no less."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from channels.models import MessageContent
from customers.ids import new_id
from customers.rules import Facts
from journeys.compiling import compile_version
from journeys.engine.runs import RunState
from journeys.engine.walk import Walked, walk
from journeys.models import Cause
from journeys.steps.base import Go, Here, Outcome
from journeys.steps.delay import Delay
from journeys.version import Version
from tests.journeys.stage import T0, Stage, message, welcome

BLOCKED = {"leaf": "attribute", "name": "blocked", "op": "eq", "value": True}
REFERRED = {"leaf": "event_property", "name": "referred", "op": "eq", "value": True}
PRO = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "pro"}


def split(rule: dict[str, Any]) -> dict[str, Any]:
    branches = [{"rule": rule, "next": "done"}]
    return {"type": "split", "id": "split", "state": "not_activated", "branches": branches, "otherwise": "lost"}


def pause(next: str) -> dict[str, Any]:
    return {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT1H", "next": next}


def document(*first: dict[str, Any], **changes: Any) -> dict[str, Any]:
    usual = welcome(**changes)
    return usual | {"steps": [*first, *usual["steps"][-2:]]}


def compiled(definition: dict[str, Any]) -> Version:
    ids = {"connectors": {"mail": str(new_id())}, "templates": {"note": 1}, "purposes": {"news": str(new_id())}}
    return compile_version(definition, ids, id_=1, journey_id=new_id(), brand_id=new_id())


def test_each_step_asks_for_what_lies_before_the_next_wait() -> None:
    hold = {
        "type": "hold",
        "id": "hold",
        "state": "not_activated",
        "branches": [{"event": "login.succeeded", "next": "split"}],
        "timeout": {"after": "P1D", "next": "remind"},
    }
    steps = [message("hello", next="pause"), pause("hold"), hold, split(REFERRED), message("remind", next="lost")]
    version = compiled(document(*steps, exit_rules=[{"rule": BLOCKED, "state": "lost"}]))
    asked = {step.id: set(inputs) for step, inputs in zip(version.steps, version.asked, strict=True)}
    assert asked == {
        "hello": {"traits"},
        "pause": set(),
        "hold": {"event", "traits"},
        "split": {"event"},
        "remind": {"traits"},
        "done": set(),
        "lost": set(),
    }


@pytest.mark.parametrize(
    ("rule", "plan", "referred", "taken"),
    [
        (REFERRED, "free", True, "done"),
        (REFERRED, "pro", False, "lost"),
        (PRO, "pro", False, "done"),
        (PRO, "free", True, "lost"),
    ],
)
def test_a_split_behind_a_wait_sees_traits_and_variables(
    stage: Stage, rule: dict[str, Any], plan: str, referred: bool, taken: str
) -> None:
    stage.publish(document(message("hello", next="pause"), pause("split"), split(rule)))
    stage.know(plan=plan)
    stage.happen("customer.signed_up", properties={"referred": referred})
    stage.pass_time(hours=1)
    assert stage.steps_of(stage.the_run()) == ["hello", "pause", "split", taken]


def test_a_message_behind_a_wait_still_carries_the_variables(stage: Stage) -> None:
    stage.publish(document(pause("hello"), message("hello", next="split"), split(REFERRED)))
    stage.know()
    stage.happen("customer.signed_up", properties={"referred": True, "words": "ção \U0001f600"})
    assert MessageContent.objects.count() == 0
    stage.pass_time(hours=1)
    content = MessageContent.objects.get()
    assert (content.context, content.subject, content.body) == ({"referred": True, "words": "ção \U0001f600"}, "", "")


def test_a_step_that_waits_and_yet_goes_on_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def hurried(_step: Delay, _here: Here) -> Outcome:
        return Go("lost", Cause.TIMER)

    monkeypatch.setattr(Delay, "enter", hurried)
    version = compiled(document(message("hello", next="pause"), pause("lost")))
    run = RunState(1, version, UUID(int=1), UUID(int=2), "", 1, 0, 0, 1, None, T0, T0, T0 + timedelta(hours=1))
    with pytest.raises(RuntimeError, match="no wait at step 1"):
        walk(run, Go("pause", Cause.CONTINUED), Facts(), T0, Walked())
