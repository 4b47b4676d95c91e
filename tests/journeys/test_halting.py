"""Pausing and stopping a journey: what becomes of those who are in it, and when."""

from datetime import timedelta

import pytest
from django.test import Client

from channels.models import SendStop
from customers.models import AuditEntry
from journeys import halting
from journeys.models import Cause, Halt, RecheckItem, Run, Transition
from tests.journeys.stage import T0, Stage, welcome

DAY = timedelta(days=1)
WAITING = Halt.Waiting


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """Ana was welcomed and is held until she logs in, or for a day."""
    stage.publish(welcome())
    stage.know()
    stage.happen("customer.signed_up")
    return stage


def pause(stage: Stage, how: Halt.Waiting | None) -> None:
    halting.pause(stage.journeys["welcome"], by=None, now=stage.now, waiting=how)


def resume(stage: Stage) -> None:
    halting.resume(stage.journeys["welcome"], by=None, now=stage.now)
    stage.run()


def test_without_a_rest_only_the_door_is_closed(waiting: Stage) -> None:
    pause(waiting, None)
    waiting.pass_time(days=1)
    assert waiting.steps_of(waiting.the_run()) == ["welcome", "hold", "remind", "lost"]
    assert (Halt.objects.count(), SendStop.objects.count()) == (0, 0)


@pytest.mark.parametrize("how", [WAITING.TIME_GOES_ON, WAITING.TIME_STANDS])
def test_who_rests_goes_nowhere_and_is_sent_nothing(waiting: Stage, how: Halt.Waiting) -> None:
    pause(waiting, how)
    assert SendStop.objects.get(released_at=None).scope_id == waiting.journeys["welcome"].pk
    waiting.pass_time(days=5)
    run = waiting.the_run()
    assert (run.status, run.due_at, run.rests_due_at) == (Run.Status.ACTIVE, None, T0 + DAY)
    assert waiting.steps_of(run) == ["welcome", "hold"]
    assert RecheckItem.objects.count() == 0


def test_where_time_went_on_what_came_due_happens_on_resuming(waiting: Stage) -> None:
    pause(waiting, WAITING.TIME_GOES_ON)
    waiting.pass_time(days=1, hours=1)
    resume(waiting)
    assert waiting.steps_of(waiting.the_run()) == ["welcome", "hold", "remind", "lost"]
    assert SendStop.objects.filter(released_at=None).count() == 0
    assert Halt.objects.get().settled_at == waiting.now


def test_where_time_stood_still_a_wait_that_came_due_is_longer_by_the_pause(waiting: Stage) -> None:
    waiting.pass_time(hours=6)
    pause(waiting, WAITING.TIME_STANDS)
    waiting.pass_time(days=3)
    resume(waiting)
    run = waiting.the_run()
    assert (run.due_at, run.rests_due_at) == (T0 + 4 * DAY, None)
    assert waiting.steps_of(run) == ["welcome", "hold"]
    waiting.pass_time(hours=18)
    assert waiting.steps_of(waiting.the_run()) == ["welcome", "hold", "remind", "lost"]


def test_a_wait_that_did_not_come_due_is_longer_once_too(waiting: Stage) -> None:
    pause(waiting, WAITING.TIME_STANDS)
    waiting.pass_time(hours=2)
    resume(waiting)
    waiting.run()
    assert waiting.the_run().due_at == T0 + DAY + timedelta(hours=2)


def test_a_wait_begun_during_the_pause_is_longer_by_what_was_left_of_it(stage: Stage) -> None:
    steps = welcome()["steps"]
    steps[1]["branches"][0]["next"] = "nap"
    steps.append({"type": "delay", "id": "nap", "state": "not_activated", "after": "P1D", "next": "done"})
    stage.publish(welcome(steps=steps))
    stage.know()
    stage.happen("customer.signed_up")
    pause(stage, WAITING.TIME_STANDS)
    stage.pass_time(hours=10)
    stage.happen("login.succeeded")
    stage.pass_time(hours=2)
    resume(stage)
    assert stage.the_run().due_at == T0 + timedelta(hours=10) + DAY + timedelta(hours=2)


def test_while_time_goes_on_an_event_after_the_deadline_is_late(waiting: Stage) -> None:
    pause(waiting, WAITING.TIME_GOES_ON)
    waiting.pass_time(days=2)
    waiting.happen("login.succeeded")
    assert waiting.steps_of(waiting.the_run()) == ["welcome", "hold"]
    resume(waiting)
    assert waiting.steps_of(waiting.the_run()) == ["welcome", "hold", "remind", "lost"]


@pytest.mark.parametrize("how", [WAITING.TIME_GOES_ON, WAITING.TIME_STANDS])
def test_an_awaited_event_moves_who_rests(waiting: Stage, how: Halt.Waiting) -> None:
    pause(waiting, how)
    if how == WAITING.TIME_STANDS:
        waiting.pass_time(days=2)
    waiting.happen("login.succeeded")
    run = waiting.the_run()
    assert (run.status, run.rests_due_at) == (Run.Status.COMPLETED, None)
    assert waiting.steps_of(run) == ["welcome", "hold", "done"]


def test_other_journeys_go_on(waiting: Stage) -> None:
    waiting.publish(welcome(entry={"event": "trial.began"}), "trial")
    waiting.happen("trial.began")
    pause(waiting, WAITING.TIME_STANDS)
    waiting.pass_time(days=1)
    first, second = waiting.runs()
    assert (waiting.steps_of(first)[-1], waiting.steps_of(second)[-1]) == ("hold", "lost")


def test_stopping_ends_those_inside_with_the_cause_and_cancels_what_waits_to_go(waiting: Stage) -> None:
    halting.archive(waiting.journeys["welcome"], by=None, now=T0, end=True)
    waiting.run()
    run = waiting.the_run()
    assert (run.status, run.ended_at, run.due_at) == (Run.Status.EXITED, T0, None)
    last = Transition.objects.order_by("seq").last()
    assert last is not None
    assert (last.cause, last.step_to) == (Cause.STOPPED, None)
    assert waiting.messages() == [("cancelled", "ended")]
    assert Halt.objects.get().settled_at == T0


def test_stopping_a_paused_journey_brings_nobody_back_and_finishing_does(waiting: Stage) -> None:
    pause(waiting, WAITING.TIME_GOES_ON)
    waiting.pass_time(days=1)
    halting.archive(waiting.journeys["welcome"], by=None, now=waiting.now, end=False)
    waiting.run()
    assert waiting.steps_of(waiting.the_run()) == ["welcome", "hold", "remind", "lost"]
    assert SendStop.objects.filter(released_at=None).count() == 0


def test_more_runs_than_a_batch_are_all_ended(waiting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journeys.engine.halts._CHUNK", 2)
    for user in ("bia", "caio", "davi", "eva"):
        waiting.know(user)
        waiting.happen("customer.signed_up", user)
    halting.archive(waiting.journeys["welcome"], by=None, now=waiting.now, end=True)
    waiting.run()
    assert [run.status for run in waiting.runs()] == [Run.Status.EXITED] * 5


def test_a_pause_of_others_making_is_not_lifted(waiting: Stage) -> None:
    SendStop.objects.create(scope_id=waiting.journeys["welcome"].pk, reason="by hand", stopped_at=T0)
    pause(waiting, WAITING.TIME_STANDS)
    resume(waiting)
    assert SendStop.objects.get(released_at=None).reason == "by hand"


def test_the_choice_is_in_the_audit_trail(waiting: Stage) -> None:
    pause(waiting, WAITING.TIME_STANDS)
    assert AuditEntry.objects.get(action="pause").after == {"status": "paused", "waiting": "time_stands"}


def test_the_page_asks_and_does_nothing_without_an_answer(waiting: Stage, admin_client: Client) -> None:
    address = f"/admin/journeys/journey/{waiting.journeys['welcome'].pk}/status/"
    assert "1 run is on its way." in admin_client.get(address).content.decode()
    admin_client.post(address, {"do": "pause"})
    admin_client.post(address, {"do": "archive", "live_runs": "stop"})
    assert (Halt.objects.count(), AuditEntry.objects.filter(action__in=("pause", "archive")).count()) == (0, 0)
    admin_client.post(address, {"do": "pause", "live_runs": "time_stands"})
    assert Halt.objects.get().waiting == "time_stands"
    assert "every wait is longer by the pause" in admin_client.get(address).content.decode()
