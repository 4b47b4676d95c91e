"""Pacing as a pure function: caps that slide, scopes, and what is told."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from channels.pacing.order import by_priority
from channels.pacing.rules import About, Policy, counts, judge
from consent.models import Purpose
from tests.channels.pacing import BRAND, OFFER, PURPOSE, cap, had, quiet, window

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UTC_ZONE = ZoneInfo("UTC")


def test_below_the_cap_it_goes() -> None:
    assert judge([cap(2, DAY)], OFFER, had(NOW - HOUR), UTC_ZONE, NOW) is None


def test_at_the_cap_it_waits_until_the_oldest_has_left_the_span() -> None:
    block = judge([cap(2, DAY)], OFFER, had(NOW - HOUR, NOW - 3 * HOUR), UTC_ZONE, NOW)
    assert block is not None
    assert (block.reason, block.until, block.is_known) == ("capped", NOW + 21 * HOUR, True)


def test_what_it_counted_is_told() -> None:
    one = cap(1, DAY)
    block = judge([one], OFFER, had(NOW - HOUR), UTC_ZONE, NOW)
    assert block is not None
    assert block.because == {
        "policy": str(one.id),
        "most": 1,
        "seconds": 86400,
        "counted": 1,
        "in_hand": 0,
        "since": "2026-03-01T12:00:00+00:00",
    }


def test_above_the_cap_it_waits_until_there_is_room_for_one() -> None:
    """More than the cap may have gone before it was there."""
    history = had(NOW - HOUR, NOW - 2 * HOUR, NOW - 3 * HOUR)
    block = judge([cap(2, DAY)], OFFER, history, UTC_ZONE, NOW)
    assert block is not None
    assert block.until == NOW - 2 * HOUR + DAY


def test_a_span_leaves_out_its_beginning_and_takes_in_its_end() -> None:
    assert judge([cap(1, DAY)], OFFER, had(NOW - DAY), UTC_ZONE, NOW) is None
    assert judge([cap(1, DAY)], OFFER, had(NOW), UTC_ZONE, NOW) is not None


def test_spans_slide_over_midnight() -> None:
    """Eleven in the evening and an hour later are within one day."""
    late = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    assert judge([cap(1, DAY)], OFFER, had(late), UTC_ZONE, late + HOUR) is not None


def test_a_day_of_a_cap_is_24_hours_when_clocks_are_moved() -> None:
    """In New York 8 March 2026 has 23 hours."""
    zone, sent = ZoneInfo("America/New_York"), datetime(2026, 3, 7, 17, 0, tzinfo=UTC)
    block = judge([cap(1, DAY)], OFFER, had(sent), zone, sent + HOUR)
    assert block is not None
    assert block.until == sent + DAY


def test_a_clock_that_is_ahead_hides_nothing() -> None:
    block = judge([cap(1, DAY)], OFFER, had(NOW + HOUR), UTC_ZONE, NOW)
    assert block is not None
    assert block.until == NOW + HOUR + DAY


def test_one_in_hand_counts_and_is_asked_about_again() -> None:
    soon = NOW + timedelta(seconds=5)
    block = judge([cap(1, DAY)], OFFER, had(None, again=soon), UTC_ZONE, NOW)
    assert block is not None
    assert (block.reason, block.until, block.is_known) == ("capped", soon, False)


def test_of_two_caps_the_one_that_frees_last_decides() -> None:
    daily, weekly = cap(1, DAY), cap(1, 7 * DAY)
    block = judge([daily, weekly], OFFER, had(NOW - HOUR), UTC_ZONE, NOW)
    assert block is not None
    assert (block.until, block.because["policy"]) == (NOW - HOUR + 7 * DAY, str(weekly.id))


def test_room_under_the_cap_that_comes_at_night_is_used_in_the_morning() -> None:
    """The cap frees at 23:00, and until eight nobody is written to."""
    sent = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    block = judge([cap(1, DAY), quiet("22:00", "08:00")], OFFER, had(sent), UTC_ZONE, NOW)
    assert block is not None
    assert (block.reason, block.until) == ("capped", datetime(2026, 3, 3, 8, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("about", "is_held"),
    [
        (OFFER, True),
        (OFFER._replace(channel="sms"), False),
        (OFFER._replace(brand_id=UUID(int=9)), False),
        (OFFER._replace(purpose_kind="service"), False),
        (OFFER._replace(purpose_kind="legal"), False),
    ],
)
def test_a_scope_narrows_what_is_held_and_what_counts(about: About, is_held: bool) -> None:
    policy = cap(1, DAY, channel="email", brand_id=BRAND)
    assert (judge([policy], about, had(NOW, about=OFFER), UTC_ZONE, NOW) is not None) == is_held
    assert (judge([policy], OFFER, had(NOW, about=about), UTC_ZONE, NOW) is not None) == is_held


def test_a_purpose_narrows_whatever_its_kind() -> None:
    policy = cap(1, DAY, purpose_id=PURPOSE)
    service = OFFER._replace(purpose_kind="service")
    assert judge([policy], service, had(NOW, about=service), UTC_ZONE, NOW) is not None
    other = OFFER._replace(purpose_id=UUID(int=7))
    assert judge([policy], other, had(NOW, about=service), UTC_ZONE, NOW) is None


def test_what_the_law_demands_is_never_held() -> None:
    everything: list[Policy] = [cap(1, DAY, purpose_kind=""), quiet("00:00", "23:59", purpose_kind="")]
    legal = OFFER._replace(purpose_kind=Purpose.Kind.LEGAL.value)
    assert judge(everything, legal, had(NOW, about=OFFER), UTC_ZONE, NOW) is None


def test_the_organisations_cap_counts_all_brands() -> None:
    other = OFFER._replace(brand_id=UUID(int=9))
    assert judge([cap(1, DAY)], OFFER, had(NOW, about=other), UTC_ZONE, NOW) is not None


def test_windows_that_never_meet_let_nothing_go() -> None:
    block = judge([window("09:00", "10:00"), window("11:00", "12:00")], OFFER, [], UTC_ZONE, NOW)
    assert block is not None
    assert (block.reason, block.until) == ("quiet_hours", None)


def test_what_was_counted_as_it_went_is_told() -> None:
    one, two = cap(3, DAY), cap(3, DAY, channel="sms")
    assert counts([one, two], OFFER, had(NOW, NOW - HOUR), NOW) == {str(one.id): 2}


class Message:
    def __init__(self, name: str, customer: int | None, priority: int = 50, kind: str = "marketing") -> None:
        self.name, self.priority, self.purpose_kind = name, priority, kind
        self.customer_id = None if customer is None else UUID(int=customer)


def test_each_customers_more_important_message_goes_first_in_the_places_they_have() -> None:
    batch = [
        Message("a-low", 1, 10),
        Message("b", 2),
        Message("nobody", None),
        Message("a-high", 1, 90),
        Message("a-high-later", 1, 90),
    ]
    names = [one.name for one in by_priority(batch)]
    assert names == ["a-high", "b", "nobody", "a-high-later", "a-low"]


def test_of_one_priority_service_goes_before_marketing() -> None:
    batch = [Message("offer", 1), Message("order", 1, kind="service"), Message("law", 1, kind="legal")]
    assert [one.name for one in by_priority(batch)] == ["law", "order", "offer"]
