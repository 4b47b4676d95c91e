"""Hours of somebody's own day: every zone and date on which clocks do something odd (bad inputs 74 to 80)."""

import os
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from channels.pacing.hours import first_open
from channels.pacing.reading import Zones
from channels.pacing.rules import Hours, judge
from customers.ids import NIL
from tests.channels.pacing import BRAND, OFFER, quiet, window

# Zone and a day on which its clocks are moved, or one of a zone that never does (any more).
VECTORS = (
    ("Australia/Sydney", "2026-10-04"),
    ("Australia/Sydney", "2027-04-04"),
    ("Australia/Lord_Howe", "2026-10-03"),
    ("Australia/Lord_Howe", "2027-04-03"),
    ("Asia/Kathmandu", "2026-06-01"),
    ("Pacific/Kiritimati", "2026-06-01"),
    ("America/Santiago", "2026-09-06"),
    ("America/Santiago", "2026-04-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-29"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"),
    ("America/Nuuk", "2026-03-28"),
    ("America/Nuuk", "2026-03-29"),
    ("Europe/Lisbon", "2026-03-29"),
    ("Europe/Lisbon", "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/Sao_Paulo", "2026-11-01"),
    ("Australia/Brisbane", "2026-10-04"),
)
INSTANTS = 100_000 if os.environ.get("FULL") else 2_000


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opens(policy: Hours, zone: str, at: str) -> datetime | None:
    """When a message of that moment goes."""
    block = judge([policy], OFFER, [], ZoneInfo(zone), utc(at))
    return utc(at) if block is None else block.until


@pytest.mark.parametrize(
    ("at", "goes"),
    [
        ("2026-03-02T21:59:59", "2026-03-02T21:59:59"),
        ("2026-03-02T22:00:00", "2026-03-03T08:00:00"),
        ("2026-03-03T03:00:00", "2026-03-03T08:00:00"),
        ("2026-03-03T08:00:00", "2026-03-03T08:00:00"),
    ],
)
def test_quiet_hours_across_midnight(at: str, goes: str) -> None:
    assert opens(quiet("22:00", "08:00"), "UTC", at) == utc(goes)


def test_a_day_of_the_week_is_that_on_which_the_hours_begin() -> None:
    """From Friday evening until Saturday morning; in the night before, and the one after, people are written to."""
    friday = quiet("22:00", "08:00", "fri")
    assert opens(friday, "UTC", "2026-03-07T03:00:00") == utc("2026-03-07T08:00:00")
    assert opens(friday, "UTC", "2026-03-06T03:00:00") == utc("2026-03-06T03:00:00")
    assert opens(friday, "UTC", "2026-03-07T23:00:00") == utc("2026-03-07T23:00:00")


def test_a_window_is_waited_for_over_the_weekend() -> None:
    assert opens(window("09:00", "18:00", "mon-fri"), "UTC", "2026-03-06T18:00:00") == utc("2026-03-09T09:00:00")


def test_hours_until_midnight_end_with_the_day() -> None:
    assert opens(window("08:00", "00:00"), "UTC", "2026-03-06T23:59:59") == utc("2026-03-06T23:59:59")
    assert opens(window("08:00", "00:00"), "UTC", "2026-03-07T00:00:00") == utc("2026-03-07T08:00:00")


def test_an_end_that_does_not_exist_is_over_as_the_clocks_leap() -> None:
    """Row 74: in Sydney 02:30 is leapt over on 4 October 2026; it is 03:00 then."""
    goes = opens(quiet("22:00", "02:30"), "Australia/Sydney", "2026-10-03T15:00:00")
    assert goes == utc("2026-10-03T16:00:00")
    assert goes.astimezone(ZoneInfo("Australia/Sydney")).strftime("%H:%M") == "03:00"


def test_of_an_end_that_there_is_twice_the_first_one_counts() -> None:
    """Row 75: in Sydney 02:30 is at 15:30Z and at 16:30Z on 4 April 2027; between 16:00Z and then it is quiet anew."""
    policy = quiet("22:00", "02:30")
    assert opens(policy, "Australia/Sydney", "2027-04-03T15:00:00") == utc("2027-04-03T15:30:00")
    assert opens(policy, "Australia/Sydney", "2027-04-03T16:10:00") == utc("2027-04-03T16:30:00")


def test_hours_that_end_at_a_midnight_that_does_not_exist() -> None:
    """Row 76: in Santiago 6 September 2026 begins at one."""
    goes = opens(quiet("20:00", "00:00"), "America/Santiago", "2026-09-06T01:00:00")
    assert goes == utc("2026-09-06T04:00:00")


def test_a_change_of_half_an_hour() -> None:
    """Row 76: on Lord Howe 02:15 is leapt over on 4 October 2026, at 15:30Z."""
    assert opens(quiet("22:00", "02:15"), "Australia/Lord_Howe", "2026-10-03T14:00:00") == utc("2026-10-03T15:30:00")


@pytest.mark.parametrize(
    ("zone", "only", "at", "goes"),
    [
        ("America/New_York", ("02:00", "03:00", "sun"), "2026-03-01T12:00:00", "2026-03-15T06:00:00"),
        ("America/Nuuk", ("23:00", "00:00", "sat"), "2026-03-22T12:00:00", "2026-04-05T00:00:00"),
        ("America/Santiago", ("00:00", "01:00", "sun"), "2026-08-30T12:00:00", "2026-09-13T03:00:00"),
    ],
)
def test_an_hour_of_the_week_that_the_clocks_leap_over_is_that_of_the_next(
    zone: str, only: tuple[str, str, str], at: str, goes: str
) -> None:
    assert opens(window(*only), zone, at) == utc(goes)


def test_the_other_side_of_the_world_is_a_day_ahead() -> None:
    assert opens(quiet("22:00", "08:00"), "Pacific/Kiritimati", "2026-06-01T10:00:00") == utc("2026-06-01T18:00:00")
    assert opens(quiet("22:00", "08:00"), "Asia/Kathmandu", "2026-06-01T16:15:00") == utc("2026-06-02T02:15:00")


def test_who_has_no_zone_has_that_of_the_brand() -> None:
    """Row 78."""
    known = Zones({NIL: ""}, {BRAND: "America/Recife"})
    assert known.of(NIL, BRAND) == (ZoneInfo("America/Recife"), "brand")
    assert Zones({NIL: "Brasilia"}, {BRAND: "UTC"}).of(NIL, BRAND) == (ZoneInfo("UTC"), "brand")
    assert Zones({NIL: "Asia/Tokyo"}, {}).of(NIL, BRAND) == (ZoneInfo("Asia/Tokyo"), "customer")


def test_a_zone_whose_rules_changed_counts_as_it_is_now() -> None:
    """Row 80: what was planned by the old zone is decided anew as it is to go."""
    policy, at = quiet("22:00", "08:00"), "2026-06-01T12:30:00"
    assert opens(policy, "Europe/London", at) == utc(at)
    assert opens(policy, "Asia/Tokyo", at) == utc("2026-06-01T12:30:00")
    assert opens(policy, "Asia/Tokyo", "2026-06-01T13:00:00") == utc("2026-06-01T23:00:00")


POLICIES = (
    ("22:00", "08:00"), ("00:00", "08:00"), ("21:30", "00:00"), ("02:15", "02:45"), ("23:00", "02:30"),
    ("00:30", "23:30"), ("01:00", "03:00"),
)  # fmt: skip
DAYS = ("", "mon-fri", "sat,sun", "fri", "mon,wed")


def test_at_random_moments_nothing_goes_within_quiet_hours_nor_later_than_it_might() -> None:
    """What is let go is never within them by the clock on the wall, and no minute before would have been allowed."""
    chance = random.Random(74)
    for _n in range(INSTANTS):
        zone_name, day = chance.choice(VECTORS)
        zone = ZoneInfo(zone_name)
        at = utc(f"{day}T00:00:00") + timedelta(seconds=chance.randrange(-2 * 86_400, 3 * 86_400))
        starts, ends = chance.choice(POLICIES)
        make = quiet if chance.random() < 0.7 else window
        policies = [make(starts, ends, chance.choice(DAYS))]
        if chance.random() < 0.3:
            policies.append(quiet("12:00", "14:00"))
        goes = _first(policies, at, zone)
        place = (zone_name, at, starts, ends)
        assert goes is not None, place
        assert goes >= at, place
        assert _is_allowed(policies, goes, zone), place
        assert not any(_is_allowed(policies, one, zone) for one in _before(at, goes, chance)), place


def _first(policies: list[Hours], at: datetime, zone: ZoneInfo) -> datetime | None:
    return first_open(at, zone, lambda local: all(one.allow(local) for one in policies), [one.span for one in policies])


def _is_allowed(policies: list[Hours], moment: datetime, zone: ZoneInfo) -> bool:
    """By minutes of the day, and not by the code under test."""
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    for policy in policies:
        span = policy.span
        first, last = span.starts.hour * 60 + span.starts.minute, span.ends.hour * 60 + span.ends.minute
        length = (last - first) % 1440
        today, yesterday = local.weekday() in span.days, (local.weekday() - 1) % 7 in span.days
        inside = (today and 0 <= minute - first < length) or (yesterday and minute + 1440 - first < length)
        if inside == policy.is_quiet:
            return False
    return True


def _before(at: datetime, goes: datetime, chance: random.Random) -> list[datetime]:
    """Some moments between, the last second among them."""
    if goes == at:
        return []
    between = [at + (goes - at) * chance.random() for _n in range(8)]
    return [at, *between, goes - timedelta(seconds=1)] if goes - at > timedelta(seconds=1) else [at]
