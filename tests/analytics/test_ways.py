"""Ways through a journey: branches, holds, live runs and errors add up to exact values on a staged world."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from analytics.journey_numbers import journey_numbers
from analytics.metrics.entries_by_day import entries_by_day
from analytics.metrics.equation import Equation
from analytics.metrics.hold_conversion import HoldConversion
from analytics.metrics.live_runs import Standing
from analytics.metrics.period import ALWAYS, Period
from channels.models import Message
from journeys.engine.advance import fail_run
from journeys.models import Transition
from tests.journeys.stage import T0, Stage, welcome

GOLD = {"leaf": "attribute", "name": "plan", "op": "eq", "value": "gold"}
OPEN: dict[str, Any] = {"entry": {"event": "customer.signed_up", "guard": "none", "guard_reason": "a service message"}}


def journey_of(stage: Stage) -> UUID:
    return stage.journeys["welcome"].pk


def counts(sum_: Equation) -> dict[str, int]:
    return {part.key: part.count for part in sum_.parts if part.count}


@pytest.fixture
def parted(stage: Stage) -> Stage:
    """Two of gold and one other come to a split; of the two that go on to the hold one logs in, one leaves."""
    document = welcome(**OPEN, exit_events=[{"event": "account.closed", "state": "lost"}])
    split = {
        "type": "split", "id": "split", "state": "not_activated",
        "branches": [{"rule": GOLD, "next": "hold"}], "otherwise": "lost",
    }  # fmt: skip
    document["steps"] = [split, *document["steps"][1:]]
    stage.publish(document)
    for user, plan in (("ana", "gold"), ("bia", "gold"), ("caio", "free"), ("davi", "gold")):
        stage.accept("identify", user, traits={"plan": plan})
        stage.accept("customer.signed_up", user)
    stage.run()
    stage.happen("login.succeeded", "ana")
    stage.happen("account.closed", "bia")
    return stage


def test_branches_are_what_came_went_and_stands(parted: Stage) -> None:
    split, hold = journey_numbers(journey_of(parted)).branches
    assert (split.key, split.total, counts(split), split.holds) == ("split", 4, {"branch_1": 3, "otherwise": 1}, True)
    assert (hold.key, hold.total, hold.holds) == ("hold", 3, True)
    assert counts(hold) == {"branch_1": 1, "broken_off": 1, "standing": 1}


def test_branches_are_named_by_what_they_ask_and_await(parted: Stage) -> None:
    split, hold = journey_numbers(journey_of(parted)).branches
    assert str(split.parts[0].label) == 'branch 1: plan eq "gold"'
    assert str(hold.parts[0].label) == "branch 1: login.succeeded"


def test_a_hold_converts_by_events_of_the_waits_that_are_over(parted: Stage) -> None:
    [hold] = journey_numbers(journey_of(parted)).holds.holds
    assert (hold, hold.share) == (HoldConversion("hold", by_event=1, over=2, waiting=1), 0.5)
    parted.pass_time(days=2)
    [hold] = journey_numbers(journey_of(parted)).holds.holds
    assert (hold.by_event, hold.over, hold.waiting) == (1, 3, 0)


def test_a_hold_nobody_came_to_has_no_share(stage: Stage) -> None:
    stage.publish(welcome())
    [hold] = journey_numbers(journey_of(stage)).holds.holds
    assert (hold.over, hold.share) == (0, None)


def test_live_runs_are_told_by_step_and_state(parted: Stage) -> None:
    live = journey_numbers(journey_of(parted)).live
    assert (live.total, live.standing) == (1, (Standing("hold", "not_activated", 1),))


def test_a_run_that_vanished_from_its_step_breaks_the_sum(parted: Stage) -> None:
    Transition.objects.create(run=parted.runs()[0], seq=99, at=parted.now, step_from=0, step_to=1, state_to=0, cause=2)
    hold = journey_numbers(journey_of(parted)).branches[1]
    assert (hold.total, hold.holds) == (4, False)


def test_errors_are_runs_given_up_and_messages_that_failed(stage: Stage) -> None:
    stage.publish(welcome())
    for user in ("ana", "bia"):
        stage.know(user)
        stage.happen("customer.signed_up", user)
    fail_run(stage.runs()[0].pk, "five times", stage.now)
    Message.objects.filter(origin_id=str(stage.runs()[1].pk)).update(state="failed", reason="refused")
    numbers = journey_numbers(journey_of(stage))
    found = [(part.key, part.count) for part in numbers.errors.by_kind]
    assert sorted(found) == [("message_failed_refused", 1), ("run_failed", 1)]
    assert [(part.key, part.count) for part in numbers.not_sent.by_reason] == [("refused", 1)]
    assert numbers.broken == []


def test_a_period_has_the_runs_that_entered_in_it_and_all_that_is_theirs(stage: Stage) -> None:
    stage.publish(welcome())
    for day, user in enumerate(("ana", "bia", "caio")):
        stage.know(user)
        stage.now = T0 + timedelta(days=3 * day)
        stage.happen("customer.signed_up", user)
    stage.know("davi", granted=False)
    stage.happen("customer.signed_up", "davi")
    late = journey_numbers(journey_of(stage), Period(since=T0 + timedelta(days=2)))
    assert {one.key: (one.total, one.holds) for one in late.sums} == {
        "runs_entered": (2, True),
        "messages_created": (3, True),
        "message_steps_passed": (3, True),
    }
    assert (late.refused.total, late.live.total, late.broken) == (1, 1, [])
    first = journey_numbers(journey_of(stage), Period(until=T0 + timedelta(days=2)))
    assert {one.key: one.total for one in first.sums} == {
        "runs_entered": 1,
        "messages_created": 2,
        "message_steps_passed": 2,
    }


def test_of_many_runs_only_the_newest_are_read(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    for n in range(5):
        stage.happen("customer.signed_up", f"user-{n}")
        stage.pass_time(minutes=1)
    few = journey_numbers(journey_of(stage), Period(since=T0, most=2))
    whole = journey_numbers(journey_of(stage), ALWAYS)
    assert [one.total for one in few.sums] == [2, 2, 2]
    assert [one.total for one in whole.sums] == [5, 5, 5]
    assert few.broken == []


def test_days_are_days_in_the_brands_zone(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    stage.now = T0.replace(hour=23)
    stage.happen("customer.signed_up", "ana")
    stage.now += timedelta(hours=2)
    stage.happen("customer.signed_up", "bia")
    stage.happen("login.succeeded", "bia")
    stage.happen("customer.signed_up", "bia")
    there = entries_by_day(journey_of(stage), ALWAYS, "America/Sao_Paulo").days
    here = entries_by_day(journey_of(stage), ALWAYS, "UTC").days
    assert [(day.day.day, day.entered, day.live, day.completed, day.refused) for day in there] == [(2, 2, 1, 1, 1)]
    assert [(day.day.day, day.entered, day.refused) for day in here] == [(2, 1, 0), (3, 1, 1)]
