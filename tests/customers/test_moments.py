"""Moments as people name them, with every trick that clocks play."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.moments import EVERY_DAY, Hours, NoSuchMoment, at, days_of, months_on, time_of

BERLIN, RECIFE, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Recife"), ZoneInfo("Australia/Lord_Howe")
zones = st.sampled_from([BERLIN, RECIFE, LORD_HOWE, ZoneInfo("Pacific/Apia"), ZoneInfo("America/Sao_Paulo")])
moments = st.integers(900_000_000, 2_200_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 30, 59]))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "zone", "moment"),
    [
        (date(2026, 3, 2), time(9), RECIFE, "2026-03-02T12:00"),
        # Clocks leap from 02:00 to 03:00 on this day: half past two is three.
        (date(2026, 3, 29), time(2, 30), BERLIN, "2026-03-29T01:00"),
        # And there are two of these on this one: the first is meant.
        (date(2026, 10, 25), time(2, 30), BERLIN, "2026-10-25T00:30"),
        # Half an hour there, as nowhere else.
        (date(2026, 10, 4), time(2, 15), LORD_HOWE, "2026-10-03T15:30"),
        # Where a whole day was left out, its times were those of the next.
        (date(2011, 12, 30), time(10), ZoneInfo("Pacific/Apia"), "2011-12-30T20:00"),
    ],
)
def test_a_time_of_day_is_a_moment_in_a_zone(day: date, clock: time, zone: ZoneInfo, moment: str) -> None:
    assert at(day, clock, zone) == utc(moment)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", EVERY_DAY),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("Sat, sun", {5, 6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("wed", {2}),
        ("mon-wed,sun", {0, 1, 2, 6}),
    ],
)
def test_days_are_named_as_people_write_them(text: str, days: set[int]) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize("text", ["monday", "mon-", "-fri", "1-5", "mon;tue", ",", "mon--fri", "xyz", "mon-xyz"])
def test_other_texts_name_no_days(text: str) -> None:
    with pytest.raises(NoSuchMoment):
        days_of(text)


@pytest.mark.parametrize("text", ["", "9:00", "24:00", "12:60", "12:00:00", "noon", "12.00", "1\u0662:00"])
def test_other_texts_name_no_time_of_day(text: str) -> None:
    with pytest.raises(NoSuchMoment):
        time_of(text)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 5, 15), 12, date(2027, 5, 15)),
        (date(2026, 5, 15), 0, date(2026, 5, 15)),
    ],
)
def test_a_month_on_is_the_same_day_or_the_last(day: date, months: int, later: date) -> None:
    assert months_on(day, months) == later


def test_hours_open_next_on_the_next_day_that_has_them() -> None:
    office = Hours(days_of("mon-fri"), time(9), time(18))
    # A Friday in Recife, three hours behind.
    assert office.next_open(utc("2026-03-06T20:59:59"), RECIFE) == utc("2026-03-06T20:59:59")
    assert office.next_open(utc("2026-03-06T21:00"), RECIFE) == utc("2026-03-09T12:00")
    assert office.next_open(utc("2026-03-06T11:00"), RECIFE) == utc("2026-03-06T12:00")


@given(moments, zones, st.frozensets(st.integers(0, 6), min_size=1), times, times)
def test_what_opens_next_is_open_and_nothing_is_before(
    moment: datetime, zone: ZoneInfo, days: frozenset[int], one: time, other: time
) -> None:
    opens, closes = min(one, other), max(one, other)
    if opens == closes:
        opens, closes = time(), time()
    hours = Hours(days, opens, closes)
    found = hours.next_open(moment, zone)
    assert moment <= found <= moment + timedelta(days=9)
    assert hours.next_open(found, zone) == found
    # Nothing between the two is open: every minute of the first hours, and the last second.
    for early in [moment + timedelta(minutes=n) for n in range(120)] + [found - timedelta(seconds=1)]:
        if moment <= early < found:
            assert hours.next_open(early, zone) == found
