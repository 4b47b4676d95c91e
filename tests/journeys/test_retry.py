"""Retry and catch, in the terms of the Amazon States Language: exact schedules, counters of their own, first match."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.retry import ERRORS, Catcher, Retrier, Tried, and_then, catcher_of, covers, next_delay, problems_of


def schedule(retriers: Sequence[Retrier], errors: Sequence[str], fraction: float = 0.5) -> list[float]:
    """In seconds, the pauses after each of these failures, as long as there is another attempt."""
    tried: list[Tried] = []
    pauses = []
    for error in errors:
        tried.append(Tried(error))
        delay = next_delay(retriers, tried, fraction)
        if delay is None:
            break
        pauses.append(delay.total_seconds())
    return pauses


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def test_by_default_three_more_attempts_after_one_two_and_four_seconds() -> None:
    assert schedule([Retrier(errors=["timeout"])], ["timeout"] * 9) == [1, 2, 4]


def test_the_example_of_the_language() -> None:
    """Interval 3, rate 1.5, two attempts: 3 and 4.5 seconds."""
    retrier = Retrier(errors=["timeout"], interval=seconds(3), backoff_rate=1.5, max_attempts=2)
    assert schedule([retrier], ["timeout"] * 9) == [3, 4.5]


def test_pauses_grow_no_longer_than_the_longest() -> None:
    retrier = Retrier(errors=["all"], interval=seconds(10), max_attempts=5, max_delay=seconds(25))
    assert schedule([retrier], ["timeout"] * 9) == [10, 20, 25, 25, 25]


def test_full_jitter_falls_between_nothing_and_the_pause() -> None:
    retrier = Retrier(errors=["all"], interval=seconds(8), jitter="full")
    assert schedule([retrier], ["timeout"] * 9, 0.25) == [2, 4, 8]
    assert schedule([retrier], ["timeout"] * 9, 0.0) == [0, 0, 0]


def test_each_retrier_counts_by_itself() -> None:
    retriers = [Retrier(errors=["timeout"], max_attempts=1), Retrier(errors=["status_5xx"], max_attempts=2)]
    assert schedule(retriers, ["status_500", "timeout", "status_503", "timeout"]) == [1, 1, 2]


def test_a_spent_retrier_is_not_followed_by_the_next() -> None:
    retriers = [Retrier(errors=["timeout"], max_attempts=0), Retrier(errors=["all"])]
    assert schedule(retriers, ["timeout"]) == []
    assert schedule(retriers, ["status_500"]) == [1]


def test_what_nobody_names_is_not_tried_again() -> None:
    assert schedule([Retrier(errors=["status_5xx"])], ["status_404"]) == []
    assert schedule([], ["timeout"]) == []


@pytest.mark.parametrize("error", ["expired", "crashed", "not_permitted"])
def test_what_is_over_is_over(error: str) -> None:
    assert schedule([Retrier(errors=["all"])], [error]) == []


def test_the_other_side_may_ask_for_more_time_up_to_the_longest_pause() -> None:
    retrier = Retrier(errors=["all"], max_delay=seconds(60))
    assert next_delay([retrier], [Tried("status_503", seconds(30))], 0.5) == seconds(30)
    assert next_delay([retrier], [Tried("status_503", seconds(300))], 0.5) == seconds(60)
    assert next_delay([retrier], [Tried("status_503", seconds(0))], 0.5) == seconds(1)


def test_a_busy_other_side_that_says_until_when_counts_against_nobody() -> None:
    retrier = Retrier(errors=["all"], max_attempts=1)
    busy = Tried("status_429", seconds(7))
    assert next_delay([retrier], [busy] * 5, 0.5) == seconds(7)
    assert next_delay([retrier], [busy, busy, Tried("timeout")], 0.5) == seconds(1)
    assert next_delay([retrier], [busy, Tried("timeout"), Tried("timeout")], 0.5) is None
    assert next_delay([retrier], [Tried("timeout"), busy], 0.5) == seconds(7)
    assert next_delay([Retrier(errors=["all"], max_attempts=0)], [busy], 0.5) is None


def test_however_often_the_other_side_is_busy_little_is_kept_of_it() -> None:
    retrier = Retrier(errors=["all"], max_attempts=1)
    tried: list[Tried] = []
    for _n in range(1_000):
        tried = and_then(tried, Tried("status_429", seconds(7)))
    assert tried == [Tried("status_429", seconds(7), times=1_000)]
    tried = and_then(and_then(tried, Tried("timeout")), Tried("status_429", seconds(8)))
    assert tried[1:] == [Tried("timeout"), Tried("status_429", seconds(8))]
    assert next_delay([retrier], tried, 0.5) == seconds(8)
    assert and_then([Tried("status_429")], Tried("status_429")) == [Tried("status_429")] * 2


def test_names_stand_for_themselves_their_kind_and_all() -> None:
    assert covers(["status_5xx"], "status_503")
    assert not covers(["status_5xx"], "status_403")
    assert covers(["status_404"], "status_404")
    assert not covers(["status_404"], "status_400")
    assert covers(["all"], "timeout")
    assert not covers([], "timeout")


def test_the_first_catcher_that_names_the_error_counts() -> None:
    catchers = [Catcher(errors=["status_404"], next="a"), Catcher(errors=["status_4xx"], next="b")]
    assert [catcher_of(catchers, error) for error in ("status_404", "status_400", "timeout")] == [0, 1, None]


retriers = st.lists(
    st.builds(
        Retrier,
        errors=st.lists(st.sampled_from([*ERRORS, "status_4xx", "status_5xx", "status_429"]), min_size=1, max_size=3),
        interval=st.integers(1, 86_400).map(lambda n: timedelta(seconds=n)),
        max_attempts=st.integers(0, 100),
        backoff_rate=st.floats(1, 10),
        max_delay=st.none() | st.integers(86_401, 2_000_000).map(lambda n: timedelta(seconds=n)),
        jitter=st.sampled_from(["none", "full"]),
    ),
    max_size=4,
)
failures = st.lists(
    st.builds(
        Tried,
        st.sampled_from([*ERRORS, "status_400", "status_429", "status_500"]),
        st.none() | st.integers(0, 10**7).map(lambda n: timedelta(seconds=n)),
    ),
    min_size=1,
    max_size=300,
)


@given(retriers, failures, st.floats(0, 1, exclude_max=True))
def test_no_schedule_runs_past_what_it_says(listed: list[Retrier], tried: list[Tried], fraction: float) -> None:
    """By whatever errors: each retrier is spent after its attempts, and no pause is longer than its longest."""
    spent: dict[int, int] = {}
    for n in range(len(tried)):
        one = tried[n]
        delay = next_delay(listed, tried[: n + 1], fraction)
        found = next((k for k, retrier in enumerate(listed) if covers(retrier.errors, one.error)), None)
        if found is None or one.error in ("expired", "crashed", "not_permitted"):
            assert delay is None
            # Nothing is tried after that.
            return
        retrier, before = listed[found], spent.get(found, 0)
        if not one.is_no_try:
            spent[found] = before + 1
        assert (delay is None) == (retrier.max_attempts == 0 or (before >= retrier.max_attempts and not one.is_no_try))
        if delay is None:
            return
        longest = retrier.max_delay or timedelta(days=30)
        assert timedelta(0) <= delay <= longest
        if retrier.jitter == "none":
            assert delay >= min(retrier.interval, longest)


def problems(retry: Sequence[Retrier] = (), catch: Sequence[Catcher] = ()) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in problems_of(retry, catch)]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"errors": []}, [("/retry/0/errors", "no_error")]),
        ({"errors": ["tiemout"]}, [("/retry/0/errors/0", "unknown_error")]),
        ({"errors": ["status_200"]}, [("/retry/0/errors/0", "unknown_error")]),
        ({"errors": ["timeout", "timeout"]}, [("/retry/0/errors/1", "duplicate_error")]),
        ({"errors": ["all", "timeout"]}, [("/retry/0/errors", "all_errors")]),
        ({"interval": timedelta(0)}, [("/retry/0/interval", "duration")]),
        ({"interval": timedelta(days=31)}, [("/retry/0/interval", "duration")]),
        ({"max_attempts": -1}, [("/retry/0/max_attempts", "attempt_count")]),
        ({"max_attempts": 101}, [("/retry/0/max_attempts", "attempt_count")]),
        ({"backoff_rate": 0.5}, [("/retry/0/backoff_rate", "backoff_rate")]),
        ({"backoff_rate": float("nan")}, [("/retry/0/backoff_rate", "backoff_rate")]),
        ({"max_delay": timedelta(seconds=1)}, [("/retry/0/max_delay", "duration")]),
        ({}, []),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert problems([Retrier(**{"errors": ["timeout"]} | changes)]) == found


def test_all_stands_last() -> None:
    listed = [Catcher(errors=["all"], next="a"), Catcher(errors=["timeout"], next="b")]
    assert problems(catch=listed) == [("/catch/0/errors", "all_errors")]
    assert problems(catch=listed[::-1]) == []


def test_an_error_is_listed_once() -> None:
    listed = [Catcher(errors=["timeout"], next="a"), Catcher(errors=["timeout"], next="b")]
    assert problems(catch=listed) == [("/catch/1/errors/0", "duplicate_error")]
    assert problems(catch=[Catcher(errors=[name], next="a") for name in list(ERRORS)]) == [("/catch", "error_count")]
