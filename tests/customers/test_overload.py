"""Too much is said before anything is taken: when the inbox is long, and when a write key calls too often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from customers import keys, load
from customers.models import InboxItem, MessageKey, QuarantinedEvent, ReceivedBody, Source, WriteKey
from tests.customers.hooked import PAID, Sender, interpret, make_hook
from tests.customers.partner_api import api, code_of, event
from tests.customers.segment_door import NOW, Door, track

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    load.forget()
    yield
    load.forget()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock so many seconds after noon."""

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + SECOND * seconds)

    set_clock(0)
    return set_clock


def fill(door: Door, number: int) -> None:
    for n in range(number):
        assert door.post("/v1/track", track(messageId=f"m-{n}", userId=f"u-{n}")).status_code == 200
    load.forget()


def test_a_long_inbox_is_said_by_segments_door(door: Door, settings: Any) -> None:
    settings.INBOX_LIMIT = 2
    fill(door, 3)
    for path, body in (("/v1/track", track(messageId="new")), ("/v1/batch", {"batch": [track(messageId="new")]})):
        answer = door.post(path, body)
        assert (code_of(answer, 503), answer.headers["Retry-After"]) == ("overloaded", "5")
    assert (InboxItem.objects.count(), MessageKey.objects.count()) == (3, 3)
    assert not QuarantinedEvent.objects.exists()


@pytest.mark.parametrize("path", ["events", "events/batch"])
def test_a_long_inbox_is_said_by_our_own_door(door: Door, source: Source, settings: Any, path: str) -> None:
    settings.INBOX_LIMIT = 2
    fill(door, 3)
    body = event(id="new") if path == "events" else {"events": [event(id="new")]}
    answer = api(source).post(path, body)
    assert (code_of(answer, 503), answer.headers["Retry-After"]) == ("overloaded", "5")
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count()) == (3, 0)


def test_a_long_inbox_is_said_by_the_door_of_webhooks(door: Door, source: Source, settings: Any, at: Any) -> None:
    settings.INBOX_LIMIT = 2
    fill(door, 3)
    sender = Sender(make_hook(source))
    answer = sender.post(PAID, "d-1")
    assert (code_of(answer, 503), answer.headers["Retry-After"]) == ("overloaded", "5")
    assert not ReceivedBody.objects.exists()
    InboxItem.objects.all().delete()
    load.forget()
    assert sender.post(PAID, "d-1").json() == {"status": "received"}


def test_bodies_that_wait_to_be_interpreted_close_the_door_of_webhooks_alone(
    door: Door, source: Source, settings: Any, at: Any
) -> None:
    settings.INBOX_LIMIT = 2
    sender = Sender(make_hook(source))
    assert [sender.post(PAID, f"d-{n}").status_code for n in range(3)] == [200] * 3
    load.forget()
    assert code_of(sender.post(PAID, "d-3"), 503) == "overloaded"
    assert ReceivedBody.objects.count() == 3
    assert door.post("/v1/track", track()).status_code == 200
    assert interpret() == 3
    load.forget()
    settings.INBOX_LIMIT = 100
    assert sender.post(PAID, "d-3").status_code == 200


def test_a_key_that_is_gone_a_moment_ago_has_no_calls_left(door: Door, at: Any) -> None:
    WriteKey.objects.update(per_minute=10)
    keys.forget()
    assert door.post("/v1/track", track()).status_code == 200
    WriteKey.objects.all().delete()
    assert code_of(door.post("/v1/track", track(messageId="m-2")), 429) == "rate_limited"
    at(1)
    assert code_of(door.post("/v1/track", track(messageId="m-2")), 401) == "invalid_token"
    assert MessageKey.objects.count() == 1


def test_a_call_that_was_too_much_may_be_repeated_under_its_key(door: Door, source: Source, settings: Any) -> None:
    settings.INBOX_LIMIT = 2
    fill(door, 3)
    partner = api(source)
    key = {"Idempotency-Key": "k"}
    assert code_of(partner.post("events", event(id="new"), **key), 503) == "overloaded"
    InboxItem.objects.all().delete()
    load.forget()
    assert partner.post("events", event(id="new"), **key).json() == {"status": "accepted"}


def test_as_much_as_is_allowed_may_wait(door: Door, settings: Any) -> None:
    settings.INBOX_LIMIT = 3
    fill(door, 3)
    assert door.post("/v1/track", track(messageId="new")).status_code == 200


def test_a_single_old_message_is_not_a_long_inbox(door: Door, settings: Any) -> None:
    settings.INBOX_LIMIT = 3
    fill(door, 9)
    ids = list(InboxItem.objects.order_by("id").values_list("id", flat=True))
    InboxItem.objects.filter(id__in=ids[1:-1]).delete()
    assert door.post("/v1/track", track(messageId="new")).status_code == 200


def test_without_a_limit_nobody_looks(door: Door, settings: Any) -> None:
    settings.INBOX_LIMIT = 0
    fill(door, 5)
    assert door.post("/v1/track", track(messageId="new")).status_code == 200


def test_what_was_read_of_the_inbox_is_believed_for_a_second(door: Door, settings: Any, at: Any) -> None:
    settings.INBOX_LIMIT = 2
    fill(door, 3)
    assert door.post("/v1/track", track(messageId="new")).status_code == 503
    InboxItem.objects.all().delete()
    at(0.9)
    assert door.post("/v1/track", track(messageId="new")).status_code == 503
    at(1)
    assert door.post("/v1/track", track(messageId="new")).status_code == 200


def limit(door: Door, per_minute: int) -> None:
    Source.objects.filter(pk=door.source.pk).update(per_minute=per_minute)
    keys.forget()


def test_a_source_that_calls_too_often_is_told_when_to_come_back(door: Door, at: Any) -> None:
    limit(door, 2)
    assert [door.post("/v1/track", track(messageId=f"m-{n}")).status_code for n in range(2)] == [200, 200]
    at(20)
    answer = door.post("/v1/track", track(messageId="third"))
    assert (code_of(answer, 429), answer.headers["Retry-After"]) == ("rate_limited", "40")
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count()) == (2, 0)
    at(60)
    assert door.post("/v1/track", track(messageId="third")).status_code == 200


def test_a_key_in_the_body_is_counted_as_well(door: Door) -> None:
    limit(door, 1)
    statuses = [
        door.client.post(
            "/v1/track", track(messageId=f"m-{n}", writeKey=door.key), content_type="application/json"
        ).status_code
        for n in range(2)
    ]
    assert statuses == [200, 429]


def test_the_limit_is_the_sources_not_the_keys(door: Door) -> None:
    limit(door, 1)
    other = Door(door.source, keys.issue(door.source)[1])
    assert door.post("/v1/track", track()).status_code == 200
    assert other.post("/v1/track", track(messageId="other")).status_code == 429


def test_without_a_limit_nothing_is_counted(door: Door) -> None:
    door.post("/v1/track", track())
    assert Source.objects.get(pk=door.source.pk).used == 0


@pytest.mark.django_db(transaction=True)
def test_of_sixty_calls_at_once_exactly_ten_pass_a_limit_of_ten(door: Door) -> None:
    limit(door, 10)

    def call(n: int) -> int:
        try:
            return int(Door(door.source, door.key).post("/v1/track", track(messageId=f"m-{n}")).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(call, range(60)))
    assert (statuses.count(200), statuses.count(429)) == (10, 50)
    assert InboxItem.objects.count() == 10
