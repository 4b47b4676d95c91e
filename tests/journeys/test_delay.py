"""Delays: spans, days on the calendar, dates out of the data, hours; each in the customer's zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customers.models import Brand
from journeys.definition import InvalidDefinition
from journeys.models import Cause, RuleInputs, Transition
from journeys.validate import check
from tests.journeys.stage import T0, Stage, message, welcome

LATER = {"type": "exit", "id": "late", "state": "lost"}


def delayed(*more: dict[str, Any], **delay: Any) -> dict[str, Any]:
    rest = {"type": "delay", "id": "rest", "state": "not_activated", "next": "lost"} | delay
    return welcome(steps=[rest, {"type": "exit", "id": "lost", "state": "lost"}, *more])


def until(**more: Any) -> dict[str, Any]:
    return {"source": "event", "name": "departs", "past": "late"} | more


def due(stage: Stage, document: dict[str, Any], *, now: datetime = T0, **said: Any) -> datetime | None:
    """When somebody's delay who enters now is over; their zone is Recife's, three hours behind."""
    stage.now = now
    stage.publish(document)
    stage.know(timezone="America/Recife", **said.pop("traits", {}))
    stage.happen("customer.signed_up", properties=said)
    return stage.the_run().due_at


def test_elapsed_time_is_counted_in_seconds_across_a_change_of_clocks(stage: Stage) -> None:
    assert due(stage, delayed(after="P1D")) == T0 + timedelta(days=1)


def test_a_day_on_the_calendar_is_the_same_time_of_day(stage: Stage) -> None:
    stage.now = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    stage.publish(delayed(on_calendar={"days": 1}))
    stage.know(timezone="Europe/Berlin")
    stage.happen("customer.signed_up")
    assert stage.the_run().due_at == datetime(2026, 3, 29, 11, 0, tzinfo=UTC)
    stage.pass_time(hours=22, minutes=59)
    assert stage.steps_of(stage.the_run()) == ["rest"]
    stage.pass_time(minutes=1)
    assert stage.steps_of(stage.the_run()) == ["rest", "lost"]


def test_months_and_weeks_add_up(stage: Stage) -> None:
    now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    assert due(stage, delayed(on_calendar={"months": 1, "weeks": 1, "days": 1}), now=now) == datetime(
        2026, 3, 8, 12, 0, tzinfo=UTC
    )


def test_hours_alone_wait_for_the_next_moment_within_them(stage: Stage) -> None:
    # A Monday at noon UTC is nine in Recife.
    hours = {"days": "tue-fri", "opens": "08:30", "closes": "18:00"}
    assert due(stage, delayed(hours=hours)) == datetime(2026, 3, 3, 11, 30, tzinfo=UTC)


def test_within_the_hours_nobody_waits_longer_than_to_the_next_look(stage: Stage) -> None:
    assert due(stage, delayed(hours={"opens": "08:00", "closes": "18:00"})) is None
    assert stage.steps_of(stage.the_run()) == ["rest", "lost"]


def test_hours_come_after_a_span(stage: Stage) -> None:
    document = delayed(after="PT10H", hours={"opens": "08:00", "closes": "18:00"})
    assert due(stage, document) == datetime(2026, 3, 3, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "more", "moment"),
    [
        ("2026-03-10", {}, "2026-03-10T03:00"),
        ("2026-03-10", {"time": "09:00", "days": -2}, "2026-03-08T12:00"),
        ("2026-03-10T20:00:00-08:00", {}, "2026-03-11T04:00"),
        ("2026-03-10T20:00:00-08:00", {"time": "09:00"}, "2026-03-11T12:00"),
        ("2026-03-10T20:00", {"days": 1}, "2026-03-11T23:00"),
    ],
)
def test_a_date_of_the_entry_event_is_waited_for(stage: Stage, value: str, more: dict[str, Any], moment: str) -> None:
    document = delayed(LATER, until=until(**more))
    assert due(stage, document, departs=value) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["2026-03-01", "2026-03-02T11:59:59Z", "soon", "", None, 20260310, {"day": 1}, "9999-12-31", "2026-02-30"]
)
def test_a_date_that_is_past_missing_or_none_goes_its_own_way(stage: Stage, value: Any) -> None:
    document = delayed(LATER, until=until(days=1 if value == "9999-12-31" else 0))
    assert due(stage, document, departs=value) is None
    assert stage.steps_of(stage.the_run()) == ["rest", "late"]
    assert list(Transition.objects.order_by("seq").values_list("cause", flat=True)) == [Cause.ENTERED, Cause.PAST]


def test_a_trait_names_the_date_and_is_kept_with_the_move_it_decided(stage: Stage) -> None:
    document = delayed(LATER, until={"source": "trait", "name": "plan.renews", "past": "late"})
    assert due(stage, document, traits={"plan": {"renews": "2026-01-01"}}) is None
    assert list(RuleInputs.objects.values_list("seq", "traits")) == [(2, {"plan": {"renews": "2026-01-01"}})]


def test_without_a_zone_of_their_own_people_are_in_the_brands(stage: Stage) -> None:
    Brand.objects.update(zone="Asia/Tokyo")
    stage.publish(delayed(hours={"opens": "08:00", "closes": "18:00"}))
    stage.know()
    stage.happen("customer.signed_up")
    assert stage.the_run().due_at == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)


def test_a_delay_on_the_way_reads_the_zone_as_well(stage: Stage) -> None:
    document = welcome()
    rest = {"type": "delay", "id": "rest", "state": "not_activated", "next": "lost", "hours": {"opens": "08:00"}}
    document["steps"] = [*document["steps"][:2], message("remind", next="rest"), rest, *document["steps"][3:]]
    stage.publish(document)
    stage.know(timezone="America/Recife")
    stage.happen("customer.signed_up")
    stage.pass_time(hours=24 + 13)
    # 01:00 the day after: the hold's time-out came at noon, and eight was over by then.
    assert stage.steps_of(stage.the_run()) == ["welcome", "hold", "remind", "rest", "lost"]


@pytest.mark.parametrize(
    ("delay", "code", "pointer"),
    [
        ({}, "delay_unclear", "/steps/0"),
        ({"after": "P1D", "on_calendar": {"days": 1}}, "delay_unclear", "/steps/0"),
        ({"after": "PT0S"}, "duration", "/steps/0/after"),
        ({"on_calendar": {}}, "duration", "/steps/0/on_calendar"),
        ({"on_calendar": {"months": -1, "days": 40}}, "duration", "/steps/0/on_calendar"),
        ({"on_calendar": {"months": 121}}, "duration", "/steps/0/on_calendar"),
        ({"until": until(days=4000)}, "duration", "/steps/0/until/days"),
        ({"until": until(name=" ")}, "name_missing", "/steps/0/until/name"),
        ({"until": until(time="9am")}, "bad_time", "/steps/0/until/time"),
        ({"hours": {"days": "monday"}}, "bad_days", "/steps/0/hours/days"),
        ({"hours": {"opens": "25:00"}}, "bad_time", "/steps/0/hours/opens"),
        ({"hours": {"opens": "18:00", "closes": "09:00"}}, "no_hours", "/steps/0/hours/closes"),
        ({"until": until(past="rest")}, "loop", "/steps/0"),
        ({"until": until(past="nowhere")}, "unknown_step", "/steps/0"),
    ],
)
def test_a_delay_that_cannot_be_is_refused_with_its_place(delay: dict[str, Any], code: str, pointer: str) -> None:
    more = [LATER] if delay.get("until", {}).get("past") == "late" else []
    with pytest.raises(InvalidDefinition) as refused:
        check(delayed(*more, **delay))
    assert (code, pointer) in [(one.code, one.pointer) for one in refused.value.problems]
