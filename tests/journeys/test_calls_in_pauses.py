"""Calls of runs that rest, or are merged into another: neither is a reply lost, nor an attempt judged too early."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from journeys import halting
from journeys.engine.calls import settle
from journeys.engine.calls.due import call_due
from journeys.models import Call, Halt, Journey, Run
from tests.channels import web_server
from tests.journeys.calling import RETRY, Calling, asking, other_side
from tests.journeys.stage import T0, Stage
from tests.journeys.test_unmerge import ELDER, ENTRY, YOUNGER, merge, unmerge

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def crm(stage: Stage, settings: Any) -> Iterator[Calling]:
    with other_side(stage, settings) as one:
        yield one


def pause(crm: Calling, waiting: Halt.Waiting = Halt.Waiting.TIME_STANDS) -> None:
    halting.pause(crm.stage.journeys["welcome"], by=None, now=crm.stage.now, waiting=waiting)


def resume(crm: Calling) -> None:
    halting.resume(crm.stage.journeys["welcome"], by=None, now=crm.stage.now)


def paused_meanwhile(crm: Calling) -> None:
    """Make what is due; the journey is paused while the call is in hand."""
    with pytest.MonkeyPatch.context() as patch:
        real = settle.settle

        def meanwhile(*args: Any) -> Any:
            Halt.objects.create(journey=crm.stage.journeys["welcome"], waiting="time_stands", since=crm.stage.now)
            return real(*args)

        patch.setattr("journeys.engine.calls.due.settle", meanwhile)
        call_due(lambda: crm.stage.now)


@pytest.mark.parametrize("timeout", [{}, {"timeout": {"after": "P30D", "state": "lost"}}])
def test_who_is_answered_as_the_journey_is_paused_goes_on_when_it_is_resumed(
    crm: Calling, timeout: dict[str, Any]
) -> None:
    crm.system.answer()
    crm.begin(asking(within="P2D") | timeout)
    paused_meanwhile(crm)
    Journey.objects.update(status="paused")
    crm.stage.journeys["welcome"].refresh_from_db()
    crm.stage.pass_time(days=3)
    assert (crm.where(), crm.the_call().state) == ("ask", "answered")
    resume(crm)
    crm.stage.run()
    assert crm.where() == "done"


def test_nothing_is_judged_too_late_while_time_stands(crm: Calling) -> None:
    crm.system.answer(503)
    crm.begin(asking(retry=[RETRY], within="PT15S"))
    crm.stage.now += timedelta(seconds=6)
    paused_meanwhile(crm)
    call = crm.the_call()
    assert (call.state, call.due_at) == ("waiting", T0 + timedelta(seconds=16))


def test_nobody_is_asked_while_runs_are_still_brought_back(crm: Calling) -> None:
    crm.system.answer()
    crm.begin(asking())
    pause(crm)
    crm.stage.pass_time(days=1)
    resume(crm)
    call_due(lambda: crm.stage.now)
    assert (crm.system.received, crm.the_call().state) == ([], "waiting")
    crm.stage.run()
    assert crm.the_run().due_at == T0 + DAY + HOUR
    crm.pass_time(seconds=60)
    assert crm.where() == "done"


@pytest.mark.parametrize(("status", "where"), [(200, "done"), (404, "lost")])
def test_whose_call_is_over_while_merged_goes_on_once_it_is_undone(crm: Calling, status: int, where: str) -> None:
    crm.stage.publish(asking() | {"entry": ENTRY})
    crm.stage.happen("customer.signed_up", "", anonymous_id=ELDER)
    crm.stage.pass_time(minutes=1)
    Call.objects.update(due_at=T0 + DAY)
    crm.stage.happen("customer.signed_up", "", anonymous_id=YOUNGER)
    younger = Run.objects.latest("entered_at")

    def answers(handler: web_server.Handler) -> None:
        handler.send_response(status)
        handler.send_header("content-length", "0")
        handler.end_headers()

    crm.system.answers = [answers]
    real = settle.settle

    def meanwhile(*args: Any) -> Any:
        merge(crm.stage, ELDER, YOUNGER)
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("journeys.engine.calls.due.settle", meanwhile)
        call_due(lambda: crm.stage.now)
    younger.refresh_from_db()
    assert (younger.status, Call.objects.get(run=younger).state) == (
        Run.Status.MERGED,
        "answered" if status == 200 else "failed",
    )
    unmerge(crm.stage, YOUNGER)
    younger.refresh_from_db()
    step = younger.version.definition["steps"][younger.step]
    assert step["id"] == where


def test_who_was_not_asked_while_merged_is_asked_once_it_is_undone(crm: Calling) -> None:
    crm.system.answer()
    crm.stage.publish(asking() | {"entry": ENTRY})
    crm.stage.happen("customer.signed_up", "", anonymous_id=ELDER)
    crm.stage.happen("customer.signed_up", "", anonymous_id=YOUNGER)
    merge(crm.stage, ELDER, YOUNGER)
    crm.call()
    assert sorted(Call.objects.values_list("state", flat=True)) == ["answered", "left"]
    unmerge(crm.stage, YOUNGER)
    crm.call()
    assert set(Call.objects.values_list("state", flat=True)) == {"answered"}
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.COMPLETED}
