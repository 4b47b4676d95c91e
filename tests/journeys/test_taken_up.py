"""Runs that were given up after five attempts go on, by one click, from where they stood."""

from collections.abc import Sequence

import pytest

from customers import dead_letters
from customers.models import DeadLetter
from journeys.engine import advance
from journeys.models import Cause, Halt, Run, Transition
from tests.journeys.stage import Stage, make_stage, welcome

pytestmark = pytest.mark.django_db
Status = Run.Status


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def enter(stage: Stage, user: str = "ana") -> None:
    stage.know(user)
    stage.happen("customer.signed_up", user)


def give_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a day pass in which whoever advances runs fails, five times and more."""
    with monkeypatch.context() as broken:
        broken.setattr(advance, "lock_due", lambda *_arguments: 1 / 0)
        stage.pass_time(days=1)
        for _attempt in range(6):
            stage.pass_time(seconds=2)


def replay(stage: Stage) -> int:
    count = dead_letters.replay(list(DeadLetter.objects.values_list("pk", flat=True)), stage.now)
    stage.run()
    return count


def causes(run: Run) -> Sequence[int]:
    return list(Transition.objects.filter(run_id=run.pk).order_by("seq").values_list("cause", flat=True))


def test_a_run_given_up_goes_on_from_where_it_stood(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome())
    enter(stage)
    give_up(stage, monkeypatch)
    letter = DeadLetter.objects.get()
    assert (stage.the_run().status, letter.queue, letter.reason) == (Status.FAILED, "advance", "ZeroDivisionError")
    assert letter.attempts == 5
    assert replay(stage) == 1
    run = stage.the_run()
    assert run.status == Status.COMPLETED
    assert stage.steps_of(run)[2:] == [None, "hold", "remind", "lost"]
    assert causes(run)[2:5] == [Cause.FAILED, Cause.TAKEN_UP, Cause.TIMED_OUT]
    assert len(stage.messages()) == 2
    letter.refresh_from_db()
    assert letter.replayed_at == stage.now


def test_it_is_taken_up_once_however_often_one_clicks(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome())
    enter(stage)
    give_up(stage, monkeypatch)
    assert [replay(stage), replay(stage)] == [1, 0]
    assert len(stage.messages()) == 2
    assert causes(stage.the_run()).count(Cause.TAKEN_UP) == 1


def test_what_is_not_mended_is_given_up_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome())
    enter(stage)
    give_up(stage, monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(advance, "lock_due", lambda *_arguments: 1 / 0)
        assert replay(stage) == 1
        for _attempt in range(6):
            stage.pass_time(seconds=2)
    assert stage.the_run().status == Status.FAILED
    assert DeadLetter.objects.count() == 2
    assert replay(stage) == 1
    assert stage.the_run().status == Status.COMPLETED


def test_a_log_in_in_time_counts_though_the_run_was_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was accepted by the deadline is looked back for; a reminder would be wrong."""
    stage.publish(welcome())
    enter(stage)
    with monkeypatch.context() as broken:
        broken.setattr("journeys.engine.match.Table.play", lambda *_arguments: None)
        stage.happen("login.succeeded")
    give_up(stage, monkeypatch)
    assert replay(stage) == 1
    assert stage.steps_of(stage.the_run())[2:] == [None, "hold", "done"]
    assert len(stage.messages()) == 1


def test_a_run_stays_given_up_where_another_of_its_key_lives(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "reentry": "always"}))
    enter(stage)
    give_up(stage, monkeypatch)
    stage.happen("customer.signed_up")
    assert [run.status for run in stage.runs()] == [Status.FAILED, Status.ACTIVE]
    assert replay(stage) == 0
    assert [run.status for run in stage.runs()] == [Status.FAILED, Status.ACTIVE]
    assert DeadLetter.objects.get().replayed_at is None


def test_of_two_given_up_of_one_key_the_elder_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.publish(welcome(entry={"event": "customer.signed_up", "reentry": "always"}))
    enter(stage)
    give_up(stage, monkeypatch)
    stage.happen("customer.signed_up")
    give_up(stage, monkeypatch)
    assert replay(stage) == 1
    assert [run.status for run in stage.runs()] == [Status.COMPLETED, Status.FAILED]


def test_nobody_comes_back_to_a_journey_that_was_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    journey = stage.publish(welcome()).journey
    enter(stage)
    give_up(stage, monkeypatch)
    Halt.objects.create(journey=journey, waiting=Halt.Waiting.END, since=stage.now)
    assert replay(stage) == 0
    assert stage.the_run().status == Status.FAILED
