"""The command that prints a journey's numbers, and fails when they do not add up."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from channels.models import Message
from customers.models import Brand
from journeys.models import Journey
from tests.journeys.stage import Stage, welcome


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("journey_numbers", *arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def one_logged_in(stage: Stage) -> Stage:
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    stage.now = stage.now.replace(second=30)
    stage.happen("login.succeeded")
    return stage


def test_the_numbers_as_json(one_logged_in: Stage) -> None:
    found = json.loads(printed("welcome", "--format", "json"))
    assert (found["brand"], found["journey"]) == ("acme", "welcome")
    sums = {key: (one["total"], one["holds"]) for key, one in found["sums"].items()}
    assert sums == {
        "runs_entered": (1, True),
        "messages_created": (1, True),
        "message_steps_passed": (1, True),
    }
    assert found["sums"]["runs_entered"]["parts"] == {
        "live": 0,
        "completed": 1,
        "exited": 0,
        "failed": 0,
        "expired": 0,
        "merged": 0,
    }
    assert found["refused_entries"]["by_reason"] == {}
    assert (found["event_latency"]["events"], found["event_latency"]["received_to_decided_p95"]) == (2, 0.0)
    assert found["time_in_state"]["states"][0] == {
        "state": "not_activated",
        "kind": "initial",
        "standing": 0,
        "finished": 1,
        "p75": 30.0,
    }


def test_the_ways_through_it_as_json(one_logged_in: Stage) -> None:
    found = json.loads(printed("welcome", "--format", "json"))
    hold = found["branches"]["hold"]
    assert (hold["total"], hold["parts"], hold["holds"]) == (
        1, {"branch_1": 1, "timed_out": 0, "broken_off": 0, "standing": 0}, True
    )  # fmt: skip
    assert found["hold_conversion"]["holds"] == [{"step": "hold", "by_event": 1, "over": 1, "waiting": 0, "share": 1.0}]
    assert (found["live_runs"]["standing"], found["errors"]["by_kind"], found["not_sent"]["by_reason"]) == ([], {}, {})


def test_only_the_last_days_are_counted_when_asked(one_logged_in: Stage) -> None:
    found = json.loads(printed("welcome", "--format", "json", "--days", "1"))
    assert {key: (one["total"], one["holds"]) for key, one in found["sums"].items()} == {
        "runs_entered": (0, True),
        "messages_created": (0, True),
        "message_steps_passed": (0, True),
    }


def test_the_table_prints_each_definition_beside_its_number(one_logged_in: Stage) -> None:
    text = printed("welcome")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "Acme · welcome"
    assert "total 1 (holds)" in lines
    assert "not_activated 30.000 s (1 finished, 0 there now)" in lines
    assert "activated – (0 finished, 0 there now)" in lines
    found = json.loads(printed("welcome", "--format", "json"))
    for number in (*found["sums"].values(), *(found[key] for key in ("event_latency", "time_in_state"))):
        assert number["definition"] in " ".join(text.split())


def test_a_sum_that_does_not_hold_fails_the_command(one_logged_in: Stage) -> None:
    Message.objects.all().delete()
    with pytest.raises(CommandError, match="these sums do not hold: Message steps passed") as caught:
        printed("welcome")
    assert caught.value.returncode == 1


def test_a_key_that_several_brands_use_asks_for_the_brand(one_logged_in: Stage) -> None:
    other = Brand.objects.create(key="other", name="Other")
    Journey.objects.create(brand=other, key="welcome", name="Welcome there")
    with pytest.raises(CommandError, match="one of: acme, other"):
        printed("welcome")
    assert printed("welcome", "--brand", "other").startswith("Other · Welcome there")


@pytest.mark.parametrize("arguments", [("nothing",), ("welcome", "--brand", "nobody")])
def test_a_journey_that_does_not_exist_is_said_so(one_logged_in: Stage, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="there is no journey"):
        printed(*arguments)
