"""How long runs stay in a state, P75, over all versions of the journey."""

from datetime import timedelta
from typing import Any

from analytics.metrics.time_in_state import time_in_state
from tests.journeys.stage import Stage, welcome

OPEN: dict[str, Any] = {"entry": {"event": "customer.signed_up", "guard": "none", "guard_reason": "a service message"}}


def measured(stage: Stage) -> list[tuple[str, int, int, timedelta | None]]:
    states = time_in_state(stage.journeys["welcome"].pk).states
    return [(one.state, one.finished, one.standing, one.p75) for one in states]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def sign_up_and_log_in_after(stage: Stage, *spans: float) -> None:
    """One person per span of hours, together at first."""
    for n, _span in enumerate(spans):
        stage.happen("customer.signed_up", f"user-{n}")
    start = stage.now
    for n, span in sorted(enumerate(spans), key=lambda pair: pair[1]):
        stage.now = start + hours(span)
        stage.happen("login.succeeded", f"user-{n}")


def test_a_journey_nobody_entered_has_states_without_stays(stage: Stage) -> None:
    stage.publish(welcome())
    assert measured(stage) == [("not_activated", 0, 0, None), ("activated", 0, 0, None), ("lost", 0, 0, None)]


def test_three_of_four_stays_took_at_most_the_p75(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    sign_up_and_log_in_after(stage, 1, 2, 3, 20)
    assert measured(stage)[0] == ("not_activated", 4, 0, hours(3))


def test_moves_within_a_state_do_not_end_the_stay(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    stage.happen("customer.signed_up")
    stage.pass_time(hours=24)
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "lost"]
    assert measured(stage)[0] == ("not_activated", 1, 0, hours(24))


def test_stays_that_go_on_are_shown_beside(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    stage.happen("customer.signed_up", "bia")
    sign_up_and_log_in_after(stage, 5)
    assert measured(stage) == [
        ("not_activated", 1, 1, hours(5)),
        ("activated", 0, 0, None),
        ("lost", 0, 0, None),
    ]


def test_a_state_entered_twice_is_two_stays(stage: Stage) -> None:
    document = welcome(**OPEN)
    document["states"].insert(1, {"name": "resting"})
    document["transitions"] += [("not_activated", "resting"), ("resting", "not_activated")]
    spans = (("not_activated", "PT1H"), ("resting", "PT4H"), ("not_activated", "PT3H"))
    document["steps"] = [
        {"type": "delay", "id": f"d{n}", "state": state, "after": after, "next": f"d{n + 1}" if n < 2 else "lost"}
        for n, (state, after) in enumerate(spans)
    ] + [{"type": "exit", "id": "lost", "state": "lost"}]
    stage.publish(document)
    stage.happen("customer.signed_up")
    for _step in range(8):
        stage.pass_time(hours=1)
    assert measured(stage)[:2] == [("not_activated", 2, 0, hours(3)), ("resting", 1, 0, hours(4))]


def test_states_of_one_name_are_one_across_versions(stage: Stage) -> None:
    stage.publish(welcome(**OPEN))
    stage.happen("customer.signed_up", "ana")
    renamed = welcome(**OPEN)
    renamed["states"] = [{"name": "gone", "kind": "failure"}, *renamed["states"][:2]]
    renamed["transitions"] = [("not_activated", "activated"), ("not_activated", "gone")]
    renamed["steps"] = [*renamed["steps"][:-1], {"type": "exit", "id": "lost", "state": "gone"}]
    stage.publish(renamed)
    stage.happen("customer.signed_up", "bia")
    stage.pass_time(hours=2)
    stage.happen("login.succeeded", "ana")
    stage.pass_time(hours=2)
    stage.happen("login.succeeded", "bia")
    assert measured(stage) == [
        ("gone", 0, 0, None),
        ("not_activated", 2, 0, hours(4)),
        ("activated", 0, 0, None),
        ("lost", 0, 0, None),
    ]
