"""A source's health: each number by its definition, and the alerts that follow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from analytics.home.attention import Kind, attention
from analytics.metrics.event_quality import EventQuality, PropertyQuality, quality
from analytics.metrics.reject_rate import RejectRate, reject_rate
from analytics.metrics.source_latency import latency
from analytics.metrics.source_silence import silence, usual_pause
from analytics.metrics.source_tallies import Counted
from analytics.source_health import source_health, troubles
from customers import belief, clock, keys, tally
from customers.accept import schemas
from customers.ids import NIL
from customers.models import Brand, EventType, Outcome, SchemaVersion, Source, WriteKey
from customers.resolve import resolve_inbox
from tests.customers.segment_door import Door, track

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_believed() -> Iterator[None]:
    yield
    keys.forget()
    schemas.forget()
    belief.forget_all()


@pytest.fixture
def source(db: None) -> Source:
    brand = Brand.objects.create(key="acme", name="Acme", zone="America/Sao_Paulo")
    return Source.objects.create(brand=brand, key="shop", name="Shop")


@pytest.fixture
def root(db: None) -> User:
    made: User = get_user_model().objects.create_superuser("root")
    return made


def sent(source: Source, at: datetime, count: int = 1, outcome: Outcome = Outcome.ACCEPTED, name: str = "Seen") -> None:
    tally.note(source.pk, outcome, [name] * count, at, "wrong_type" if outcome is Outcome.REFUSED else "")


def counted(outcome: Outcome, count: int, code: str = "") -> Counted:
    return Counted(NIL, NOW, outcome.value, code, "", count, NOW)


def test_the_reject_rate_is_of_all_that_came() -> None:
    rate = reject_rate(
        (
            counted(Outcome.ACCEPTED, 70),
            counted(Outcome.DUPLICATE, 20),
            counted(Outcome.REFUSED, 10),
            counted(Outcome.WAIT, 500, "100"),
        )
    )
    assert (rate, rate.total, rate.percent) == (RejectRate(70, 20, 10), 100, 10.0)
    assert (rate.is_above(9), rate.is_above(10), rate.is_above(None)) == (True, False, False)
    assert reject_rate([]).percent is None
    # Of few, a share says little.
    assert not RejectRate(0, 0, 19).is_above(5)


def test_latency_is_the_limit_that_so_many_kept_within() -> None:
    times = [counted(Outcome.WAIT, 94, "100"), counted(Outcome.WAIT, 6, "2000"), counted(Outcome.DELAY, 3, "over")]
    waited = latency(times, Outcome.WAIT)
    assert (waited.messages, waited.half, waited.most) == (100, timedelta(seconds=0.1), timedelta(seconds=2))
    late = latency(times, Outcome.DELAY)
    assert (late.messages, late.half, late.most) == (3, None, None)


def days_of(hours: range, days: int = 10) -> list[datetime]:
    """Messages in these hours of each of the last days, the present one included."""
    midnight = NOW.replace(hour=0)
    return sorted(
        at for day in range(days) for hour in hours if (at := midnight - day * DAY + hour * HOUR) <= NOW - HOUR
    )


def test_the_usual_pause_is_the_night() -> None:
    assert usual_pause(days_of(range(8, 20))) == timedelta(hours=13)
    assert usual_pause(days_of(range(24))) == HOUR


def test_one_long_pause_in_ten_days_is_not_usual() -> None:
    hours = [at for at in days_of(range(24), 12) if not NOW - 5 * DAY < at < NOW - 4 * DAY]
    assert usual_pause(hours) == HOUR


@pytest.mark.parametrize(
    ("last", "silent_after", "is_silent"),
    [
        (NOW - 90 * timedelta(minutes=1), None, False),
        (NOW - 91 * timedelta(minutes=1), None, True),
        (NOW - 91 * timedelta(minutes=1), 2, False),
        (NOW - 121 * timedelta(minutes=1), 2, True),
        (None, None, False),
        (None, 2, True),
    ],
)
def test_a_source_is_silent_when_quiet_for_longer_than_usual(
    last: datetime | None, silent_after: int | None, is_silent: bool
) -> None:
    hours = days_of(range(24)) if last else []
    assert silence(hours, last, NOW, silent_after).is_silent is is_silent


def test_too_little_known_says_nothing() -> None:
    assert silence([NOW - 40 * HOUR, NOW - 39 * HOUR], NOW - 39 * HOUR, NOW).is_silent is False


@given(st.lists(st.integers(0, 27 * 24), min_size=1, unique=True))
def test_a_pause_that_is_no_longer_than_any_before_is_never_silence(places: list[int]) -> None:
    hours = sorted(NOW - place * HOUR for place in places)
    pauses = [after - before for before, after in pairwise(hours)]
    found = silence(hours, hours[-1], hours[-1] + min(pauses, default=HOUR))
    assert found.is_silent is False


def test_quality_names_what_is_missing_of_another_type_and_far_out() -> None:
    sample: list[dict[str, Any]] = [{"total": 100 + n, "sku": "a", "note": "x"} for n in range(8)]
    sample += [{"total": 100 + n, "sku": "a"} for n in range(30)]
    sample += [{"total": 10_000, "sku": 5}, {"total": None}]
    assert quality(sample, ["currency"]) == EventQuality(
        40,
        (
            PropertyQuality("currency", 40, 0, 0),
            PropertyQuality("sku", 1, 1, 0),
            PropertyQuality("total", 1, 0, 1),
        ),
    )


def test_a_name_that_is_data_is_not_shown() -> None:
    found = quality([{"ana@example.com": 1}] * 9 + [{}])
    assert [one.name for one in found.properties] == ["•••"]


def test_the_health_of_a_source_adds_up(source: Source) -> None:
    sent(source, NOW - 2 * DAY, 5)
    sent(source, NOW - HOUR, 3, Outcome.REFUSED)
    tally.fold_all()
    # What is folded and what is not are one number.
    sent(source, NOW - HOUR, 2)
    health = source_health(source, 7, NOW)
    assert health.rate == RejectRate(7, 0, 3)
    assert health.refusals == (("wrong_type", 3),)
    assert [(bar.begin.date().day, bar.rate.total) for bar in health.bars] == [(21, 5), (23, 5)]
    assert [(one.name, one.rate) for one in health.names] == [("Seen", RejectRate(7, 0, 3))]
    assert source_health(source, 1, NOW).rate == RejectRate(2, 0, 3)
    assert health.silence.last_at == NOW - HOUR


def test_days_are_the_brand_s(source: Source) -> None:
    # Nine in the evening in São Paulo.
    sent(source, datetime(2026, 11, 22, 0, 30, tzinfo=UTC))
    [bar] = source_health(source, 7, NOW).bars
    assert bar.begin.isoformat() == "2026-11-21T00:00:00-03:00"


def test_quality_is_read_from_what_was_accepted(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utcnow", lambda: NOW)
    type_ = EventType.objects.create(brand=source.brand, name="Order Completed")
    door = Door(source, keys.issue(source)[1])
    door.batch(*(track(messageId=f"m-{n}", properties={"total": n, "currency": "BRL"}) for n in range(9)))
    door.batch(track(messageId="m-9", properties={"total": "9"}))
    resolve_inbox(NOW)
    SchemaVersion.objects.create(event_type=type_, number=1, schema={"required": ["order_id"]}, status="approved")
    [order] = source_health(source, 1, NOW).names
    assert order.quality == EventQuality(
        10,
        (
            PropertyQuality("currency", 1, 0, 0),
            PropertyQuality("order_id", 10, 0, 0),
            PropertyQuality("total", 0, 1, 0),
        ),
    )


def test_a_source_that_falls_silent_and_one_that_refuses_much_are_told_of(source: Source, root: User) -> None:
    for day in range(1, 6):
        for hour in range(24):
            sent(source, NOW - day * DAY - hour * HOUR)
    other = Source.objects.create(brand=source.brand, key="app", name="App")
    sent(other, NOW, 60)
    assert [(one.kind, one.source) for one in attention(root, NOW)] == [(Kind.SOURCE_SILENT, source)]
    sent(other, NOW, 4, Outcome.REFUSED)
    [rejects, silent] = attention(root, NOW)
    assert (silent.since, rejects.kind, rejects.source) == (NOW - DAY, Kind.SOURCE_REJECTS, other)
    assert rejects.percent == pytest.approx(100 * 4 / 64)
    Source.objects.filter(pk=other.pk).update(rejects_above=None)
    Source.objects.filter(pk=source.pk).update(is_active=False)
    assert attention(root, NOW) == []


def test_nobody_hears_of_sources_of_brands_they_do_not_see(source: Source) -> None:
    Source.objects.update(silent_after=1)
    source.refresh_from_db()
    assert [one.source for one in troubles([source], NOW)] == [source]
    assert attention(get_user_model().objects.create_user("stranger"), NOW) == []


def test_a_key_in_use_that_is_about_to_end_is_told_of(source: Source, root: User) -> None:
    key, _text = keys.issue(source)
    WriteKey.objects.update(expires_at=NOW + 7 * DAY, last_used_at=NOW - HOUR)
    [found] = attention(root, NOW)
    assert (found.kind, found.key, found.since) == (Kind.KEY_ENDS, key, NOW + 7 * DAY)
    for harmless in ({"expires_at": NOW + 8 * DAY}, {"last_used_at": None}, {"revoked_at": NOW}):
        WriteKey.objects.update(**{"expires_at": NOW + DAY, "last_used_at": NOW, "revoked_at": None} | harmless)
        assert attention(root, NOW) == []


def test_the_page_and_the_first_page_tell_it(source: Source, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utcnow", lambda: NOW)
    sent(source, NOW, 60)
    sent(source, NOW, 40, Outcome.REFUSED)
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:customers_source_health", args=[source.pk])
    shown = client.get(page, {"days": "28"}).content.decode()
    assert all(text in shown for text in ("40.0 %", "above 5 %", "wrong_type"))
    assert f'href="{page}"' in client.get(reverse("admin:customers_source_changelist")).content.decode()
    home = client.get(reverse("admin:index")).content.decode()
    assert "Of what Shop sent in the last day, 40.0 % was refused." in home
