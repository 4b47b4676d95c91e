"""The throttle: never more than so many in any minute, spread over it, and not much less."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.broadcasts.pace import Pace
from tests.channels.broadcasts.stage import MINUTE, bring_on, crowd, make_segment, messages, put_in, started
from tests.channels.world import NOW, World

SECOND = timedelta(seconds=1)


@settings(max_examples=200)
@given(
    per_minute=st.one_of(st.integers(1, 130), st.integers(1_000, 100_000)),
    steps=st.lists(st.tuples(st.integers(1, 30_000), st.floats(0, 1)), min_size=1, max_size=120),
)
def test_in_no_minute_go_more_than_may(per_minute: int, steps: list[tuple[int, float]]) -> None:
    """Looked at after spans of any length, taking any share of what is allowed."""
    pace, now, went = Pace(), NOW, []
    for milliseconds, share in steps:
        now += timedelta(milliseconds=milliseconds)
        leave = pace.leave(per_minute, now)
        assert leave >= 0
        count = int(leave * share + 0.999) if leave else 0
        count = min(count, leave)
        pace = pace.after(count, per_minute, now)
        went.append((now, count))
    for end, _count in went:
        assert sum(count for at, count in went if end - MINUTE < at <= end) <= per_minute
    assert len(pace.lately) <= 62


@pytest.mark.parametrize("per_minute", [1, 7, 60, 100, 1_000, 90_000])
def test_looked_at_each_second_as_many_go_as_may(per_minute: int) -> None:
    pace, now, went, minutes = Pace(), NOW, 0, 10
    for _second in range(minutes * 60):
        leave = pace.leave(per_minute, now)
        pace = pace.after(leave, per_minute, now)
        went += leave
        now += SECOND
    assert minutes * per_minute - max(per_minute // 30, 1) <= went <= minutes * per_minute


def test_they_are_spread_over_the_minute() -> None:
    pace, now, parts = Pace(), NOW, []
    for _second in range(60):
        leave = pace.leave(600, now)
        pace = pace.after(leave, 600, now)
        parts.append(leave)
        now += SECOND
    assert max(parts) <= 11
    assert min(parts) >= 9


def test_what_was_saved_up_does_not_burst() -> None:
    pace = Pace().after(10, 600, NOW)
    assert pace.leave(600, NOW + 30 * MINUTE) == 51


def test_of_a_slow_one_each_has_its_span(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 6))
    broadcast = started(world, segment, per_minute=2)
    made = []
    for half_minute in range(5):
        bring_on(broadcast, NOW + half_minute * MINUTE / 2)
        made.append(messages(broadcast).total())
    assert made == [1, 2, 3, 4, 5]
    assert all(later - earlier == 1 for earlier, later in pairwise(made))


def test_looked_at_twice_at_a_moment_it_lets_nobody_more_go(world: World) -> None:
    segment = make_segment(world)
    put_in(segment, crowd(world, 5))
    broadcast = started(world, segment, per_minute=60)
    for _time in range(3):
        bring_on(broadcast)
    assert messages(broadcast).total() == 1
