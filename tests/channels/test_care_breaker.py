"""The breaker: what makes a connector rest, for how long, and what brings it back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.care.breaker import FAILURES, FIRST_REST, LAST_REST, SETTINGS_REST, Breaker, after_error, after_success
from channels.providers.base import Blame, DeliveryError

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROVIDERS = DeliveryError("timeout", blame=Blame.PROVIDER)
MESSAGES = DeliveryError("550 no such user", permanent=True)


def failed(breaker: Breaker, times: int, now: datetime = NOW) -> Breaker:
    for _time in range(times):
        breaker = after_error(breaker, PROVIDERS, now)
    return breaker


def test_a_few_failures_are_no_rest() -> None:
    breaker = failed(Breaker(), FAILURES - 1)
    assert (breaker.failures, breaker.is_open(NOW)) == (FAILURES - 1, False)


def test_so_many_in_a_row_are() -> None:
    breaker = failed(Breaker(), FAILURES)
    assert breaker.is_open(NOW)
    assert FIRST_REST / 2 <= breaker.rests_until - NOW <= FIRST_REST  # type: ignore[operator]  # it is open
    assert (breaker.rest, breaker.detail) == ("trouble", "timeout")


def test_a_success_between_begins_anew() -> None:
    breaker = after_success(failed(Breaker(), FAILURES - 1))
    assert breaker == Breaker()
    assert not failed(breaker, FAILURES - 1).is_open(NOW)


def test_what_a_provider_says_of_one_message_shows_that_it_works() -> None:
    assert after_error(failed(Breaker(), FAILURES - 1), MESSAGES, NOW) == Breaker()


def test_a_message_of_which_nobody_knows_shows_nothing() -> None:
    before = failed(Breaker(), 3)
    assert after_error(before, DeliveryError("odd", accepted="maybe"), NOW) == before


def test_one_failure_after_a_rest_is_the_next_rest() -> None:
    rested = failed(Breaker(), FAILURES)
    later = NOW + FIRST_REST
    assert rested.is_probing(later)
    again = after_error(rested, PROVIDERS, later)
    assert again.is_open(later)
    assert (again.rests, again.rests_until - later > FIRST_REST / 2) == (2, True)  # type: ignore[operator]  # open


def test_one_success_after_a_rest_ends_the_trouble() -> None:
    assert after_success(failed(Breaker(), FAILURES)) == Breaker()


def test_a_wish_of_the_provider_is_heeded_and_is_no_failure() -> None:
    wish = DeliveryError("429", retry_after=40, blame=Blame.PROVIDER)
    breaker = after_error(Breaker(), wish, NOW)
    assert (breaker.rests_until, breaker.rest, breaker.failures) == (NOW + timedelta(seconds=40), "asked", 0)


def test_what_is_kept_of_the_provider_s_words_has_no_address_in_it() -> None:
    said = DeliveryError("421 4.7.0 <ana@example.com> and +55 11 98765-4321 too many", blame=Blame.SETTINGS)
    assert after_error(Breaker(), said, NOW).detail == "421 4.7.0 … and … too many"


def test_a_refused_log_in_rests_at_once() -> None:
    breaker = after_error(Breaker(), DeliveryError("401", blame=Blame.SETTINGS), NOW)
    assert (breaker.rests_until, breaker.rest) == (NOW + SETTINGS_REST, "settings")


@given(st.lists(st.sampled_from(["ok", "fail", "wait"]), max_size=60))
def test_no_rest_is_longer_than_the_longest(happened: list[str]) -> None:
    breaker, now = Breaker(), NOW
    for one in happened:
        if one == "ok":
            breaker = after_success(breaker)
        elif one == "fail":
            breaker = after_error(breaker, PROVIDERS, now)
        else:
            now += LAST_REST
        assert breaker.rests_until is None or breaker.rests_until <= now + LAST_REST


@pytest.mark.parametrize("rests", [1, 2, 5, 40, 4_000])
def test_rests_grow_and_stay_within_bounds(rests: int) -> None:
    breaker = after_error(Breaker(FAILURES, rests, NOW), PROVIDERS, NOW + timedelta(seconds=1))
    assert breaker.rests_until is not None
    assert timedelta() < breaker.rests_until - NOW - timedelta(seconds=1) <= LAST_REST


@pytest.mark.parametrize("rests", [1, 8, 4_000])
def test_who_is_well_again_is_found_out_within_a_minute_however_long_the_trouble_was(rests: int) -> None:
    resting = after_error(Breaker(FAILURES, rests, NOW), PROVIDERS, NOW)
    a_call = timedelta(seconds=10)
    assert resting.is_probing(NOW + timedelta(minutes=1) - a_call)
