"""Clocks that leap, fall back, stand apart by odd spans or change their rule: each case with its exact instants.

The instants are worked out by hand from the published changes of each place: the offset before, the offset after, and
what the clock on the wall shows. A test beside them has zoneinfo confirm that this is how clocks are set there.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Brand
from customers.moments import Hours, at
from customers.rules import Facts
from journeys.definition import InvalidDefinition
from journeys.entry.occurrences import call_scheduled
from journeys.entry.schedule import Schedule
from journeys.models import Occurrence, Run
from journeys.steps.base import ZONE, Go, Here, Outcome, Wait
from journeys.steps.delay import CalendarSpan, Delay, OpenHours
from journeys.validate import check
from tests.journeys.segments import make_list
from tests.journeys.stage import T0, Stage, welcome


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """A place on a day: the time of day that is asked for, the instant that is meant, and what the wall shows then."""

    zone: str
    day: str
    asked: str
    instant: str
    shows: str


# By name, one row for each place and case of section E; the comment says how clocks are set there then.
VECTORS: dict[str, Clock] = {
    # 02:00 AEST (+10) is 03:00 AEDT (+11): half past two is not there, and three is 16:00Z.
    "74 Sydney leaps": Clock("Australia/Sydney", "2026-10-04", "02:30", "2026-10-03T16:00", "03:00"),
    "74 Sydney, the very beginning of the leap": Clock(
        "Australia/Sydney", "2026-10-04", "02:00", "2026-10-03T16:00", "03:00"
    ),
    "74 Sydney, a minute before": Clock("Australia/Sydney", "2026-10-04", "01:59", "2026-10-03T15:59", "01:59"),
    # 03:00 AEDT is 02:00 AEST: half past two is 15:30Z, and 16:30Z again.
    "75 Sydney falls back": Clock("Australia/Sydney", "2027-04-04", "02:30", "2027-04-03T15:30", "02:30"),
    # 02:00 (+10:30) is 02:30 (+11) at 15:30Z: half an hour, as nowhere else.
    "76 Lord Howe leaps": Clock("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30", "02:30"),
    # 02:00 (+11) is 01:30 (+10:30) at 15:00Z on 3 April: a quarter to two comes at 14:45Z and at 15:15Z.
    "76 Lord Howe falls back": Clock("Australia/Lord_Howe", "2027-04-04", "01:45", "2027-04-03T14:45", "01:45"),
    "76 Kathmandu is +5:45": Clock("Asia/Kathmandu", "2026-03-29", "09:00", "2026-03-29T03:15", "09:00"),
    "76 Kiritimati is +14": Clock("Pacific/Kiritimati", "2026-03-29", "09:00", "2026-03-28T19:00", "09:00"),
    # 00:00 (-4) is 01:00 (-3): there is no midnight.
    "76 Santiago has no midnight": Clock("America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00", "01:00"),
    # 00:00 EET (+2) is 01:00 EEST (+3).
    "76 Cairo has no midnight": Clock("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23T22:00", "01:00"),
    # For Ramadan clocks go from +1 to +0 at 03:00, which is 02:00 again; half past two comes first at 01:30Z.
    "76 Casablanca falls back": Clock("Africa/Casablanca", "2026-02-15", "02:30", "2026-02-15T01:30", "02:30"),
    # And back to +1 at 02:00, which is 03:00.
    "76 Casablanca leaps": Clock("Africa/Casablanca", "2026-03-22", "02:30", "2026-03-22T02:00", "03:00"),
    # 23:00 (-2) on the 28th is 00:00 (-1) on the 29th: an hour of the evening is not there.
    "76 Nuuk leaps into the next day": Clock("America/Nuuk", "2026-03-28", "23:30", "2026-03-29T01:00", "00:00"),
    # 01:00 WET (+0) is 02:00 WEST (+1).
    "76 Lisbon leaps": Clock("Europe/Lisbon", "2026-03-29", "01:30", "2026-03-29T01:00", "02:00"),
    # 02:00 WEST is 01:00 WET: half past one comes first at 00:30Z.
    "76 Lisbon falls back": Clock("Europe/Lisbon", "2026-10-25", "01:30", "2026-10-25T00:30", "01:30"),
    # 02:00 EST (-5) is 03:00 EDT (-4).
    "76 New York leaps": Clock("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00", "03:00"),
    # 02:00 EDT is 01:00 EST: half past one comes first at 05:30Z.
    "76 New York falls back": Clock("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30", "01:30"),
    # No summer time since 2019: -3 in November too, when there was one.
    "76 Sao Paulo stands still": Clock("America/Sao_Paulo", "2026-11-01", "00:00", "2026-11-01T03:00", "00:00"),
    # Queensland has none while Sydney leaps.
    "76 Brisbane stands still": Clock("Australia/Brisbane", "2026-10-04", "02:30", "2026-10-03T16:30", "02:30"),
}
every_clock = pytest.mark.parametrize("clock", list(VECTORS.values()), ids=list(VECTORS))


def parts(clock: Clock) -> tuple[date, time, ZoneInfo, datetime]:
    return date.fromisoformat(clock.day), time.fromisoformat(clock.asked), ZoneInfo(clock.zone), utc(clock.instant)


@every_clock
def test_the_table_is_how_clocks_are_set_there(clock: Clock) -> None:
    _day, _asked, zone, instant = parts(clock)
    assert f"{instant.astimezone(zone):%H:%M}" == clock.shows


@every_clock
def test_a_time_of_day_is_that_instant(clock: Clock) -> None:
    day, asked, zone, instant = parts(clock)
    assert at(day, asked, zone) == instant


@every_clock
def test_a_schedule_comes_once_at_that_instant(clock: Clock) -> None:
    day, _asked, zone, instant = parts(clock)
    daily = Schedule(every="day", starts=(day - timedelta(days=2)).isoformat(), at=clock.asked, zone=clock.zone)
    found = list(daily.between(instant - timedelta(hours=20), instant + timedelta(hours=20)))
    assert found == [instant]
    around = daily.upcoming(instant - timedelta(days=3), 5)
    assert [one.astimezone(zone).date() for one in around].count(instant.astimezone(zone).date()) == 1 + (
        # In Nuuk the times of the evening that is not there are the first moment of the next day, which has its own.
        clock.zone == "America/Nuuk"
    )


@dataclass(slots=True)
class Somebody:
    """A run, as far as a delay looks at it."""

    journey_id: Any = None
    profile_id: Any = None
    entry_key: str = ""
    entered_at: datetime = T0
    stepped_at: datetime = T0


def here(now: datetime, zone: str, *, since: datetime | None = None, **properties: Any) -> Here:
    return Here(Facts(properties=properties, extra={ZONE: zone}), now, {}, Somebody(stepped_at=since or now))


def rest(**fields: Any) -> Delay:
    return Delay(id="rest", state="waiting", next="on", **fields)


def until(outcome: Outcome) -> datetime:
    assert isinstance(outcome, Wait)
    return outcome.until


@every_clock
def test_a_delay_until_certain_hours_opens_at_that_instant_and_stays_open(clock: Clock) -> None:
    _day, _asked, _zone, instant = parts(clock)
    step = rest(hours=OpenHours(opens=clock.asked))
    before, after = instant - timedelta(minutes=1), instant + timedelta(minutes=1)
    opens, stays = (until(step.enter(here(moment, clock.zone))) for moment in (before, after))
    if clock.zone == "America/Nuuk":
        # The last half hour of that evening is not there at all, and the next one is a day later.
        assert (opens, stays) == (utc("2026-03-30T00:30"), utc("2026-03-30T00:30"))
        return
    # From midnight to midnight is always.
    assert (opens, stays) == (before if clock.asked == "00:00" else instant, after)


@every_clock
def test_one_day_on_the_calendar_is_that_instant_and_one_day_elapsed_is_24_hours(clock: Clock) -> None:
    day, asked, zone, instant = parts(clock)
    eve = at(day - timedelta(days=1), asked, zone)
    assert until(rest(on_calendar=CalendarSpan(days=1)).enter(here(eve, clock.zone))) == instant
    assert until(rest(after=timedelta(days=1)).enter(here(eve, clock.zone))) == eve + timedelta(hours=24)


@pytest.mark.parametrize(
    ("zone", "now", "elapsed", "at_ten"),
    [
        # A day of 23 hours in Sydney: noon on the 3rd (+10), and ten on the 4th (+11).
        ("Australia/Sydney", "2026-10-03T02:00", "2026-10-04T02:00", "2026-10-03T23:00"),
        # A day of 25 hours: noon on the 3rd (+11), and ten on the 4th (+10).
        ("Australia/Sydney", "2027-04-03T01:00", "2027-04-04T01:00", "2027-04-04T00:00"),
        ("America/New_York", "2026-03-07T17:00", "2026-03-08T17:00", "2026-03-08T14:00"),
        ("America/Sao_Paulo", "2026-10-31T15:00", "2026-11-01T15:00", "2026-11-01T13:00"),
    ],
)
def test_77_wait_one_day_is_24_hours_and_the_next_day_at_ten_is_what_the_wall_shows(
    zone: str, now: str, elapsed: str, at_ten: str
) -> None:
    noon = utc(now)
    assert f"{noon.astimezone(ZoneInfo(zone)):%H:%M}" == "12:00"
    assert until(rest(after=timedelta(days=1)).enter(here(noon, zone))) == utc(elapsed)
    assert until(rest(hours=OpenHours(opens="10:00", closes="11:00")).enter(here(noon, zone))) == utc(at_ten)


places = st.sampled_from(sorted({clock.zone for clock in VECTORS.values()}))
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(places, days, times)
def test_76_any_time_of_any_day_anywhere_is_there_or_is_the_moment_after_the_leap(
    zone: str, day: date, clock: time
) -> None:
    place = ZoneInfo(zone)
    found = at(day, clock, place).astimezone(place)
    wanted = datetime.combine(day, clock)
    if found.replace(tzinfo=None) != wanted:
        assert found.replace(tzinfo=None) > wanted
        minute_before = (found.astimezone(UTC) - timedelta(minutes=1)).astimezone(place)
        assert minute_before.replace(tzinfo=None) < wanted
    assert found.fold == 0


@given(places, st.dates(date(2026, 1, 1), date(2027, 6, 30)), times)
def test_76_a_schedule_comes_on_each_day_once_and_never_goes_back(zone: str, starts: date, clock: time) -> None:
    daily = Schedule(every="day", starts=starts.isoformat(), at=f"{clock:%H:%M}", zone=zone)
    found = daily.upcoming(datetime(2025, 1, 1, tzinfo=UTC), 200)
    assert all(timedelta(hours=22) <= later - earlier <= timedelta(hours=26) for earlier, later in pairwise(found))


# --- 78: whose zone ------------------------------------------------------------------------------------------


def office_hours(**more: Any) -> dict[str, Any]:
    step = {"type": "delay", "id": "rest", "state": "not_activated", "next": "again"}
    hours = {"hours": {"opens": "10:00", "closes": "18:00"}}
    again = step | {"id": "again", "next": "lost"} | hours | {"after": "PT1H"}
    return welcome(steps=[step | hours | more, again, {"type": "exit", "id": "lost", "state": "lost"}])


@pytest.mark.parametrize(
    ("traits", "opens"),
    [
        # Noon UTC is 21:00 in Tokyo, where the brand is: ten is 01:00Z.
        ({}, "2026-03-03T01:00"),
        ({"timezone": "Brasilia"}, "2026-03-03T01:00"),
        ({"timezone": "UTC+3"}, "2026-03-03T01:00"),
        ({"timezone": ""}, "2026-03-03T01:00"),
        ({"timezone": 3}, "2026-03-03T01:00"),
        ({"timezone": "America/Sao_Paulo"}, "2026-03-02T13:00"),
    ],
)
def test_78_who_has_no_zone_or_none_that_is_known_is_in_the_brands(
    stage: Stage, traits: dict[str, Any], opens: str
) -> None:
    Brand.objects.update(zone="Asia/Tokyo")
    stage.publish(office_hours())
    stage.know(**traits)
    stage.happen("customer.signed_up")
    assert stage.the_run().due_at == utc(opens)


def test_78_a_zone_that_nobody_knows_cannot_be_published() -> None:
    schedule = {"every": "day", "starts": "2026-03-01", "at": "09:00", "zone": "Brasilia"}
    entry = {"kind": "schedule", "segment": "vip", "schedule": schedule}
    with pytest.raises(InvalidDefinition) as refused:
        check(welcome(entry=entry))
    assert ("unknown_zone", "/entry/schedule/zone") in [(one.code, one.pointer) for one in refused.value.problems]


def test_78_who_moves_while_they_wait_has_the_next_decision_in_the_new_zone(stage: Stage) -> None:
    stage.publish(office_hours())
    stage.know(timezone="Asia/Tokyo")
    stage.happen("customer.signed_up")
    assert stage.the_run().due_at == utc("2026-03-03T01:00")
    stage.know(timezone="America/New_York")
    # Ten in Tokyo is eight in the evening in New York, where nobody is written to till ten the next day.
    stage.now = utc("2026-03-03T01:00")
    stage.run()
    run = stage.the_run()
    assert (run.due_at, run.stepped_at, stage.steps_of(run)) == (utc("2026-03-03T15:00"), T0, ["rest"])
    stage.now = utc("2026-03-03T15:00")
    stage.run()
    assert stage.steps_of(stage.the_run()) == ["rest", "again"]
    assert stage.the_run().due_at == utc("2026-03-03T16:00")


# --- 80: another rule by then --------------------------------------------------------------------------------


def set_clocks_as_in(patch: pytest.MonkeyPatch, other: str) -> None:
    """From now on that place has the hours of another: so it looks once an update of the rules is installed."""
    for module in ("journeys.steps.base", "journeys.entry.schedule"):
        patch.setattr(f"{module}.ZoneInfo", lambda _name: ZoneInfo(other))


@pytest.mark.parametrize(
    ("step", "planned", "then"),
    [
        # From -3 to -4: what the wall shows comes an hour later.
        ({"hours": {"opens": "10:00", "closes": "18:00"}}, "2026-03-02T13:00", "2026-03-02T14:00"),
        ({"on_calendar": {"days": 1}}, "2026-03-03T12:00", None),
        ({"until": {"source": "event", "name": "on", "past": "lost"}}, "2026-03-09T03:00", "2026-03-09T04:00"),
        # Elapsed time is what it is.
        ({"after": "P1D"}, "2026-03-03T12:00", None),
    ],
)
def test_80_a_rule_that_changed_meanwhile_is_that_of_the_firing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: dict[str, Any], planned: str, then: str | None
) -> None:
    document = office_hours(**step)
    document["steps"][0] = {k: v for k, v in document["steps"][0].items() if k != "hours" or "hours" in step}
    stage.publish(document)
    stage.know(timezone="America/Recife")
    stage.happen("customer.signed_up", properties={"on": "2026-03-09"})
    assert stage.the_run().due_at == utc(planned)
    set_clocks_as_in(monkeypatch, "America/Manaus")
    stage.now = utc(planned)
    stage.run()
    assert stage.steps_of(stage.the_run())[:2] == (["rest"] if then else ["rest", "again"])
    if then:
        assert stage.the_run().due_at == utc(then)
        stage.now = utc(then)
        stage.run()
        assert stage.steps_of(stage.the_run())[:2] == ["rest", "again"]


def test_80_a_day_on_the_calendar_over_a_change_that_was_called_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Berlin was to leap in the night; as it does not, noon the next day is an hour later."""
    stage.now = utc("2026-03-28T11:00")
    stage.publish(office_hours(on_calendar={"days": 1}, hours=None))
    stage.know(timezone="Europe/Berlin")
    stage.happen("customer.signed_up")
    assert stage.the_run().due_at == utc("2026-03-29T10:00")
    set_clocks_as_in(monkeypatch, "Africa/Lagos")
    stage.pass_time(hours=23)
    assert stage.the_run().due_at == utc("2026-03-29T11:00")
    stage.pass_time(hours=1)
    assert stage.steps_of(stage.the_run())[:2] == ["rest", "again"]


@pytest.mark.parametrize(("other", "then"), [("America/Manaus", "2026-03-03T13:00"), ("Atlantic/South_Georgia", None)])
def test_80_a_moment_of_a_schedule_is_that_of_the_firing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, other: str, then: str | None
) -> None:
    """Where it comes later it is waited for; where it should have come earlier, it is made up at once."""
    make_list(stage, "vip")
    schedule = {"every": "day", "starts": "2026-03-01", "at": "09:00", "zone": "America/Recife"}
    stage.publish(welcome(entry={"kind": "schedule", "segment": "vip", "schedule": schedule, "reentry": "always"}))
    assert Occurrence.objects.get(state="planned").at == utc("2026-03-03T12:00")
    set_clocks_as_in(monkeypatch, other)
    stage.now = utc("2026-03-03T12:00")
    call_scheduled(stage.now)
    first = Occurrence.objects.earliest("at")
    if then is None:
        assert (first.state, first.at) == ("called", utc("2026-03-03T12:00"))
        assert Occurrence.objects.get(state="planned").at == utc("2026-03-04T11:00")
        return
    assert (first.state, first.at) == ("planned", utc(then))
    call_scheduled(utc(then) - timedelta(seconds=1))
    assert Occurrence.objects.filter(state="called").count() == 0
    call_scheduled(utc(then))
    assert list(Occurrence.objects.order_by("at").values_list("state", "at")) == [
        ("called", utc(then)),
        ("planned", utc("2026-03-04T13:00")),
    ]


def test_hours_that_clocks_leap_over_are_those_of_the_next_day() -> None:
    """79 belongs to messages; of delays, hours that are not there at all on one day."""
    night = Hours(frozenset(range(7)), time(2), time(2, 30))
    sydney = ZoneInfo("Australia/Sydney")
    assert night.next_open(utc("2026-10-03T15:00"), sydney) == utc("2026-10-04T15:00")


def test_whoever_waits_for_one_instant_goes_on_once(stage: Stage) -> None:
    """75: the hour that comes twice sends nobody on twice."""
    stage.now = utc("2027-04-03T14:00")
    stage.publish(office_hours(hours={"opens": "02:30", "closes": "03:30"}))
    stage.know(timezone="Australia/Sydney")
    stage.happen("customer.signed_up")
    assert stage.the_run().due_at == utc("2027-04-03T15:30")
    for minute in range(0, 180, 10):
        stage.now = utc("2027-04-03T15:30") + timedelta(minutes=minute)
        stage.run()
    assert Run.objects.count() == 1
    assert stage.steps_of(stage.the_run()) == ["rest", "again"]


def test_a_delay_whose_time_is_up_goes_on_where_clocks_are_as_they_were() -> None:
    planned = utc("2026-03-02T13:00")
    step = rest(hours=OpenHours(opens="10:00", closes="18:00"))
    assert isinstance(step.due(here(planned, "America/Recife", since=T0)), Go)
    late = step.due(here(utc("2026-03-02T22:00"), "America/Recife", since=T0))
    assert until(late) == utc("2026-03-03T13:00")
