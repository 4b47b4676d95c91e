"""Tasks asked for by journeys: not to be done any more once the run has ended or the customer has acted."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from channels.dispatch import dispatch_all
from channels.models import Connector, Task, Template, TemplateText, TemplateVersion
from channels.worklist import turn
from channels.worklist.asking import Objection
from channels.worklist.turn import By
from journeys.models import Run
from tests.journeys.stage import Stage, message, welcome

PHONE = "+5511987654321"


@pytest.fixture
def calls(stage: Stage) -> Stage:
    return with_calls(stage)


def with_calls(stage: Stage) -> Stage:
    """A stage whose brand has people who call."""
    template = Template.objects.create(brand=stage.brand, key="call", name="Call", channel="call")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Call them", text="About the cart.")
    Connector.objects.create(brand=stage.brand, key="calls", name="Calls", channel="call", provider="voice_task")
    return stage


def calling(**more: Any) -> dict[str, Any]:
    """After a day without a log-in they are called; then it is waited what came of it."""
    call = message("call", next="wait", channel="call", connector="calls", template="call", **more)
    wait = {
        "type": "hold", "id": "wait", "state": "not_activated",
        "branches": [{"event": "task.done", "next": "done",
                      "rule": {"leaf": "event_property", "name": "outcome", "op": "eq", "value": "reached"}}],
        "timeout": {"after": "P7D", "next": "lost"},
    }  # fmt: skip
    steps = welcome()["steps"]
    return welcome(steps=[steps[0], steps[1] | {"timeout": {"after": "P1D", "next": "call"}}, call, wait, *steps[3:]],
                   exit_events=[{"event": "order.completed", "state": "activated"}])  # fmt: skip


def asked(stage: Stage, **more: Any) -> Task:
    stage.publish(calling(not_later_than="P3D", **more))
    stage.accept("identify", "ana", traits={"phone": PHONE})
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(days=1)
    dispatch_all(stage.now)
    return Task.objects.get()


def rita() -> By:
    return By(user_id=User.objects.get_or_create(username="rita")[0].pk)


def test_who_is_reached_goes_the_way_of_it(calls: Stage) -> None:
    task = asked(calls)
    calls.pass_time(minutes=1)
    assert turn.claim(task.pk, rita(), calls.now) is None
    turn.complete(task.pk, rita(), Task.Outcome.REACHED, "", calls.now)
    calls.run()
    assert calls.steps_of(calls.the_run())[-2:] == ["wait", "done"]


def test_an_outcome_that_nobody_waits_for_leaves_the_run_where_it_is(calls: Stage) -> None:
    task = asked(calls)
    calls.pass_time(minutes=1)
    turn.claim(task.pk, rita(), calls.now)
    turn.complete(task.pk, rita(), Task.Outcome.NOT_REACHED, "", calls.now)
    calls.run()
    assert calls.steps_of(calls.the_run())[-1] == "wait"


def test_who_logged_in_meanwhile_is_not_called(calls: Stage) -> None:
    task = asked(calls)
    calls.pass_time(minutes=1)
    calls.happen("login.succeeded")
    assert turn.claim(task.pk, rita(), calls.now) == Objection("acted")
    assert Task.objects.get().state == "cancelled"


def test_whose_run_has_ended_is_not_called(calls: Stage) -> None:
    task = asked(calls)
    calls.pass_time(minutes=1)
    calls.happen("order.completed")
    assert calls.the_run().status == Run.Status.EXITED
    assert turn.claim(task.pk, rita(), calls.now) == Objection("ended")


def test_a_fixed_line_can_be_called(calls: Stage) -> None:
    calls.publish(calling(not_later_than="P3D"))
    calls.accept("identify", "ana", traits={"phone": "+551132345678"})
    calls.know()
    calls.happen("customer.signed_up")
    calls.pass_time(days=1)
    dispatch_all(calls.now)
    task = Task.objects.select_related("address").get()
    assert task.address is not None
    assert task.address.value == "+551132345678"
