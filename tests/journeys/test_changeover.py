"""Publishing with a plan: who stands at a step of an earlier version is moved, taken out, or stays."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from channels.models import Message
from customers.models import DeadLetter
from customers.resolve import resolve_inbox
from customers.work import TryAgain
from journeys import halting
from journeys.changeover import InvalidPlan, PlanRow, parse_plan
from journeys.engine import changeovers
from journeys.engine.match import match_events
from journeys.engine.write import write
from journeys.models import Cause, Changeover, JourneyVersion, RecheckItem, Run, Transition
from journeys.publish import publish
from tests.journeys.stage import T0, Stage, message, welcome
from tests.journeys.test_guard import dispatch

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def shifted(hold: str = "hold", after: str = "P2D", **more: Any) -> dict[str, Any]:
    """The same with a step before the hold, so that steps have other numbers, and with another wait."""
    steps = [dict(step) for step in welcome()["steps"]]
    steps[0] = message("welcome", next="greeting")
    steps[1] = steps[1] | {"id": hold, "timeout": {"after": after, "next": "remind"}} | more
    steps.insert(1, message("greeting", next=hold))
    return welcome(steps=steps)


def move(to: str = "hold", step: str = "hold", version: int = 1, **more: Any) -> PlanRow:
    return PlanRow(version=version, step=step, then="move", to=to, **more)


def publish_with(stage: Stage, document: dict[str, Any], *plan: PlanRow) -> JourneyVersion:
    made = publish(stage.journeys["welcome"], document, by=None, now=stage.now, plan=plan)
    stage.run()
    return made


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """Ana waits since T0 at the hold of version 1, for a day at most; she is still to be sent the welcome."""
    stage.publish(welcome())
    stage.know("ana")
    stage.happen("customer.signed_up")
    stage.now += timedelta(hours=6)
    return stage


def causes(run: Run) -> list[Cause]:
    moves = Transition.objects.filter(run_id=run.pk).order_by("seq")
    return [Cause(cause) for cause in moves.values_list("cause", flat=True)]


def last_move(run: Run) -> Transition:
    found = Transition.objects.filter(run_id=run.pk).order_by("seq").last()
    assert found is not None
    return found


def place(run: Run) -> tuple[int, str]:
    return run.version.number, run.version.definition["steps"][run.step]["id"]


def test_without_a_plan_everybody_stays_and_nothing_is_queued(waiting: Stage) -> None:
    publish_with(waiting, shifted(), PlanRow(version=1, step="hold"))
    assert place(waiting.the_run()) == (1, "hold")
    assert Changeover.objects.count() == 0


def test_the_moved_goes_on_by_the_new_version_and_has_waited_since_it_came(waiting: Stage) -> None:
    made = publish_with(waiting, shifted(), move())
    run = waiting.the_run()
    assert (place(run), run.stepped_at, run.due_at) == ((2, "hold"), T0, T0 + 2 * DAY)
    last = last_move(run)
    assert (last.cause, last.step_from, last.step_to, last.version_from) == (Cause.MOVED, 1, 2, made.pk - 1)
    waiting.pass_time(days=1)
    assert place(waiting.the_run()) == (2, "hold")
    waiting.pass_time(days=1)
    assert waiting.the_run().status == Run.Status.COMPLETED
    assert causes(run)[-3:] == [Cause.MOVED, Cause.TIMED_OUT, Cause.CONTINUED]


def test_asked_to_it_waits_anew(waiting: Stage) -> None:
    publish_with(waiting, shifted(), move(wait="anew"))
    run = waiting.the_run()
    assert (run.stepped_at, run.due_at) == (waiting.now, waiting.now + 2 * DAY)


def test_a_wait_of_the_same_length_ends_when_it_would_have(waiting: Stage) -> None:
    publish_with(waiting, shifted(after="P1D"), move())
    assert waiting.the_run().due_at == T0 + DAY


def test_a_wait_that_would_be_over_ends_now_and_not_before(waiting: Stage) -> None:
    publish(waiting.journeys["welcome"], shifted(after="PT1H"), by=None, now=waiting.now, plan=[move()])
    changeovers.settle_changeovers(waiting.now)
    assert waiting.the_run().due_at == waiting.now
    waiting.run()
    assert causes(waiting.the_run())[-3:] == [Cause.MOVED, Cause.TIMED_OUT, Cause.CONTINUED]


def test_what_a_pause_had_added_is_kept(waiting: Stage) -> None:
    halting.pause(waiting.journeys["welcome"], by=None, now=waiting.now, waiting=halting.Waiting.TIME_STANDS)
    waiting.pass_time(days=3)
    halting.resume(waiting.journeys["welcome"], by=None, now=waiting.now)
    waiting.run()
    publish_with(waiting, shifted(), move())
    assert waiting.the_run().due_at == T0 + 2 * DAY + 3 * DAY


@pytest.mark.parametrize("how", [halting.Waiting.TIME_STANDS, halting.Waiting.TIME_GOES_ON])
def test_who_rests_in_a_paused_journey_is_moved_and_comes_back(waiting: Stage, how: halting.Waiting) -> None:
    halting.pause(waiting.journeys["welcome"], by=None, now=waiting.now, waiting=how)
    waiting.pass_time(days=3)
    publish_with(waiting, shifted(after="P1D"), move())
    assert place(waiting.the_run()) == (2, "hold")
    halting.resume(waiting.journeys["welcome"], by=None, now=waiting.now)
    waiting.run()
    run = waiting.the_run()
    if how == halting.Waiting.TIME_GOES_ON:
        assert run.status == Run.Status.COMPLETED
    else:
        assert (run.status, run.due_at) == (Run.Status.ACTIVE, T0 + DAY + 3 * DAY)


def test_what_the_new_step_awaits_and_came_before_the_move_counts(waiting: Stage) -> None:
    waiting.happen("order.completed")
    awaiting = [{"event": "order.completed", "next": "done"}]
    publish_with(waiting, shifted(branches=awaiting), move())
    run = waiting.the_run()
    assert (run.status, causes(run)[-2:]) == (Run.Status.COMPLETED, [Cause.MOVED, Cause.EVENT])


def test_since_the_step_means_since_the_arrival_at_the_old_one(waiting: Stage) -> None:
    waiting.happen("order.completed")
    awaiting = [{"event": "order.completed", "next": "done"}]
    publish_with(waiting, shifted(branches=awaiting, since="step"), move())
    assert waiting.the_run().status == Run.Status.COMPLETED


def test_waiting_anew_since_the_step_counts_only_what_comes(waiting: Stage) -> None:
    waiting.happen("order.completed")
    awaiting = [{"event": "order.completed", "next": "done"}]
    publish_with(waiting, shifted(branches=awaiting, since="step"), move(wait="anew"))
    assert waiting.the_run().status == Run.Status.ACTIVE
    waiting.now += timedelta(hours=1)
    waiting.happen("order.completed")
    assert waiting.the_run().status == Run.Status.COMPLETED


def test_taken_out_it_ends_where_it_stood_by_a_cause_of_its_own(waiting: Stage) -> None:
    publish_with(waiting, shifted(), PlanRow(version=1, step="hold", then="exit"))
    run = waiting.the_run()
    assert (run.status, run.version.number, run.due_at, run.ended_at) == (Run.Status.EXITED, 1, None, waiting.now)
    assert (last_move(run).cause, last_move(run).step_to) == (Cause.VERSION_EXIT, None)
    assert waiting.messages() == [("cancelled", "ended")]


def test_unsent_messages_of_the_left_step_are_cancelled(waiting: Stage) -> None:
    publish_with(waiting, shifted(), move())
    assert waiting.messages() == [("cancelled", "moved")]


def test_unless_the_plan_keeps_them(waiting: Stage) -> None:
    publish_with(waiting, shifted(), move(messages="keep"))
    dispatch(waiting)
    assert waiting.messages() == [("sent", "")]


def test_the_guard_refuses_what_the_move_could_not_cancel(waiting: Stage) -> None:
    publish_with(waiting, shifted(), move())
    # As if a worker had just announced it, and was told “not now” by the provider.
    Message.objects.update(state="queued", reason="", settled_at=None)
    dispatch(waiting)
    assert waiting.messages() == [("cancelled", "moved")]


def test_a_reminder_after_the_move_is_needless_by_the_new_hold(waiting: Stage) -> None:
    """The step of version 1 that ran out is known to version 2 by its id, with the events it has there."""
    steps = welcome()["steps"]
    pausing = {"type": "delay", "id": "pause", "state": "not_activated", "after": "P1D", "next": "last"}
    two = [*steps[:2], message("remind", next="pause"), pausing, message("last", next="lost"), *steps[3:]]
    publish_with(waiting, welcome(steps=two), move())
    dispatch(waiting)
    waiting.now = T0 + DAY
    waiting.run()
    dispatch(waiting)
    awaited = [{"event": "order.completed", "next": "done"}]
    again = [dict(step) for step in two]
    again[1] = again[1] | {"branches": awaited, "since": "step"}
    publish_with(waiting, welcome(steps=again), move("pause", "pause", 2))
    waiting.now = T0 + 2 * DAY
    waiting.run()
    waiting.accept("order.completed")
    dispatch(waiting)
    assert waiting.messages()[-1] == ("cancelled", "acted")


def test_only_who_stands_where_the_plan_says_is_moved(waiting: Stage) -> None:
    publish_with(waiting, shifted())
    waiting.know("bia")
    waiting.happen("customer.signed_up", "bia")
    publish_with(waiting, shifted(hold="wait"), move("wait", version=2))
    assert [place(run) for run in waiting.runs()] == [(1, "hold"), (3, "wait")]
    only = Changeover.objects.get()
    assert (only.moved, only.ended, only.settled_at) == (1, 0, None)
    waiting.pass_time(minutes=1)
    assert Changeover.objects.get().settled_at == waiting.now


def test_who_was_just_coming_in_by_the_old_version_is_found_the_second_time(waiting: Stage) -> None:
    publish_with(waiting, shifted(), move())
    waiting.know("bia")
    old = JourneyVersion.objects.get(number=1)
    journey = waiting.journeys["welcome"]
    type(journey).objects.filter(pk=journey.pk).update(live_version=old)
    waiting.happen("customer.signed_up", "bia")
    waiting.pass_time(minutes=1)
    assert [place(run) for run in waiting.runs()] == [(2, "hold"), (2, "hold")]
    assert Changeover.objects.get().moved == 2


def crowd(stage: Stage, *users: str) -> None:
    for user in users:
        stage.know(user)
        stage.happen("customer.signed_up", user)


def test_a_worker_killed_in_the_middle_is_followed_by_another_and_nobody_is_moved_twice(
    waiting: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changeovers, "_CHUNK", 2)
    crowd(waiting, "bia", "caio", "davi", "eva")
    publish(waiting.journeys["welcome"], shifted(), by=None, now=waiting.now, plan=[move()])
    changeovers.settle_changeovers(waiting.now)
    assert [place(run)[0] for run in waiting.runs()] == [2, 2, 1, 1, 1]

    def killed(*_arguments: Any) -> None:
        write(*_arguments)
        raise TryAgain

    with monkeypatch.context() as dying:
        dying.setattr("journeys.engine.changeovers.write", killed)
        changeovers.settle_changeovers(waiting.now)
    assert [place(run)[0] for run in waiting.runs()] == [2, 2, 1, 1, 1]
    waiting.pass_time(seconds=40)
    assert [place(run) for run in waiting.runs()] == [(2, "hold")] * 5
    assert Transition.objects.filter(cause=Cause.MOVED).count() == 5
    assert (Changeover.objects.get().moved, DeadLetter.objects.count()) == (5, 0)


@pytest.mark.parametrize("is_matched_first", [True, False])
def test_an_event_beside_the_move_is_played_once_by_the_version_the_run_is_of(
    waiting: Stage, is_matched_first: bool
) -> None:
    publish(waiting.journeys["welcome"], shifted(), by=None, now=waiting.now, plan=[move()])
    waiting.accept("login.succeeded")
    resolve_inbox(waiting.now)
    if is_matched_first:
        match_events(waiting.now)
    changeovers.settle_changeovers(waiting.now)
    waiting.run()
    run = waiting.the_run()
    assert (run.version.number, run.status) == (1 if is_matched_first else 2, Run.Status.COMPLETED)
    assert (causes(run).count(Cause.EVENT), causes(run).count(Cause.MOVED)) == (1, 0 if is_matched_first else 1)
    assert RecheckItem.objects.count() == 0


def test_moved_again_and_again_every_move_is_told_by_its_own_version(waiting: Stage) -> None:
    publish_with(waiting, shifted(hold="wait"), move("wait"))
    publish_with(waiting, welcome(), move("hold", "wait", 2))
    run = waiting.the_run()
    assert (place(run), run.due_at, run.stepped_at) == ((3, "hold"), T0 + DAY, T0)
    waiting.happen("login.succeeded")
    assert waiting.the_run().status == Run.Status.COMPLETED


def refused(stage: Stage, document: dict[str, Any], *plan: PlanRow) -> Sequence[tuple[str, str]]:
    with pytest.raises(InvalidPlan) as caught:
        publish(stage.journeys["welcome"], document, by=None, now=stage.now, plan=plan)
    assert (JourneyVersion.objects.count(), Changeover.objects.count()) == (1, 0)
    assert all(problem.hint for problem in caught.value.problems if problem.code != "unknown_version")
    return [(problem.code, problem.pointer) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (move("nowhere"), ("unknown_step", "/0/to")),
        (PlanRow(version=1, step="hold", then="move"), ("unknown_step", "/0/to")),
        (move("greeting"), ("no_wait", "/0/to")),
        (move("done"), ("no_wait", "/0/to")),
        (move(step="nowhere"), ("unknown_step", "/0/step")),
        (move(step="welcome"), ("no_wait", "/0/step")),
        (move(version=9), ("unknown_version", "/0/version")),
        (PlanRow(version=1, step="hold", then="exit", to="hold"), ("value_not_allowed", "/0/to")),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(waiting: Stage, row: PlanRow, problem: tuple[str, str]) -> None:
    assert refused(waiting, shifted(), row) == [problem]


def test_a_step_said_twice_is_refused(waiting: Stage) -> None:
    assert refused(waiting, shifted(), move(), PlanRow(version=1, step="hold")) == [("said_twice", "/1/step")]


def test_a_state_that_may_not_follow_is_refused(waiting: Stage) -> None:
    other = shifted()
    other["states"] = [{"name": "new", "kind": "initial"}, *other["states"][1:]]
    other["transitions"] = [("new", "activated"), ("new", "lost")]
    other["steps"] = [step | {"state": step["state"].replace("not_activated", "new")} for step in other["steps"]]
    assert refused(waiting, other, move()) == [("illegal_transition", "/0/to")]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, ("invalid_plan", "")),
        ([{"version": 1}], ("invalid_plan", "/0")),
        ([{"version": "1", "step": "hold"}], ("invalid_plan", "/0/version")),
        ([{"version": 1, "step": "hold", "then": "vanish"}], ("invalid_plan", "/0/then")),
        ([{"version": 1, "step": "hold", "more": 1}], ("invalid_plan", "/0")),
        ([{"version": 1, "step": "hold"}] * 2001, ("too_many_rows", "")),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(document: Any, problem: tuple[str, str]) -> None:
    with pytest.raises(InvalidPlan) as caught:
        parse_plan(document)
    assert [(one.code, one.pointer) for one in caught.value.problems] == [problem]


@pytest.mark.parametrize(("age", "ends"), [("P30D", T0 + 30 * DAY), ("PT1H", None)])
def test_the_age_at_which_the_new_version_ends_runs_is_counted_from_the_entry(
    waiting: Stage, age: str, ends: Any
) -> None:
    publish(
        waiting.journeys["welcome"],
        shifted() | {"timeout": {"after": age, "state": "lost"}},
        by=None,
        now=waiting.now,
        plan=[move()],
    )
    changeovers.settle_changeovers(waiting.now)
    run = waiting.the_run()
    assert (run.ends_at, run.due_at) == (ends or waiting.now, min(T0 + 2 * DAY, ends or waiting.now))
    waiting.run()
    waiting.pass_time(days=31)
    assert waiting.the_run().status == (Run.Status.COMPLETED if ends else Run.Status.EXPIRED)


def test_a_version_without_an_age_lets_the_moved_stay(waiting: Stage) -> None:
    publish_with(waiting, shifted() | {"timeout": {"after": "P3D", "state": "lost"}}, move())
    publish_with(waiting, shifted(after="P9D"), move(version=2))
    run = waiting.the_run()
    assert (run.ends_at, run.waits_until, run.due_at) == (None, None, T0 + 9 * DAY)
