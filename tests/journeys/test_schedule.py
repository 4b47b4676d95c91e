"""The rule of the calendar by which a journey calls its segment in: which moments it gives, and what is none."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.code.cases import run_cases
from journeys.code.file import read, write
from journeys.code.schema import schema
from journeys.definition import InvalidDefinition
from journeys.diff import compare
from journeys.entry.schedule import Schedule
from journeys.validate import check
from tests.journeys.stage import welcome

DAILY: dict[str, Any] = {"every": "day", "starts": "2026-03-02", "at": "09:00", "zone": "UTC"}
SAO_PAULO, BERLIN = "America/Sao_Paulo", "Europe/Berlin"


def entry(**schedule: Any) -> dict[str, Any]:
    return {"kind": "schedule", "segment": "vip", "schedule": DAILY | schedule}


def problems(document: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDefinition) as refused:
        check(document)
    return [(problem.code, problem.pointer) for problem in refused.value.problems]


def moments(count: int = 4, *, after: str = "2000-01-01T00:00+00:00", **schedule: Any) -> list[str]:
    """The first of them, as the clocks of the zone show them."""
    one = Schedule(**(DAILY | schedule))
    found = one.upcoming(datetime.fromisoformat(after), count)
    return [f"{moment.astimezone(ZoneInfo(one.zone)):%a %Y-%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"every": "once"}, ["Mon 2026-03-02 09:00"]),
        ({}, ["Mon 2026-03-02 09:00", "Tue 2026-03-03 09:00", "Wed 2026-03-04 09:00"]),
        ({"interval": 3}, ["Mon 2026-03-02 09:00", "Thu 2026-03-05 09:00", "Sun 2026-03-08 09:00"]),
        ({"ends": "2026-03-03"}, ["Mon 2026-03-02 09:00", "Tue 2026-03-03 09:00"]),
        ({"every": "week", "days": "mon,thu"},
         ["Mon 2026-03-02 09:00", "Thu 2026-03-05 09:00", "Mon 2026-03-09 09:00"]),
        ({"every": "week", "days": "sun", "interval": 2},
         ["Sun 2026-03-08 09:00", "Sun 2026-03-22 09:00", "Sun 2026-04-05 09:00"]),
        ({"every": "month", "day": 1}, ["Wed 2026-04-01 09:00", "Fri 2026-05-01 09:00", "Mon 2026-06-01 09:00"]),
        ({"every": "month", "day": 31}, ["Tue 2026-03-31 09:00", "Thu 2026-04-30 09:00", "Sun 2026-05-31 09:00"]),
        ({"every": "month", "last_day": True, "starts": "2027-12-31"},
         ["Fri 2027-12-31 09:00", "Mon 2028-01-31 09:00", "Tue 2028-02-29 09:00"]),
        ({"every": "month", "day": 15, "interval": 12},
         ["Sun 2026-03-15 09:00", "Mon 2027-03-15 09:00", "Wed 2028-03-15 09:00"]),
    ],
)  # fmt: skip
def test_the_calendar_gives_these_moments(schedule: dict[str, Any], expected: list[str]) -> None:
    assert moments(3, **schedule) == expected


def test_they_are_told_from_any_moment_on_that_moment_left_out() -> None:
    assert moments(1, after="2031-07-09T08:59:59+00:00") == ["Wed 2031-07-09 09:00"]
    assert moments(1, after="2031-07-09T09:00:00+00:00") == ["Thu 2031-07-10 09:00"]
    assert moments(1, after="2031-07-09T09:00:00+00:00", every="month", day=9) == ["Sat 2031-08-09 09:00"]


def test_a_time_that_the_clocks_leap_over_is_after_the_leap_and_one_that_is_twice_comes_once() -> None:
    leap = moments(3, starts="2026-03-28", at="02:30", zone=BERLIN)
    assert leap == ["Sat 2026-03-28 02:30", "Sun 2026-03-29 03:00", "Mon 2026-03-30 02:30"]
    one = Schedule(**(DAILY | {"starts": "2026-10-24", "at": "02:30", "zone": BERLIN}))
    twice = one.upcoming(datetime(2026, 1, 1, tzinfo=UTC), 3)
    assert [f"{moment:%d %H:%M}" for moment in twice] == ["24 00:30", "25 00:30", "26 01:30"]


def test_a_day_that_a_zone_leaps_over_gives_no_moment_twice() -> None:
    days = moments(3, starts="2011-12-29", at="10:00", zone="Pacific/Apia")
    assert days == ["Thu 2011-12-29 10:00", "Sat 2011-12-31 10:00", "Sun 2012-01-01 10:00"]


def test_the_calendar_has_an_end() -> None:
    assert moments(5, starts="9999-12-30", zone="America/New_York", at="23:00") == ["Thu 9999-12-30 23:00"]
    assert moments(5, starts="9999-11-30", every="month", last_day=True) == [
        "Tue 9999-11-30 09:00",
        "Fri 9999-12-31 09:00",
    ]


@given(
    st.sampled_from(
        [{"every": "day"}, {"every": "week", "days": "tue,sat"}, {"every": "month", "day": 30},
         {"every": "month", "last_day": True}, {"every": "once"}]
    ),
    st.integers(1, 40),
    st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    st.sampled_from(["UTC", BERLIN, SAO_PAULO, "Australia/Lord_Howe", "Pacific/Apia"]),
    st.integers(0, 2_000_000_000),
)  # fmt: skip
def test_from_whatever_moment_one_looks_the_same_ones_come(
    rule: dict[str, Any], interval: int, starts: date, zone: str, seconds: int
) -> None:
    apart = {} if rule["every"] == "once" else {"interval": interval}
    one = Schedule(**(DAILY | rule | apart | {"starts": starts.isoformat(), "zone": zone, "at": "02:15"}))
    moment = datetime(1985, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = one.upcoming(moment, 5)
    assert all(before < after for before, after in pairwise([moment, *found]))
    every = list(one.between(datetime(1980, 1, 1, tzinfo=UTC), found[-1])) if found else []
    assert every[-len(found) :] == found
    assert all(later - earlier >= timedelta(hours=20) for earlier, later in pairwise(every))


# --- what is none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ({"starts": "2026-02-30", "every": "once"}, ("bad_date", "/entry/schedule/starts")),
        ({"ends": "tomorrow"}, ("bad_date", "/entry/schedule/ends")),
        ({"ends": "2026-03-01"}, ("ends_before_it_starts", "/entry/schedule/ends")),
        ({"at": "24:00"}, ("bad_time", "/entry/schedule/at")),
        ({"zone": "Brasilia"}, ("unknown_zone", "/entry/schedule/zone")),
        ({"zone": "../etc/passwd"}, ("unknown_zone", "/entry/schedule/zone")),
        ({"interval": 0}, ("bad_interval", "/entry/schedule/interval")),
        ({"interval": -1}, ("bad_interval", "/entry/schedule/interval")),
        ({"interval": 367}, ("bad_interval", "/entry/schedule/interval")),
        ({"every": "week"}, ("bad_days", "/entry/schedule/days")),
        ({"every": "week", "days": "mon-xyz"}, ("bad_days", "/entry/schedule/days")),
        ({"days": "mon"}, ("field_unused", "/entry/schedule/days")),
        ({"day": 3}, ("field_unused", "/entry/schedule/day")),
        ({"last_day": True}, ("field_unused", "/entry/schedule/last_day")),
        ({"every": "month"}, ("bad_day", "/entry/schedule/day")),
        ({"every": "month", "day": 3, "last_day": True}, ("bad_day", "/entry/schedule/day")),
        ({"every": "month", "day": 32}, ("bad_day", "/entry/schedule/day")),
        ({"every": "month", "day": 0}, ("bad_day", "/entry/schedule/day")),
        ({"every": "once", "ends": "2026-04-01"}, ("field_unused", "/entry/schedule/ends")),
        ({"every": "once", "interval": 2}, ("field_unused", "/entry/schedule/interval")),
        ({"every": "month", "day": 31, "ends": "2026-03-30"}, ("never_comes", "/entry/schedule")),
        ({"every": "hour"}, ("invalid_definition", "/entry/schedule/every")),
    ],
)
def test_what_can_be_no_schedule_is_refused_at_its_place(schedule: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problem in problems(welcome(entry=entry(**schedule)))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"segment": None}, ("missing_field", "/entry/segment")),
        ({"schedule": None}, ("missing_field", "/entry/schedule")),
        ({"event": "x"}, ("field_unused", "/entry/event")),
        ({"key": "cart_id"}, ("field_unused", "/entry/key")),
        ({"take_in": True}, ("field_unused", "/entry/take_in")),
        ({"moved": "left"}, ("field_unused", "/entry/moved")),
        ({"exclude": "vip"}, ("nobody_comes_in", "/entry/exclude")),
        ({"kind": "segment"}, ("field_unused", "/entry/schedule")),
        ({"kind": "event", "event": "x", "segment": None}, ("field_unused", "/entry/schedule")),
    ],
)
def test_what_means_nothing_beside_a_schedule_is_refused(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problem in problems(welcome(entry=entry() | changes))


# --- as code -------------------------------------------------------------------------------------------------

WRITTEN = """\
key: monday
name: Monday
definition:
  purpose: news
  entry:
    kind: schedule
    segment: vip
    schedule:
      every: week
      starts: '2026-03-02'
      at: '09:00'
      zone: America/Sao_Paulo
      days: mon
    reentry: always
  states:
  - {name: new, kind: initial}
  - {name: written, kind: success}
  transitions:
  - [new, written]
  steps:
  - {type: message, id: hello, state: new, channel: email, connector: mail, template: note, next: end}
  - {type: exit, id: end, state: written}
cases:
- name: who is in the segment when it comes is called
  given: {now: '2026-03-01T00:00:00+00:00'}
  when:
  - {at: P3D, enters: vip}
  - {at: P10D, leaves: vip}
  then:
  - {after: P2D, entered: 0}
  - {after: P9D, entered: 1, sent: [hello]}
  - {after: P30D, entered: 1}
"""


def test_a_case_plays_the_calendar_in_virtual_time() -> None:
    assert list(run_cases(read(WRITTEN))) == []
    wrong = WRITTEN.replace("{after: P2D, entered: 0}", "{after: P2D, entered: 1}")
    assert [(one.what, one.found) for one in run_cases(read(wrong))] == [("entered", 0)]


def test_it_comes_back_from_yaml_as_it_was() -> None:
    file = read(WRITTEN)
    again = read(write(file))
    assert again.definition["entry"] == file.definition["entry"]
    definition, _steps = check(again.definition)
    assert definition.entry.schedule == Schedule(
        every="week", starts="2026-03-02", at="09:00", zone=SAO_PAULO, days="mon"
    )


def test_the_schema_tells_of_it_and_a_change_of_it_is_told() -> None:
    told = schema()["$defs"]["Schedule"]
    assert told["required"] == ["every", "starts", "at", "zone"]
    assert told["properties"]["day"]["description"] == "By months: from 1 to 31."
    before, after = welcome(entry=entry()), welcome(entry=entry(at="10:30"))
    (change,) = compare(before, after)
    assert (change.pointer, "10:30" in change.text) == ("/entry/schedule", True)
