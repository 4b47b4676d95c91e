"""A small history, lived through for real: the same from the same seed, and every number adds up."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from pytest_django import DjangoDbBlocker

from analytics.home.attention import Kind, attention
from analytics.journey_numbers import journey_numbers
from channels.models import Message
from config.demo import company, history, segments
from config.demo.brands import BRANDS
from config.demo.size import Size
from config.loop.quiet import waiting
from consent.models import ConsentChain, ConsentEntry
from consent.verify.consents import first_broken
from customers import keys
from customers.accept import schemas
from customers.models import (
    Brand,
    Customer,
    DeadLetter,
    DuplicatePair,
    Event,
    Hook,
    MessageKey,
    QuarantinedEvent,
    ReceivedBody,
    Segment,
)
from customers.segments.stage import refresh_segments
from journeys.models import EntryRefusal, Journey, JourneyMap, Run

END = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SMALL = Size(people=25, days=12, live_days=8)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_believed() -> Any:
    yield
    keys.forget()
    schemas.forget()


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[history.History]:
    """It takes seconds to live through, and those who look at it change nothing that stays."""
    with django_db_blocker.unblock():
        yield history.make(END, SMALL)
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


@pytest.fixture
def told(lived: history.History, db: None) -> history.History:
    return lived


def picture() -> dict[str, Counter[Any]]:
    """What came of it, without the ids, which are made anew each time."""
    return {
        "events": Counter(Event.objects.values_list("name", "occurred_at", "received_at")),
        "runs": Counter(Run.objects.values_list("journey__key", "journey__brand__key", "status", "entry_key")),
        # By step: which of two letters somebody gets is drawn by a journey's id.
        "messages": Counter(Message.objects.values_list("step_id", "state", "reason")),
        "refusals": Counter(EntryRefusal.objects.values_list("reason", "at")),
        "consent": Counter(ConsentEntry.objects.values_list("state", "method", "effective_at")),
        "quarantine": Counter(QuarantinedEvent.objects.values_list("code", "received_at")),
    }


def test_every_number_adds_up(told: history.History) -> None:
    assert set(Brand.objects.values_list("key", flat=True)) == {plan.key for plan in BRANDS}
    assert MessageKey.objects.count() == told.accepted
    # The damaged row is accepted and never becomes an event; what journeys told of themselves came by no door.
    assert Event.objects.exclude(source__key="trilha").count() == told.accepted - 1
    assert set(Event.objects.filter(source__key="trilha").values_list("name", flat=True)) == {"journey.called"}
    assert DeadLetter.objects.values_list("queue", flat=True).get() == "inbox"
    assert QuarantinedEvent.objects.count() >= told.refused > 0
    # What is of today begins once the history is told.
    today = Journey.objects.filter(key__in=company.LATER)
    assert set(today.values_list("status", flat=True)) == {Journey.Status.DRAFT}
    for journey in Journey.objects.exclude(key__in=company.LATER):
        assert journey.status == Journey.Status.LIVE
        for one in journey_numbers(journey.pk).sums:
            assert one.total == sum(part.count for part in one.parts), (journey.key, one.label)
    assert Run.objects.exists()
    assert Message.objects.filter(state="sent").exists()
    assert set(waiting()) <= {"live runs", "messages in hand"}


def test_nobody_is_written_to_without_permission(told: history.History) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM channels_message m JOIN consent_purpose u ON u.id = m.purpose_id"
            " WHERE m.state = 'sent' AND u.kind = 'marketing' AND m.send_consent_id IS NULL"
        )
        assert cursor.fetchone() == (0,)
    chains = list(ConsentChain.objects.values_list("address_id", flat=True))
    assert chains
    assert [first_broken(address) for address in chains] == [None] * len(chains)


def test_people_stand_on_the_map_and_at_the_counter(told: history.History) -> None:
    assert JourneyMap.objects.count() == len(BRANDS)
    merged = Customer.objects.filter(profiles__identifier__kind_id="anonymous_id").filter(
        profiles__identifier__kind_id="user_id"
    )
    assert merged.exists()


def test_what_the_payment_provider_reports_is_there_in_every_way(told: history.History) -> None:
    assert Hook.objects.count() == len(BRANDS)
    came_to = Counter(ReceivedBody.objects.values_list("status", "reason"))
    assert set(came_to) == {
        ("done", ""),
        ("unhandled", "unhandled"),
        ("failed", "mapping_failed"),
        ("failed", "invalid_json"),
    }
    assert ReceivedBody.objects.filter(repeats=1).exists()
    assert all(hook.bad_signatures for hook in Hook.objects.all())
    assert set(QuarantinedEvent.objects.filter(door="hook").values_list("code", flat=True)) == {"blocked_identifier"}
    assert set(Event.objects.filter(source__key="payments").values_list("name", "unplanned")) >= {
        ("charge.settled", True)
    }


def test_segments_have_a_size_for_each_day_and_the_panel_its_people(told: history.History) -> None:
    rules = Segment.objects.filter(is_static=False)
    assert set(rules.values_list("key", "state")) == {(one.key, "live") for one in segments.WANTED}
    assert {count for (count,) in rules.annotate(days=Count("sizes")).values_list("days")} == {SMALL.live_days + 1}
    assert rules.get(key="buyers", brand__key=BRANDS[0].key).size
    assert Segment.objects.get(key=segments.PANEL, brand__key=BRANDS[0].key).size
    assert refresh_segments(END) == 0


def test_second_accounts_wait_for_somebody_to_decide(told: history.History) -> None:
    pairs = DuplicatePair.objects.filter(state="open")
    assert pairs.exists()
    for pair in pairs:
        names = {
            tuple(Customer.objects.get(profiles=profile).traits[name] for name in ("first_name", "last_name"))
            for profile in (pair.low_id, pair.high_id)
        }
        assert len(names) == 1
        assert 0.9 <= pair.probability < 1


def test_a_source_has_gone_silent_and_the_first_page_says_so(told: history.History, monkeypatch: Any) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: END)
    root = get_user_model().objects.create_superuser("root")
    alerts = [str(one.source) for one in attention(root, END) if one.kind is Kind.SOURCE_SILENT]
    assert alerts == [f"{BRANDS[0].name} – Market stalls"]


def test_nothing_happens_before_it_is_heard_of(told: history.History) -> None:
    heard_of = Event.objects.exclude(source__key="trilha")
    for occurred_at, received_at in heard_of.values_list("occurred_at", "received_at"):
        assert timedelta(0) < received_at - occurred_at < timedelta(minutes=5)
        assert received_at <= END


def test_brands_that_are_there_are_left_alone(told: history.History) -> None:
    before = picture()
    with pytest.raises(ValueError, match="brands already"):
        history.make(END, SMALL)
    assert picture() == before
