"""How many calls may begin: by a rate, by a quota, by money."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.care.allowance import Bucket, allowed, filled, is_limited, most_a_day, spent
from channels.models import Connector

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def take(connector: Connector, bucket: Bucket, now: datetime, wanted: int) -> tuple[int, Bucket]:
    bucket = filled(bucket, connector, SAO_PAULO, now)
    count = allowed(bucket, connector, SAO_PAULO, now, wanted).count
    return count, Bucket(bucket.tokens - count, bucket.at, bucket.day, bucket.begun + count)


def test_without_limits_everything_may() -> None:
    assert not is_limited(Connector())
    assert take(Connector(), Bucket(), NOW, 100)[0] == 100


def test_a_rate_lets_a_second_s_worth_begin_at_once_and_then_steadily() -> None:
    connector = Connector(most_per_second=10)
    count, bucket = take(connector, Bucket(), NOW, 100)
    assert count == 10
    assert take(connector, bucket, NOW, 100)[0] == 0
    assert take(connector, bucket, NOW + timedelta(milliseconds=300), 100)[0] == 3


def test_a_rate_below_one_lets_one_begin_now_and_then() -> None:
    connector = Connector(most_per_second=0.1)
    count, bucket = take(connector, Bucket(), NOW, 5)
    assert count == 1
    answer = allowed(filled(bucket, connector, SAO_PAULO, NOW), connector, SAO_PAULO, NOW, 5)
    assert (answer.count, answer.next_at) == (0, NOW + timedelta(seconds=10))
    assert take(connector, bucket, NOW + timedelta(seconds=10), 5)[0] == 1


def test_a_clock_that_steps_back_fills_nothing() -> None:
    connector = Connector(most_per_second=10)
    _count, bucket = take(connector, Bucket(), NOW, 100)
    assert take(connector, bucket, NOW - timedelta(minutes=5), 100)[0] == 0


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 50)), max_size=40), st.floats(0.5, 20))
def test_no_stretch_of_time_has_more_than_its_rate_and_one_second_s_worth(
    asked: list[tuple[float, int]], rate: float
) -> None:
    connector = Connector(most_per_second=rate)
    bucket, now, begun = Bucket(), NOW, 0
    for pause, wanted in asked:
        now += timedelta(seconds=pause)
        count, bucket = take(connector, bucket, now, wanted)
        begun += count
    assert begun <= max(1.0, rate) + (now - NOW).total_seconds() * rate + 1e-3


def test_a_quota_is_one_of_the_brand_s_days() -> None:
    connector = Connector(most_per_day=3)
    late = datetime(2026, 3, 3, 2, 59, tzinfo=UTC)
    count, bucket = take(connector, Bucket(), late, 5)
    assert (count, bucket.day) == (3, date(2026, 3, 2))
    answer = allowed(bucket, connector, SAO_PAULO, late, 5)
    assert (answer.count, answer.next_at, answer.by_day) == (0, datetime(2026, 3, 3, 3, tzinfo=UTC), True)
    assert take(connector, bucket, late + timedelta(minutes=1), 5)[0] == 3


@pytest.mark.parametrize(
    ("quota", "money", "price", "most"),
    [(None, None, None, None), (7, None, None, 7), (None, 500, 250, 2_000), (7, 500, 250, 7), (None, 500, None, None)],
)
def test_money_is_a_quota_by_another_name(
    quota: int | None, money: int | None, price: int | None, most: int | None
) -> None:
    connector = Connector(most_per_day=quota, spend_per_day=money, price_per_thousand=price)
    assert most_a_day(connector) == most


def test_what_is_spent_is_never_told_too_low() -> None:
    assert [spent(Connector(price_per_thousand=790), n) for n in (0, 1, 1_000)] == [0, 1, 790]
