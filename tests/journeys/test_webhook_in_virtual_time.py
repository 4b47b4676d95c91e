"""Asking another system in virtual time: a case says what it replies, a simulation says that it does not know."""

import json
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from journeys.code.cases import run_cases
from journeys.code.file import read, write
from journeys.compiling import awaited_names, version
from journeys.models import Run
from journeys.simulation.events import stored
from journeys.simulation.past import Recorded
from journeys.simulation.run import simulate
from journeys.simulation.unknown import Unknown
from tests.journeys.calling import RETRY, Calling, asking, other_side
from tests.journeys.stage import T0, Stage

VARIABLES = [{"name": "score", "kind": "number"}]
REPLY = [{"variable": "score", "pointer": "/score"}]


def found(replies: Any, **then: Any) -> list[tuple[str, Any]]:
    """What is otherwise than the case says."""
    document = asking(variables=VARIABLES, reply=REPLY, retry=[RETRY])
    case = {"name": "c", "given": {"replies": replies}, "when": [{"event": "customer.signed_up"}], "then": [then]}
    file = read(json.dumps({"key": "welcome", "name": "Welcome", "definition": document, "cases": [case]}))
    assert read(write(file)).cases == file.cases
    return [(one.what, one.found) for one in run_cases(file)]


def test_a_reply_gives_its_variables_at_once() -> None:
    replies = {"ask": [{"json": {"score": 7}}]}
    assert found(replies, after="PT0S", ended_in="activated", variables={"score": 7}) == []


@pytest.mark.parametrize(
    "reply", [{"json": {"score": "high"}}, {"error": "unreachable"}, {"status": 404}, {"json": {}}, {"status": 200}]
)
def test_an_error_goes_where_it_is_caught(reply: dict[str, Any]) -> None:
    assert found({"ask": [reply]}, after="PT1S", ended_in="lost", path=["ask", "lost"], variables={"score": None}) == []


def test_what_nothing_catches_ends_it_as_failed() -> None:
    document = asking(catch=[{"errors": ["timeout"], "next": "lost"}])
    case = {"name": "c", "given": {"replies": {"ask": [{"status": 404}]}}, "when": [{"event": "customer.signed_up"}]}
    case["then"] = [{"after": "PT0S", "ended_by": "failed", "path": ["ask"]}]
    file = read(json.dumps({"key": "welcome", "name": "Welcome", "definition": document, "cases": [case]}))
    assert list(run_cases(file)) == []


@pytest.mark.parametrize("jitter", ["none", "full"])
def test_a_system_that_stays_busy_is_played_at_once(jitter: str) -> None:
    """A month of seconds: two and a half million attempts that are none."""
    retry = [{"errors": ["all"], "interval": "PT1S", "jitter": jitter}]
    document = asking(retry=retry, within="P30D")
    replies = {"ask": [{"status": 500}, {"status": 429, "retry_after": 1}]}
    case = {"name": "c", "given": {"replies": replies}, "when": [{"event": "customer.signed_up"}]}
    case["then"] = [{"after": "P29DT23H", "waits_at": "ask"}, {"after": "P30D", "ended_in": "lost"}]
    file = read(json.dumps({"key": "welcome", "name": "Welcome", "definition": document, "cases": [case]}))
    began = time.monotonic()
    assert list(run_cases(file)) == []
    assert time.monotonic() - began < 5


def test_attempts_follow_the_schedule() -> None:
    replies = {"ask": [{"status": 503}, {"error": "timeout", "after": "PT10S"}, {"json": {"score": 1}}]}
    # 10 seconds after the first, 20 after the end of the second, which took 10.
    assert found(replies, after="PT39S", waits_at="ask") == []
    assert found(replies, after="PT40S", ended_in="activated") == []


def test_the_last_reply_is_that_of_all_that_follow() -> None:
    assert found({"ask": [{"status": 500}]}, after="PT29S", waits_at="ask") == []
    assert found({"ask": [{"status": 500}]}, after="PT30S", ended_in="lost") == []


def test_a_reply_that_takes_longer_than_an_attempt_is_none() -> None:
    replies = {"ask": [{"json": {"score": 1}, "after": "PT11S"}, {"json": {"score": 2}}]}
    assert found(replies, after="PT20S", ended_in="activated", variables={"score": 2}) == []


def test_where_nothing_is_said_it_replied_and_told_nothing() -> None:
    assert found({}, after="PT0S", ended_in="activated", variables={"score": None}) == []


def test_what_is_not_caught_ends_the_run_as_failed(stage: Stage, settings: Any) -> None:
    with other_side(stage, settings) as crm:
        told = simulated(crm, asking(catch=[{"errors": ["timeout"], "next": "lost"}]), "ask=status_404:100")
    assert told["runs"] == [{"status": "failed", "state": "not_activated", "runs": 1}]


def test_the_simulator_says_that_it_does_not_know(stage: Stage, settings: Any) -> None:
    with other_side(stage, settings) as crm:
        crm.begin(asking())
        made = version(crm.the_run().version_id)
        events = stored(stage.brand.pk, awaited_names(made.definition, made.steps), T0, T0.replace(month=4))
        told = simulate(made, events, Recorded("UTC"), T0.replace(month=4))
    assert told.tally.as_json()["runs"] == [{"status": "completed", "state": "activated", "runs": 1}]
    assert told.unknown[0] == Unknown.REPLIES


def test_a_share_of_calls_may_be_assumed_to_fail(stage: Stage, settings: Any) -> None:
    with other_side(stage, settings) as crm:
        assert simulated(crm, asking(retry=[RETRY]), "ask=timeout:100")["runs"] == [
            {"status": "completed", "state": "lost", "runs": 1}
        ]
        assert simulated(crm, None, "ask=timeout:0")["runs"][0]["state"] == "activated"
        for wrong in ("ask", "ask=odd:5", "ask=timeout:101", "ask=timeout"):
            with pytest.raises(CommandError, match="STEP=ERROR:PERCENT"):
                simulated(crm, None, wrong)


def simulated(crm: Calling, document: dict[str, Any] | None, fails: str) -> Any:
    if document is not None:
        crm.begin(document)
    assert Run.objects.count() == 1
    out = StringIO()
    span = {"since": T0.isoformat(), "until": (T0 + timedelta(days=2)).isoformat()}
    call_command("simulate", "welcome", fails=[fails], format="json", stdout=out, **span)
    return json.loads(out.getvalue())["live"]
