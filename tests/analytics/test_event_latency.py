"""From event to decision, P95: from when it occurred and from when it was received."""

from datetime import timedelta
from typing import Any

from analytics.metrics.event_latency import EventLatency, event_latency
from tests.journeys.stage import T0, Stage, welcome

OPEN: dict[str, Any] = {"entry": {"event": "customer.signed_up", "guard": "none", "guard_reason": "a service message"}}


def measured(stage: Stage) -> EventLatency:
    return event_latency(stage.journeys["welcome"].pk)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_without_an_event_there_is_no_latency(stage: Stage) -> None:
    stage.publish(welcome())
    found = measured(stage)
    assert (found.events, found.occurred_to_decided, found.received_to_decided) == (0, None, None)


def test_ninety_five_of_a_hundred_took_at_most_the_p95(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    for n in range(1, 21):
        stage.accept("customer.signed_up", f"user-{n}", received=T0 - seconds(n), at=T0 - seconds(10 * n))
    stage.run()
    found = measured(stage)
    assert found.events == 20
    assert found.received_to_decided == seconds(19)
    assert found.occurred_to_decided == seconds(190)


def test_resumed_waits_and_exits_count_and_timers_do_not(stage: Stage) -> None:
    stage.publish(welcome(**OPEN, exit_events=[{"event": "account.closed", "state": "lost"}]))
    for user in ("ana", "bia", "caio"):
        stage.happen("customer.signed_up", user)
    for user, name in (("ana", "login.succeeded"), ("bia", "account.closed")):
        stage.accept(name, user)
    stage.now += seconds(7)
    stage.run()
    stage.pass_time(days=2)
    found = measured(stage)
    assert (found.events, found.received_to_decided) == (5, seconds(7))


def test_an_event_that_came_before_its_wait_counts_from_the_wait(stage: Stage) -> None:
    delayed = welcome(**OPEN)
    pause = {"type": "delay", "id": "pause", "state": "not_activated", "after": "PT2H", "next": "hold"}
    delayed["steps"] = [pause, *delayed["steps"][1:]]
    stage.publish(delayed)
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    stage.happen("login.succeeded")
    stage.pass_time(hours=1)
    found = measured(stage)
    assert stage.the_run().state == 1
    assert (found.events, found.occurred_to_decided, found.received_to_decided) == (2, seconds(0), seconds(0))


def test_an_event_that_occurred_long_before_we_received_it_keeps_its_age(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    stage.happen("customer.signed_up")
    stage.pass_time(hours=3)
    stage.accept("login.succeeded", at=stage.now - timedelta(hours=2))
    stage.now += seconds(4)
    stage.run()
    found = measured(stage)
    assert found.occurred_to_decided == timedelta(hours=2, seconds=4)
    assert found.received_to_decided == seconds(4)
