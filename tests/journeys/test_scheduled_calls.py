"""Schedules carried out: once for each occurrence, by the version that is live then, whatever stands still."""

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from customers import work
from customers.attempts import MAX_ATTEMPTS
from customers.dead_letters import replay
from customers.models import DeadLetter, Event, Job, Segment, SegmentMembership, UnitAttempt
from journeys import halting
from journeys.compiling import version
from journeys.entry import occurrences, schedule
from journeys.entry.calls import KIND
from journeys.entry.names import CALLED
from journeys.entry.occurrences import call_scheduled
from journeys.models import Occurrence
from journeys.segment_use import journeys_at
from journeys.simulation.events import heard
from journeys.simulation.past import Assumed, Recorded
from journeys.simulation.run import simulate
from journeys.simulation.unknown import Unknown
from tests.journeys.segments import GOLD, build_all, make_segment
from tests.journeys.stage import T0, Stage, make_stage, welcome
from tests.journeys.test_call_by_hand import root
from tests.journeys.test_entry_by_segment import entered, everybody
from tests.journeys.test_schedule import entry

__all__ = ["root"]
# T0 is noon of Monday, the 2nd of March.
NINE = datetime(2026, 3, 3, 9, tzinfo=UTC)


def daily(**schedule: Any) -> dict[str, Any]:
    return welcome(entry=entry(**schedule) | {"reentry": "always"})


def told() -> list[tuple[str, str]]:
    rows = Occurrence.objects.order_by("at").values_list("at", "state")
    return [(f"{at:%d %H:%M}", state) for at, state in rows]


def calls() -> int:
    return Job.objects.filter(kind=KIND).count()


def move_to(stage: Stage, moment: datetime) -> None:
    stage.now = moment
    stage.run()
    build_all(stage.now)
    stage.run()


def test_whoever_is_in_the_segment_when_it_comes_is_called_each_time(stage: Stage) -> None:
    everybody(stage, gold="ana", plain="bia")
    make_segment(stage, GOLD)
    stage.publish(daily())
    assert (told(), entered(stage)) == ([("03 09:00", "planned")], [])
    move_to(stage, NINE - timedelta(seconds=1))
    assert calls() == 0
    move_to(stage, NINE)
    assert (told(), entered(stage)) == ([("03 09:00", "called"), ("04 09:00", "planned")], ["ana"])
    stage.happen("identify", "bia", traits={"plan": "gold"})
    move_to(stage, NINE + timedelta(hours=23))
    stage.publish(daily(at="08:30"))
    move_to(stage, NINE + timedelta(hours=23, minutes=30))
    assert entered(stage) == ["ana", "bia"]
    assert stage.refusals() == ["already_live"]
    first = Occurrence.objects.order_by("at")[0]
    assert first.job is not None
    assert (first.job.state, first.job.done, first.settled_at) == ("done", 1, NINE)


def test_a_moment_before_the_version_went_live_is_never_made_up(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily(starts="2026-01-01"))
    stage.run()
    assert (told(), calls()) == ([("03 09:00", "planned")], 0)


def test_what_comes_once_comes_once(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily(every="once", starts="2026-03-03"))
    move_to(stage, NINE)
    move_to(stage, NINE + timedelta(days=9))
    assert (told(), calls()) == ([("03 09:00", "called")], 1)


def test_what_nothing_ran_for_is_made_up_within_six_hours_and_left_out_after(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    move_to(stage, NINE + timedelta(days=2, hours=6))
    assert told() == [("03 09:00", "late"), ("04 09:00", "late"), ("05 09:00", "called"), ("06 09:00", "planned")]
    assert calls() == 1
    move_to(stage, NINE + timedelta(days=3, hours=6, seconds=1))
    assert told()[3:] == [("06 09:00", "late"), ("07 09:00", "planned")]


def test_nothing_comes_while_it_is_paused_and_nothing_of_that_is_made_up(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    halting.pause(stage.journeys["welcome"], by=None, now=stage.now)
    move_to(stage, NINE)
    # Nothing runs while it is resumed.
    stage.now = NINE + timedelta(days=1, minutes=1)
    halting.resume(stage.journeys["welcome"], by=None, now=stage.now)
    stage.run()
    assert told() == [("03 09:00", "paused"), ("04 09:00", "paused"), ("05 09:00", "planned")]
    move_to(stage, NINE + timedelta(days=2))
    assert (told()[2], calls()) == (("05 09:00", "called"), 1)


def test_a_call_that_a_pause_interrupts_does_not_go_on_days_later(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    stage.publish(daily())
    stage.now = NINE
    call_scheduled(stage.now)
    halting.pause(stage.journeys["welcome"], by=None, now=stage.now)
    build_all(stage.now)
    assert Job.objects.get(kind=KIND).state == Job.State.WAITING
    build_all(NINE + timedelta(hours=6, seconds=1))
    job = Job.objects.get(kind=KIND)
    assert (job.state, job.done, job.report) == (Job.State.DONE, 0, {"stopped": "paused_too_long"})
    assert Event.objects.filter(name=CALLED).count() == 0


def test_a_zone_that_changes_its_hours_has_no_day_twice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """By nine the place is said to be an hour further west, where nine of that day is still to come: that is waited
    for."""
    make_segment(stage, GOLD)
    stage.publish(daily())
    monkeypatch.setattr(schedule, "time_of", lambda text: time(10))
    stage.now = NINE
    call_scheduled(stage.now)
    assert told() == [("03 10:00", "planned")]
    stage.now = NINE + timedelta(hours=1)
    call_scheduled(stage.now)
    assert (told(), calls()) == ([("03 10:00", "called"), ("04 10:00", "planned")], 1)


def test_what_came_just_before_a_pause_came(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    halting.pause(stage.journeys["welcome"], by=None, now=NINE + timedelta(seconds=5))
    assert (told(), calls()) == ([("03 09:00", "called"), ("04 09:00", "planned")], 1)


def test_an_archived_journey_plans_nothing_and_one_brought_back_from_then_on(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    journey = stage.journeys["welcome"]
    halting.archive(journey, by=None, now=stage.now, end=False)
    move_to(stage, NINE + timedelta(days=3))
    assert told() == []
    halting.unarchive(journey, by=None, now=stage.now)
    assert told() == [("07 09:00", "planned")]


def test_the_schedule_of_the_version_that_is_live_counts(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    # What came by the first is carried out by it, though nothing ran in between.
    stage.now = NINE + timedelta(minutes=1)
    stage.publish(daily(at="10:00"))
    assert told() == [("03 09:00", "called"), ("03 10:00", "planned")]
    stage.publish(welcome())
    assert told() == [("03 09:00", "called")]
    stage.publish(daily())
    assert told() == [("03 09:00", "called"), ("04 09:00", "planned")]
    numbers = Occurrence.objects.order_by("at").values_list("version__number", flat=True)
    assert list(numbers) == [1, 4]


def test_an_occurrence_that_was_carried_out_does_not_come_again_by_a_new_version(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    move_to(stage, NINE)
    # Of a publisher whose clock is behind.
    stage.now = NINE - timedelta(seconds=2)
    stage.publish(daily())
    move_to(stage, NINE + timedelta(minutes=1))
    assert (told(), calls()) == ([("03 09:00", "called"), ("04 09:00", "planned")], 1)


def test_without_knowing_who_is_in_the_segment_nobody_is_called(stage: Stage) -> None:
    segment = make_segment(stage, GOLD)
    stage.publish(daily())
    assert journeys_at(segment) == ["welcome"]
    Segment.objects.filter(pk=segment.pk).update(state=Segment.State.BUILDING)
    move_to(stage, NINE)
    assert (told()[0], calls()) == (("03 09:00", "no_segment"), 0)


def test_one_that_fails_again_and_again_is_left_out_and_the_next_one_comes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())

    def fails(*_arguments: Any) -> Any:
        raise ValueError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(occurrences, "call_in", fails)
        for n in range(MAX_ATTEMPTS + 1):
            call_scheduled(NINE + timedelta(minutes=n * 10))
    assert told() == [("03 09:00", "failed"), ("04 09:00", "planned")]
    assert UnitAttempt.objects.count() == 0
    move_to(stage, NINE + timedelta(days=1))
    assert (told()[1], calls()) == (("04 09:00", "called"), 1)
    # Somebody has mended it, and has what was left out made up.
    letter = DeadLetter.objects.get(queue="schedule")
    assert replay([letter.pk], stage.now) == 1
    assert (told()[0], calls()) == (("03 09:00", "called"), 2)
    assert replay([letter.pk], stage.now) == 0


@pytest.mark.django_db(transaction=True)
def test_however_many_look_at_once_each_occurrence_is_called_once() -> None:
    stage = make_stage()
    make_segment(stage, GOLD)
    for n in range(5):
        stage.publish(daily(), f"journey{n}")
    ready = threading.Barrier(4)

    def look() -> None:
        ready.wait()
        for _time in range(6):
            call_scheduled(NINE)
        work.close()
        connections.close_all()

    threads = [threading.Thread(target=look) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls() == 5
    assert sorted(told()) == [("03 09:00", "called")] * 5 + [("04 09:00", "planned")] * 5


def test_the_database_holds_one_occurrence_for_a_moment(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'journeys_occurrence' AND indexdef LIKE"
                       " '%UNIQUE%(journey_id%'")  # fmt: skip
        assert len(cursor.fetchall()) == 2


# --- simulations ---------------------------------------------------------------------------------------------


def simulated(stage: Stage, until: datetime, records: Any = None) -> Any:
    live = version(stage.journeys["welcome"].live_version_id or 0)
    return simulate(live, heard(live, T0, until), records or Recorded("UTC"), until)


def test_a_simulation_calls_at_each_moment_whoever_was_in_the_segment_then(stage: Stage) -> None:
    everybody(stage, gold="ana bia")
    segment = make_segment(stage, GOLD)
    stage.publish(daily())
    SegmentMembership.objects.filter(segment=segment, profile__identifier__value="bia").update(
        left_at=NINE + timedelta(hours=1)
    )
    found = simulated(stage, NINE + timedelta(days=1, hours=1))
    # Both on the first day, and on the second the one who is still in it, whose run is too.
    assert (found.tally.entered, dict(found.tally.refused)) == (2, {"already_live": 1})
    assert Unknown.CALLED_BEFORE in found.unknown
    assert Event.objects.filter(name=CALLED).count() == 0


def test_a_simulation_plays_the_calendar_and_not_the_calls_that_were_made(stage: Stage) -> None:
    everybody(stage, gold="ana")
    make_segment(stage, GOLD)
    stage.publish(daily())
    move_to(stage, NINE)
    assert (entered(stage), Event.objects.filter(name=CALLED).count()) == (["ana"], 1)
    assert simulated(stage, NINE + timedelta(hours=1)).tally.entered == 1
    assert simulated(stage, NINE - timedelta(hours=1)).tally.entered == 0


def test_of_events_in_a_file_it_says_that_nobody_knows_whom_it_would_call(stage: Stage) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    live = version(stage.journeys["welcome"].live_version_id or 0)
    found = simulate(live, [], Assumed("UTC"), NINE)
    assert (found.tally.entered, Unknown.ANY_CALLED in found.unknown) == (0, True)


# --- pages ---------------------------------------------------------------------------------------------------


def test_the_journeys_page_shows_when_it_comes_and_what_came_of_it(stage: Stage, root: Client) -> None:
    for user, granted in (("ana", True), ("ivo", False)):
        stage.know(user, granted=granted, plan="gold")
    make_segment(stage, GOLD)
    stage.publish(daily(zone="America/Sao_Paulo", at="06:00"))
    move_to(stage, NINE)
    journey = stage.journeys["welcome"]
    answer = root.get(reverse("admin:journeys_journey_status", args=[journey.pk]))
    shown = answer.context["calendar"]
    # Of the page's own clock, which stands at noon of the day before.
    assert shown["next"] == [
        f"{day} March {number}, 2026, 6 a.m. (America/Sao_Paulo)"
        for day, number in (("Tue", 3), ("Wed", 4), ("Thu", 5), ("Fri", 6), ("Sat", 7))
    ]
    (row,) = shown["past"]
    assert (row["at"], row["came"].let_in, row["came"].refused) == (shown["next"][0], 1, [("no consent", 1)])
    assert "people were called in" in answer.content.decode()


def test_the_authors_form_shows_when_it_would_come(stage: Stage, root: Client) -> None:
    make_segment(stage, GOLD)
    stage.publish(daily())
    journey = stage.journeys["welcome"]
    page = reverse("admin:journeys_journey_author", args=[journey.pk])
    for draft, count in ((daily(), 5), (daily(every="once"), 0), (daily(zone="nowhere"), 0), (welcome(), 0)):
        journey.draft = draft
        journey.save(update_fields=["draft"])
        answer = root.get(page)
        assert (answer.status_code, len(answer.context["upcoming"])) == (200, count)
