"""Policies as staff set them: versions, and what cannot be one."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from channels.models import PacingPolicy
from channels.pacing import policies
from channels.pacing.reading import during, standing
from channels.pacing.rules import Cap
from consent.models import Purpose
from customers.models import Brand
from customers.pg import raw_cursor
from tests.channels.pacing import quiet_hours
from tests.channels.test_dispatch_races import together
from tests.consent import people

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def brand(db: None) -> Brand:
    return Brand.objects.create(key="acme", name="Acme")


def new(brand: Brand | None, kind: str = "cap", **fields: Any) -> PacingPolicy:
    usual: dict[str, Any] = {"most": 2, "span": 1} if kind == "cap" else {"starts": time(22), "ends": time(8)}
    return PacingPolicy(brand=brand, name="Two a day", kind=kind, **usual | fields)


def in_force(brand: Brand, at: datetime) -> list[int]:
    with raw_cursor() as cursor:
        return [one.most for one in standing(cursor, [brand.pk], at) if isinstance(one, Cap)]


def test_a_change_is_a_new_version_and_what_held_then_can_be_read(brand: Brand) -> None:
    made = policies.make(new(brand), None, NOW)
    edited = PacingPolicy.objects.get(pk=made.pk)
    edited.most = 5
    changed = policies.change(edited, None, NOW + HOUR)
    assert (changed.number, changed.policy_id, changed.valid_from) == (2, made.pk, NOW + HOUR)
    first = PacingPolicy.objects.get(pk=made.pk)
    assert (first.most, first.valid_to) == (2, NOW + HOUR)
    assert [in_force(brand, at) for at in (NOW - HOUR, NOW, NOW + HOUR)] == [[], [2], [5]]


def test_what_held_during_a_span_is_read_with_when(brand: Brand) -> None:
    made = policies.make(new(brand), None, NOW)
    made.most = 5
    policies.change(made, None, NOW + HOUR)
    spans = [(since, until) for since, until, _rule in during(brand.pk, NOW, NOW + 2 * HOUR)]
    assert spans == [(NOW, NOW + HOUR), (NOW + HOUR, None)]
    assert len(during(brand.pk, NOW + HOUR, NOW + 2 * HOUR)) == 1


def test_an_old_version_cannot_be_changed_again(brand: Brand) -> None:
    made = policies.make(new(brand), None, NOW)
    stale = PacingPolicy.objects.get(pk=made.pk)
    policies.change(PacingPolicy.objects.get(pk=made.pk), None, NOW + HOUR)
    with pytest.raises(policies.Ended):
        policies.change(stale, None, NOW + HOUR)


def test_a_policy_that_was_ended_holds_no_more(brand: Brand) -> None:
    made = policies.make(new(brand), None, NOW)
    assert policies.end(made.policy_id, NOW + HOUR)
    assert not policies.end(made.policy_id, NOW + HOUR)
    assert [in_force(brand, at) for at in (NOW, NOW + HOUR)] == [[2], []]


def test_a_clock_that_was_set_back_ends_nothing_before_it_began(brand: Brand) -> None:
    made = policies.make(new(brand), None, NOW)
    changed = policies.change(made, None, NOW - HOUR)
    assert changed.valid_from == NOW


@pytest.mark.parametrize(
    ("kind", "fields", "field"),
    [
        ("cap", {"most": None}, "most"),
        ("cap", {"span": None}, "span"),
        ("cap", {"span": 400}, "span"),
        ("quiet", {"starts": None}, "starts"),
        ("quiet", {"ends": None}, "ends"),
        ("quiet", {"ends": time(22)}, "ends"),
        ("window", {"ends": time(22)}, "ends"),
        ("quiet", {"days": "monday"}, "days"),
    ],
)
def test_a_policy_that_says_too_little_or_what_cannot_be_is_refused(
    brand: Brand, kind: str, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        policies.make(new(brand, kind, **fields), None, NOW)
    assert list(refused.value.message_dict) == [field]
    assert not PacingPolicy.objects.exists()


def test_a_purpose_of_another_brand_or_owed_by_law_is_refused(brand: Brand) -> None:
    other = people.make_purpose(Brand.objects.create(key="other", name="Other"))
    law = people.make_purpose(brand, "law", Purpose.Kind.LEGAL)
    for purpose in (other, law):
        with pytest.raises(ValidationError, match="purpose"):
            policies.make(new(brand, purpose=purpose), None, NOW)


def test_hours_that_leave_no_minute_of_the_week_are_refused(brand: Brand) -> None:
    quiet_hours(brand, "22:00", "12:00")
    with pytest.raises(ValidationError, match="nothing could ever be sent"):
        policies.make(new(brand, "quiet", starts=time(12), ends=time(22)), None, NOW)
    policies.make(new(brand, "quiet", starts=time(12), ends=time(21, 59)), None, NOW)


def test_hours_of_another_channel_leave_this_one_alone(brand: Brand) -> None:
    quiet_hours(brand, "22:00", "12:00", channel="sms")
    policies.make(new(brand, "quiet", starts=time(12), ends=time(22), channel="email"), None, NOW)
    assert PacingPolicy.objects.filter(valid_to=None).count() == 2


@pytest.mark.parametrize("order", [1, -1])
def test_hours_of_a_narrower_policy_count_whoever_came_first(brand: Brand, order: int) -> None:
    """All mail in the morning only, and of everything nothing in the morning: for mail that leaves no minute."""
    mail = new(brand, "window", starts=time(8), ends=time(12), channel="email")
    everything = new(brand, "quiet", starts=time(8), ends=time(12))
    first, second = [mail, everything][::order]
    policies.make(first, None, NOW)
    with pytest.raises(ValidationError, match="nothing could ever be sent"):
        policies.make(second, None, NOW)


def test_hours_that_meet_in_some_messages_only_count_for_those(brand: Brand) -> None:
    """All mail in the morning, and news by any channel in the evening: for news by mail that leaves no minute."""
    news = people.make_purpose(brand)
    policies.make(new(brand, "window", starts=time(8), ends=time(12), channel="email"), None, NOW)
    with pytest.raises(ValidationError, match="nothing could ever be sent"):
        policies.make(new(brand, "window", starts=time(18), ends=time(22), purpose=news), None, NOW)
    policies.make(new(brand, "window", starts=time(18), ends=time(22), purpose=news, channel="sms"), None, NOW)


def test_hours_of_the_organisation_are_weighed_with_those_of_every_brand(brand: Brand) -> None:
    policies.make(new(brand, "window", starts=time(8), ends=time(12)), None, NOW)
    with pytest.raises(ValidationError, match="nothing could ever be sent"):
        policies.make(new(None, "quiet", starts=time(8), ends=time(12)), None, NOW)


def test_hours_that_leave_nothing_without_this_policy_do_not_keep_it_from_being_made(brand: Brand) -> None:
    quiet_hours(brand, "22:00", "12:00", channel="sms")
    quiet_hours(brand, "12:00", "22:00", channel="sms")
    policies.make(new(brand, "quiet", starts=time(12), ends=time(22), channel="email"), None, NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_made_at_once_that_leave_no_minute_one_is_refused() -> None:
    brand = Brand.objects.create(key="acme", name="Acme")
    refused: list[ValidationError] = []

    def make(policy: PacingPolicy) -> None:
        try:
            policies.make(policy, None, NOW)
        except ValidationError as error:
            refused.append(error)

    together(
        lambda: make(new(None, "window", starts=time(8), ends=time(12))),
        lambda: make(new(brand, "quiet", starts=time(8), ends=time(12))),
    )
    assert (len(refused), PacingPolicy.objects.count()) == (1, 1)


def test_what_is_of_another_kind_is_not_kept(brand: Brand) -> None:
    made = policies.make(new(brand, starts=time(1), ends=time(2), days="mon"), None, NOW)
    assert (made.starts, made.ends, made.days) == (None, None, "")
    made = policies.make(new(brand, "quiet", most=3, span=9), None, NOW)
    assert (made.most, made.span) == (None, None)
