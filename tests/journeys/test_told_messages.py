"""A hold behind a message waits for what becomes of it, as the guide to journeys as code has it."""

from typing import Any

import pytest

from channels.models import Message
from channels.receipts.note import note
from channels.receipts.told import Happened
from journeys.models import Run
from tests.journeys.stage import Stage, message, welcome
from tests.journeys.test_guard import dispatch

OWN = {"leaf": "event_property", "name": "step", "op": "eq", "value": "offer"}


def document(**changes: Any) -> dict[str, Any]:
    hold = {
        "type": "hold",
        "id": "seen",
        "state": "not_activated",
        "branches": [
            {"event": "message.delivered", "rule": OWN, "next": "done"},
            {"event": "message.bounced", "rule": OWN, "next": "remind"},
        ],
        "timeout": {"after": "PT1H", "next": "lost"},
    }
    steps = [message("offer", next="seen"), hold, *welcome()["steps"][2:]]
    return welcome(steps=steps, entry={"event": "customer.signed_up", "reentry": "always"}) | changes


@pytest.fixture
def sent(stage: Stage) -> Stage:
    stage.publish(document())
    stage.know()
    stage.happen("customer.signed_up")
    dispatch(stage)
    assert stage.messages() == [("sent", "")]
    return stage


def told(stage: Stage, what: Happened) -> None:
    one = Message.objects.earliest("created_at")
    note(one.connector_id, one.pk, what, "", stage.now)
    stage.run()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("what", "way"),
    [
        (Happened.DELIVERED, ["offer", "seen", "done"]),
        (Happened.BOUNCED, ["offer", "seen", "remind", "lost"]),
        (Happened.OPENED, ["offer", "seen"]),
    ],
)
def test_it_goes_on_by_what_the_provider_tells(sent: Stage, what: Happened, way: list[str]) -> None:
    told(sent, what)
    assert sent.steps_of(sent.the_run()) == way


@pytest.mark.django_db
def test_of_what_nobody_tells_the_time_out_is_the_branch(sent: Stage) -> None:
    sent.pass_time(hours=1)
    assert sent.steps_of(sent.the_run()) == ["offer", "seen", "lost"]


@pytest.mark.django_db
def test_what_becomes_of_another_steps_message_moves_nothing(stage: Stage) -> None:
    other = document()
    other["steps"][0]["id"] = "other"
    stage.publish(other)
    stage.know()
    stage.happen("customer.signed_up")
    dispatch(stage)
    told(stage, Happened.DELIVERED)
    assert stage.the_run().status == Run.Status.ACTIVE
