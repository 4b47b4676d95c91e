"""What is kept no longer goes, in slices, and leaves its count; what is needed stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from analytics.home.attention import Kind, attention
from channels.models import Message, MessageContent
from customers import clock, jobs, keys, sql
from customers.ids import new_id
from customers.models import (
    Brand,
    Event,
    EventPayload,
    Hook,
    InboxItem,
    Job,
    MessageKey,
    Profile,
    QuarantinedEvent,
    ReceivedBody,
    RetentionRecord,
    RetentionRule,
    Source,
    Trait,
    TraitDefinition,
)
from customers.retention import apply
from customers.retention.months import missing, months, running_out
from customers.retention.plan import Going, plan
from journeys.models import Run
from tests.channels.world import World, make_world
from tests.config.one_of_each import make_one_of_each

NOW = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def source(world: World) -> Source:
    return Source.objects.create(brand=world.brand, key="shop", name="Shop")


@pytest.fixture(autouse=True)
def _nothing_believed() -> Iterator[None]:
    yield
    keys.forget()


def refuse(source: Source, age: timedelta, **fields: Any) -> QuarantinedEvent:
    values = {"door": "segment", "code": "wrong_type", "raw": "{}", "received_at": NOW - age} | fields
    return QuarantinedEvent.objects.create(source=source, **values)


def run_at(now: datetime = NOW) -> Job:
    job = apply.ask(now)
    assert jobs.work_on(lambda: now, 20)
    job.refresh_from_db()
    assert job.state == "done", job.reason
    return job


def of(key: str, now: datetime = NOW) -> list[Going]:
    return [going for going in plan(now) if going.share.kind.key == key]


def records() -> list[tuple[str, str, int]]:
    return list(RetentionRecord.objects.order_by("pk").values_list("kind", "partition", "rows"))


def test_the_dry_run_says_exactly_what_goes_and_takes_nothing(source: Source) -> None:
    refuse(source, 181 * DAY)
    refuse(source, 200 * DAY)
    refuse(source, 179 * DAY)
    refuse(source, 300 * DAY, status="discarded", settled_at=NOW - 29 * DAY)
    [waiting] = of("quarantine_open")
    assert (waiting.rows, waiting.oldest, waiting.newest) == (2, NOW - 200 * DAY, NOW - 181 * DAY)
    assert of("quarantine_settled")[0].rows == 0
    told = StringIO()
    call_command("retention", "--dry-run", stdout=told, stderr=StringIO())
    assert "quarantine_open" in told.getvalue()
    assert (QuarantinedEvent.objects.count(), Job.objects.count(), RetentionRecord.objects.count()) == (4, 0, 0)


def test_what_the_dry_run_named_goes_and_leaves_its_count(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_PAGES", 1)
    for number in range(90):
        refuse(source, (100 + number) * DAY, raw="x" * 2_000)
    [wanted] = of("quarantine_open")
    job = run_at()
    assert QuarantinedEvent.objects.count() == 90 - wanted.rows == 81
    record = RetentionRecord.objects.get(kind="quarantine_open")
    assert (record.rows, record.oldest, record.newest, record.cutoff) == (
        9,
        wanted.oldest,
        wanted.newest,
        NOW - 180 * DAY,
    )
    assert (record.job_id, job.report) == (job.pk, {"taken": {"quarantine_open": 9}})
    assert run_at().report == {}


def test_a_brand_may_keep_its_own_for_another_time(source: Source) -> None:
    other = Brand.objects.create(key="other", name="Other")
    theirs = refuse(Source.objects.create(brand=other, key="shop", name="Shop"), 100 * DAY)
    ours = refuse(source, 100 * DAY)
    RetentionRule.objects.create(kind="quarantine_open", brand=other, days=50)
    assert [(one.share.brand_id, one.rows) for one in of("quarantine_open")] == [(None, 0), (other.pk, 1)]
    run_at()
    assert list(QuarantinedEvent.objects.all()) == [ours]
    RetentionRule.objects.create(kind="quarantine_open", days=70)
    RetentionRule.objects.filter(brand=other).update(days=1_000)
    theirs.save(force_insert=True)
    run_at()
    assert list(QuarantinedEvent.objects.all()) == [theirs]


def test_keys_of_messages_are_kept_as_long_as_events(world: World) -> None:
    for age in (399, 401, 900):
        MessageKey.objects.create(key=new_id(), fingerprint=new_id(), received_at=NOW - age * DAY)
    RetentionRule.objects.create(kind="message_keys", days=10)
    assert of("message_keys")[0].share.days == 400
    RetentionRule.objects.create(kind="events", days=800)
    run_at()
    assert MessageKey.objects.count() == 2


def test_keys_of_messages_outlive_events_that_are_kept_for_what_they_tell(db: None) -> None:
    RetentionRule.objects.create(kind="event_payloads", days=1_000)
    assert [of(kind)[0].share.days for kind in ("event_payloads", "events", "message_keys")] == [1_000] * 3


# --- Months ---------------------------------------------------------------------------------------------------------


def event(source: Source, number: int, at: datetime) -> None:
    profile = Profile.objects.first()
    assert profile is not None
    Event.objects.create(
        id=number, brand=source.brand, source=source, profile=profile, kind="track", name="Seen",
        message_id=f"m-{number}", received_at=at, occurred_at=at,
    )  # fmt: skip
    EventPayload.objects.create(event_id=number, received_at=at, payload={})


@pytest.fixture
def year(world: World, source: Source) -> Source:
    """A month each side of a year's end, with an event in every month."""
    world.person("ana@example.com")
    sql.ensure_partitions(datetime(2025, 12, 5, tzinfo=UTC), ahead=2)
    for number, month in enumerate((datetime(2025, 11, 30, 23, 59, 59, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC),
                                    datetime(2026, 1, 1, tzinfo=UTC))):  # fmt: skip
        event(source, number, month)
    return source


def names() -> list[str]:
    return [one.name for one in months("customers_event")]


def test_a_month_goes_whole_when_all_of_it_is_older(year: Source) -> None:
    # 400 days before noon of the fifth of January 2027 is the first of December 2025.
    now = datetime(2027, 1, 5, 12, 0, tzinfo=UTC)
    [payloads] = of("event_payloads", now)
    assert (payloads.partition, payloads.rows) == ("customers_eventpayload_2025_11", 1)
    run_at(now)
    assert sorted(Event.objects.values_list("pk", flat=True)) == [1, 2]
    assert sorted(EventPayload.objects.values_list("pk", flat=True)) == [1, 2]
    assert names()[0] == "customers_event_2025_12"
    assert records() == [
        ("event_payloads", "customers_eventpayload_2025_11", 1),
        ("events", "customers_event_2025_11", 1),
    ]


def test_a_month_is_not_over_before_its_end(year: Source) -> None:
    run_at(datetime(2027, 1, 4, 23, 59, tzinfo=UTC))
    assert (names()[0], records()) == ("customers_event_2025_11", [])


def test_payloads_may_go_before_events_and_never_after(year: Source) -> None:
    RetentionRule.objects.create(kind="event_payloads", days=30)
    run_at(datetime(2026, 2, 10, tzinfo=UTC))
    assert (Event.objects.count(), EventPayload.objects.count()) == (3, 1)
    RetentionRule.objects.filter(kind="event_payloads").update(days=5_000)
    RetentionRule.objects.create(kind="events", days=30)
    assert [one.rows for one in of("events")] == [0]


def test_what_waits_to_be_resolved_holds_its_month(year: Source) -> None:
    times = {"received_at": datetime(2025, 11, 20, tzinfo=UTC), "occurred_at": NOW}
    InboxItem.objects.create(
        source=year, identifiers="[]", identifier_keys=[], payload="{}", kind="track", name="x", message_id="m", **times
    )
    [events] = of("events", NOW + 365 * DAY)
    assert (events.rows, events.partition, events.held_since) == (0, "", times["received_at"])
    run_at(NOW + 365 * DAY)
    assert Event.objects.count() == 3


@pytest.mark.django_db
def test_a_live_run_holds_what_it_looks_back_into() -> None:
    make_one_of_each()
    source = Source.objects.all()[0]
    InboxItem.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_match_queue")
    sql.ensure_partitions(datetime(2025, 12, 5, tzinfo=UTC), ahead=2)
    event(source, 100, datetime(2025, 11, 15, tzinfo=UTC))
    Run.objects.update(status=Run.Status.ACTIVE, entered_at=datetime(2025, 11, 20, tzinfo=UTC))
    run_at(NOW + 365 * DAY)
    assert Event.objects.filter(pk=100).exists()
    # When it has ended, nobody needs them.
    Run.objects.update(status=Run.Status.COMPLETED, ended_at=NOW)
    run_at(NOW + 365 * DAY)
    assert not Event.objects.filter(pk=100).exists()


def test_facts_still_refuse_to_be_deleted_one_by_one(year: Source) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.filter(pk=1).delete()


def test_partitions_are_ready_across_a_year_s_end_and_their_lack_is_told(world: World) -> None:
    december = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert missing(december) == ["customers_event", "customers_eventpayload"]
    # A new installation has none yet; whoever had some and has none ahead is told.
    assert running_out(december) == []
    sql.ensure_partitions(december, ahead=1)
    assert names() == ["customers_event_2026_11", "customers_event_2026_12", "customers_event_2027_01"]
    assert [(one.begin, one.end) for one in months("customers_event")][1:] == [
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)),
    ]
    assert missing(december) == []
    root = get_user_model().objects.create_superuser("root")
    assert Kind.PARTITIONS not in [one.kind for one in attention(root, december)]
    told = [one for one in attention(root, december + 2 * DAY) if one.kind is Kind.PARTITIONS]
    assert [one.count.value for one in told] == [2]


# --- Rows -----------------------------------------------------------------------------------------------------------


def said(name: str, number: int, age: int, value: Any) -> None:
    profile = Profile.objects.first()
    assert profile is not None
    at = NOW - age * DAY
    Trait.objects.create(profile=profile, name=name, value=value, valid_from=at, recorded_at=at, event_id=number)


def test_a_former_value_goes_and_the_one_that_counts_stays(world: World) -> None:
    world.person("ana@example.com")
    Trait.objects.all().delete()
    TraitDefinition.objects.create(name="first_plan", winner="first")
    TraitDefinition.objects.create(name="age", type="number")
    for name in ("plan", "first_plan"):
        for number, age in enumerate((900, 800, 100)):
            said(name, number, age, number)
    said("age", 1, 900, 30)
    # It came later and never wins, being no number.
    said("age", 2, 800, "thirty")
    run_at()
    kept = Trait.objects.order_by("name", "valid_from").values_list("name", "value")
    assert list(kept) == [("age", 30), ("age", "thirty"), ("first_plan", 0), ("first_plan", 1), ("first_plan", 2),
                          ("plan", 1), ("plan", 2)]  # fmt: skip


@pytest.mark.django_db
def test_the_words_of_a_message_go_and_the_message_stays() -> None:
    make_one_of_each()
    assert MessageContent.objects.exists()
    Message.objects.update(state=Message.State.UNKNOWN, settled_at=NOW - 91 * DAY)
    run_at()
    # Nobody knows whether it was sent.
    assert MessageContent.objects.exists()
    messages = Message.objects.count()
    Message.objects.update(state=Message.State.SENT)
    run_at(NOW + timedelta(seconds=1))
    assert (MessageContent.objects.count(), Message.objects.count()) == (0, messages)


def test_jobs_that_are_over_go_and_others_stay(world: World) -> None:
    for age in (91, 89, None):
        ended_at = None if age is None else NOW - age * DAY
        Job.objects.create(kind="x", created_at=NOW - 200 * DAY, ended_at=ended_at, state="done" if age else "failed")
    run_at()
    # And the one that took it.
    assert Job.objects.filter(kind="x").count() == 2


# --- The page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(db: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(clock, "utcnow", lambda: NOW)
    client = Client()
    person = get_user_model().objects.create_superuser("root")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_shows_durations_counts_on_demand_and_has_it_taken(root: Client, source: Source) -> None:
    refuse(source, 181 * DAY)
    page = reverse("admin:customers_retentionrule_overview")
    assert root.get(page).context["is_counted"] is False
    shown = root.get(page, {"count": "1"})
    assert shown.context["rows"] == 1
    assert "Have it taken away" in shown.content.decode()
    answer = root.post(page)
    assert answer.headers["Location"] == reverse("admin:customers_job_change", args=[Job.objects.get().pk])
    assert QuarantinedEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "of_brand", "days", "field"),
    [("message_keys", False, 30, "days"), ("events", True, 500, "brand"), ("made_up", False, 5, "kind"),
     ("events", False, 0, "days")],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(
    root: Client, source: Source, kind: str, of_brand: bool, days: int, field: str
) -> None:
    brand = source.brand_id if of_brand else ""
    answer = root.post(reverse("admin:customers_retentionrule_add"), {"kind": kind, "brand": brand, "days": days})
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not RetentionRule.objects.exists()


# --- Bodies of webhooks ---------------------------------------------------------------------------------------------


def receive(hook: Hook, age: timedelta, status: str = "done") -> ReceivedBody:
    return ReceivedBody.objects.create(
        hook=hook, received_at=NOW - age, key=new_id(), digest=new_id(), content_type="application/json",
        body=b'{"email": "ana@example.com"}', status=status,
    )  # fmt: skip


def test_bodies_of_webhooks_go_when_they_are_interpreted_and_old(source: Source) -> None:
    hook = Hook.objects.create(source=source, name="Payments")
    for status in ("done", "unhandled", "failed", "waiting"):
        receive(hook, 91 * DAY, status)
    young = receive(hook, 89 * DAY)
    [going] = of("webhook_bodies")
    assert (going.rows, going.share.days, going.oldest) == (3, 90, NOW - 91 * DAY)
    assert ReceivedBody.objects.count() == 5
    job = run_at()
    assert job.report == {"taken": {"webhook_bodies": 3}}
    assert set(ReceivedBody.objects.values_list("pk", "status")) == {
        (young.pk, "done"),
        (ReceivedBody.objects.get(status="waiting").pk, "waiting"),
    }
    assert records() == [("webhook_bodies", "", 3)]


def test_a_brand_may_keep_the_bodies_of_its_webhooks_for_another_time(source: Source) -> None:
    other = Brand.objects.create(key="other", name="Other")
    theirs = Hook.objects.create(source=Source.objects.create(brand=other, key="shop", name="Shop"), name="Theirs")
    receive(theirs, 10 * DAY)
    kept = receive(Hook.objects.create(source=source, name="Ours"), 10 * DAY)
    RetentionRule.objects.create(kind="webhook_bodies", brand=other, days=7)
    run_at()
    assert list(ReceivedBody.objects.all()) == [kept]
