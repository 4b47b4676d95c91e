"""Many refused messages at once: replayed or discarded by the filter shown, in pieces, by the rights of who asked."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from customers import clock, jobs, quarantine, quarantine_jobs
from customers.jobs import Slice
from customers.models import EventType, InboxItem, Job, MessageKey, QuarantinedEvent, SchemaVersion, Source
from customers.quarantine_jobs import Chosen
from tests.customers.segment_door import NOW, Door, track

OPEN, REPLAYED, DISCARDED = QuarantinedEvent.Status


@pytest.fixture
def root(db: None) -> User:
    made: User = get_user_model().objects.create_superuser("root")
    return made


@pytest.fixture
def refused(door: Door) -> EventType:
    """Five orders that a schema refuses, and one message that names nobody."""
    kind = EventType.objects.create(brand=door.source.brand, name="Order Completed")
    strict = {"type": "object", "properties": {"total": {"type": "string"}}}
    SchemaVersion.objects.create(event_type=kind, number=1, schema=strict, status="approved")
    door.batch(*(track(messageId=f"m-{n}", properties={"total": n}) for n in range(5)), track(userId=None))
    assert QuarantinedEvent.objects.count() == 6
    return kind


def mend_schema(kind: EventType) -> None:
    """A second version takes numbers; half a minute later everybody knows."""
    wide = {"type": "object", "properties": {"total": {"type": ["string", "integer"]}}}
    SchemaVersion.objects.create(
        event_type=kind, number=2, schema=wide, status="approved", follows=kind.versions.get(number=1)
    )


def later(seconds: int = 30) -> datetime:
    return NOW + timedelta(seconds=seconds)


def all_of(**parts: Any) -> Chosen:
    return Chosen(**{"through": 10**12} | parts)


def counted() -> dict[str, int]:
    return {status: QuarantinedEvent.objects.filter(status=status).count() for status in (OPEN, REPLAYED, DISCARDED)}


def work() -> None:
    assert jobs.work_on(later, 20)


def test_what_a_new_version_takes_is_accepted_and_the_rest_says_why_it_stays(refused: EventType, root: User) -> None:
    mend_schema(refused)
    job = quarantine_jobs.ask_to_replay(all_of(), root, NOW)
    work()
    job.refresh_from_db()
    assert (job.state, job.total, job.done) == ("done", 6, 6)
    assert job.report == {"accepted": 5, "stay": {"missing_identifier": 1}}
    assert counted() == {OPEN: 1, REPLAYED: 5, DISCARDED: 0}
    assert sorted(InboxItem.objects.values_list("message_id", flat=True)) == [f"m-{n}" for n in range(5)]
    left = QuarantinedEvent.objects.get(status=OPEN)
    assert (left.last_code, left.tried_at) == ("missing_identifier", later())


def test_replaying_twice_stores_once(refused: EventType, root: User) -> None:
    mend_schema(refused)
    for _time in range(2):
        quarantine_jobs.ask_to_replay(all_of(), root, NOW)
    work()
    ids = list(QuarantinedEvent.objects.values_list("pk", flat=True))
    assert quarantine.replay(ids, later()).replayed == 0
    assert (InboxItem.objects.count(), MessageKey.objects.count()) == (5, 5)


def test_what_was_sent_again_meanwhile_is_stored_once(refused: EventType, door: Door, root: User) -> None:
    mend_schema(refused)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "utcnow", later)
        assert door.batch(track(messageId="m-0", properties={"total": 0}))["accepted"] == 1
    quarantine_jobs.ask_to_replay(all_of(), root, NOW)
    work()
    assert InboxItem.objects.filter(message_id="m-0").count() == 1
    assert counted()[REPLAYED] == 5


def test_only_what_the_filter_shows_is_touched(refused: EventType, door: Door, root: User) -> None:
    other = Source.objects.create(brand=door.source.brand, key="app", name="App")
    assert all_of(source=str(other.pk)).rows(root).count() == 0
    assert all_of(code="missing_identifier").rows(root).count() == 1
    assert all_of(door="native").rows(root).count() == 0
    assert all_of(since=later().isoformat()).rows(root).count() == 0
    assert all_of(term="m-3").rows(root).count() == 1
    # As it was written, without case and edges.
    assert all_of(term=" User-1 ").rows(root).count() == 5
    first = QuarantinedEvent.objects.order_by("pk")[0]
    assert list(all_of(through=first.pk).rows(root)) == [first]


def test_a_job_goes_on_where_it_stopped(refused: EventType, root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_jobs, "_PIECE", 2)
    mend_schema(refused)
    job = quarantine_jobs.ask_to_replay(all_of(), root, NOW)
    claimed = jobs._claim(NOW)
    assert claimed is not None
    turns = iter([True, False])
    monkeypatch.setattr(Slice, "has_time", property(lambda self: next(turns)))
    assert jobs.kinds()[job.kind].work(Slice(claimed, later(), time.monotonic())) is False
    job.refresh_from_db()
    assert (job.total, job.done, counted()[REPLAYED]) == (6, 2, 2)
    monkeypatch.undo()
    monkeypatch.setattr(quarantine_jobs, "_PIECE", 2)
    Job.objects.update(leased_until=None)
    work()
    job.refresh_from_db()
    assert (job.done, job.report["accepted"], counted()[REPLAYED]) == (6, 5, 5)


def test_it_is_done_by_the_rights_of_who_asked(refused: EventType, door: Door) -> None:
    user = get_user_model().objects.create_user("ines", is_staff=True)
    assign_perm("view_brand", user, door.source.brand)
    quarantine_jobs.ask_to_discard(all_of(), QuarantinedEvent.Reason.TEST, user, NOW)
    work()
    assert counted() == {OPEN: 6, REPLAYED: 0, DISCARDED: 0}
    user.user_permissions.add(Permission.objects.get(codename="change_quarantinedevent"))
    # Nor does naming somebody find what is masked.
    user = get_user_model().objects.get(pk=user.pk)
    assert all_of(term="user-1").rows(user).count() == 0
    quarantine_jobs.ask_to_discard(all_of(code="schema_violation"), QuarantinedEvent.Reason.TEST, user, NOW)
    work()
    assert counted() == {OPEN: 1, REPLAYED: 0, DISCARDED: 5}
    assert set(QuarantinedEvent.objects.filter(status=DISCARDED).values_list("reason", "settled_at")) == {
        ("test", later())
    }


def test_an_unknown_filter_is_no_filter_for_a_job(db: None) -> None:
    assert quarantine_jobs.chosen({"pointer": "/x"}, NOW) is None
    assert quarantine_jobs.chosen({"received": "x"}, NOW) is None
    assert quarantine_jobs.chosen({"received": "99999999999"}, NOW) is None
    assert quarantine_jobs.chosen({"received": "2"}, NOW) is None
    assert quarantine_jobs.chosen({"status__exact": "discarded"}, NOW) is None
    asked = {"code": "a", "status__exact": "open", "source__id__exact": "s", "door": "d", "q": "t", "received": "7"}
    since = datetime(2026, 11, 16, 12, 0, tzinfo=UTC).isoformat()
    assert quarantine_jobs.chosen(asked, NOW) == Chosen("a", "s", "d", since, "t", 0)


def test_the_list_counts_by_source_and_hands_all_it_shows_to_a_job(refused: EventType, root: User) -> None:
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    listed = reverse("admin:customers_quarantinedevent_changelist")
    waiting = client.get(listed).context["waiting"]
    assert [(one["code"], one["count"]) for one, _link in waiting] == [
        ("schema_violation", 5),
        ("missing_identifier", 1),
    ]
    assert client.get(waiting[0][1]).context["cl"].result_count == 5
    assert client.get(listed, {"q": "user-1"}).context["cl"].result_count == 5
    assert client.get(listed, {"received": "1"}).status_code == 200
    first = QuarantinedEvent.objects.order_by("pk")[0]
    chosen = {"action": "discard_stale", "_selected_action": [first.pk], "select_across": "1"}
    answer = client.post(f"{listed}?code=schema_violation", chosen)
    [told] = [str(message) for message in get_messages(answer.wsgi_request)]
    job = Job.objects.get()
    assert str(job.pk) in told
    assert (job.kind, job.arguments["reason"], job.arguments["code"]) == (
        "quarantine_discard",
        "stale",
        "schema_violation",
    )
    work()
    assert counted() == {OPEN: 1, REPLAYED: 0, DISCARDED: 5}
