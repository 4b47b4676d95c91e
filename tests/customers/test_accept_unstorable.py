"""What the database cannot hold is found, refused and kept, and takes nothing else along."""

import logging
from typing import Any

import orjson
import pytest
from django.db import DataError

from customers.accept.refusal import Refusal
from customers.accept.refused import RefusedItem, keep
from customers.models import InboxItem, MessageKey, QuarantinedEvent
from customers.quarantine import replay
from tests.customers.segment_door import NOW, Door, track

LONG = "x" * 200


@pytest.fixture(autouse=True)
def _longer_names_than_the_column_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.accept.fields.MAX_NAME", 500)


def items(count: int, **spoiled: Any) -> list[dict[str, Any]]:
    """Messages m-0 … of which some have another name."""
    return [track(messageId=f"m-{n}", event=spoiled.get(f"m{n}", "Order Completed")) for n in range(count)]


def test_an_offset_no_database_takes_is_a_moment_like_any_other(door: Door) -> None:
    told = ["2026-11-24T11:58:45+23:59:45", "2026-11-22T17:59:00-18:00"]
    answer = door.batch(*(track(messageId=one, timestamp=one) for one in told), track())
    assert (answer["accepted"], answer["rejected"]) == (3, [])
    assert {f"{item.occurred_at:%d %H:%M:%S}" for item in InboxItem.objects.all()} == {"23 11:59:00"}


@pytest.mark.parametrize("told", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
def test_a_moment_beyond_the_calendar_is_refused_alone(door: Door, told: str) -> None:
    answer = door.batch(track(timestamp=told), track(messageId="m-2"))
    assert (answer["accepted"], answer["rejected"][0]["code"]) == (1, "invalid_timestamp")


def test_one_unstorable_message_is_set_apart_and_the_others_are_accepted_in_their_order(door: Door) -> None:
    answer = door.post("/v1/batch", {"batch": [*items(7, m4=LONG), "no object"]})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["duplicates"]) == (200, 6, 0)
    assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [(4, "unstorable"), (7, "wrong_type")]
    stored = list(InboxItem.objects.order_by("id").values_list("message_id", flat=True))
    assert stored == ["m-0", "m-1", "m-2", "m-3", "m-5", "m-6"]
    assert MessageKey.objects.count() == 6
    kept = QuarantinedEvent.objects.get(code="unstorable")
    assert ("22001" in kept.detail, orjson.loads(kept.raw)["event"]) == (True, LONG)
    assert QuarantinedEvent.objects.count() == 2


def test_what_repeats_an_unstorable_message_is_refused_with_it(door: Door) -> None:
    answer = door.batch(track(event=LONG), track(event=LONG), track(messageId="m-2"))
    assert (answer["accepted"], answer["duplicates"]) == (1, 0)
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(0, "unstorable"), (1, "unstorable")]


def test_a_repeated_batch_with_an_unstorable_message_is_answered_alike(door: Door) -> None:
    door.batch(*items(4, m1=LONG))
    answer = door.batch(*items(4, m1=LONG))
    assert (answer["accepted"], answer["duplicates"]) == (0, 3)
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(1, "unstorable")]


def test_a_single_unstorable_message_is_a_bad_request_not_to_be_sent_again(door: Door) -> None:
    answer = door.post("/v1/track", track(event=LONG))
    assert (answer.status_code, answer.json()["code"]) == (400, "unstorable")
    assert "Retry-After" not in answer.headers
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count()) == (0, 1)


def test_an_unstorable_message_stays_in_quarantine_until_it_can_be_stored(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.post("/v1/track", track(event=LONG))
    row = QuarantinedEvent.objects.get()
    assert replay([row.id], NOW).refusals[row.id].code == "unstorable"
    monkeypatch.setattr("customers.accept.segment.event_name", lambda name, where: name[:120])
    assert replay([row.id], NOW).replayed == 1
    assert InboxItem.objects.get().name == "x" * 120


def test_a_refusal_that_cannot_be_kept_leaves_its_reason(door: Door) -> None:
    good = RefusedItem("segment", "wrong_type", "", "No.", "m-1", "", "{}")
    bad = RefusedItem("segment", "wrong_type", "", "No.", LONG, "", "{}")
    keep([good, bad, good], door.source.pk, NOW)
    rows = QuarantinedEvent.objects.order_by("id").values_list("message_id", "raw", "detail")
    assert list(rows) == [
        ("m-1", "{}", "No."),
        ("m-1", "{}", "No."),
        ("", "", "No. Nothing of it could be kept (SQLSTATE 22001)."),
    ]


def test_data_that_fits_nowhere_is_not_asked_for_again(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object) -> Refusal:
        raise DataError("what it was must not be told")

    monkeypatch.setattr("customers.api.segment.accept", fail)
    with caplog.at_level(logging.ERROR):
        answer = door.post("/v1/batch", {"batch": [track()]})
    assert (answer.status_code, answer.json()["code"]) == (400, "unstorable")
    assert ["must not be told" in record.getMessage() for record in caplog.records] == [False]
