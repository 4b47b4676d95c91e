"""What the door makes of messages: inbox rows as resolve expects them, or a reason per item."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from customers.ids import NIL, hash64
from customers.models import InboxItem, MessageKey, QuarantinedEvent, Source
from tests.customers.segment_door import NOW, Door, identify, track


def only_refusal(answer: dict[str, Any]) -> tuple[str, str]:
    assert (answer["accepted"], answer["duplicates"], len(answer["rejected"])) == (0, 0, 1)
    assert InboxItem.objects.count() == MessageKey.objects.count() == 0
    return answer["rejected"][0]["code"], answer["rejected"][0]["pointer"]


def test_a_track_becomes_one_inbox_row(door: Door) -> None:
    answer = door.post("/v1/track", track(properties={"total": 9}, context={"ip": "203.0.113.9"}, integrations={}))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    row = InboxItem.objects.get()
    assert (row.kind, row.name, row.message_id) == ("track", "Order Completed", "m-1")
    assert (row.received_at, row.occurred_at) == (NOW, datetime(2026, 11, 23, 11, 59, tzinfo=UTC))
    assert (row.source_id, row.historical, row.schema_version_id) == (door.source.id, False, None)
    assert orjson.loads(row.identifiers) == [["user_id", "user-1", "user-1"]]
    assert row.identifier_keys == [hash64(str(door.source.namespace), "user_id", "user-1")]
    assert orjson.loads(row.payload) == {"properties": {"total": 9}, "context": {"ip": "203.0.113.9"}}
    assert QuarantinedEvent.objects.count() == 0


def test_an_identify_names_its_email_across_all_sources(door: Door) -> None:
    door.post("/v1/identify", identify(anonymousId="anon-9", traits={"email": "Ana@X.com", "plan": "pro"}))
    row = InboxItem.objects.get()
    assert (row.kind, row.name) == ("identify", "identify")
    assert orjson.loads(row.identifiers) == [
        ["user_id", "user-1", "user-1"],
        ["email", "ana@x.com", "Ana@X.com"],
        ["anonymous_id", "anon-9", "anon-9"],
    ]
    assert row.identifier_keys[1] == hash64(str(NIL), "email", "ana@x.com")
    assert orjson.loads(row.payload) == {"traits": {"email": "Ana@X.com", "plan": "pro"}}


def test_traits_carried_in_the_context_are_traits(door: Door) -> None:
    carried = {"traits": {"email": "ana@x.com", "plan": "free"}, "app": "a"}
    door.post("/v1/identify", identify(traits={"plan": "pro"}, context=carried))
    row = InboxItem.objects.get()
    assert orjson.loads(row.payload) == {
        "traits": {"email": "ana@x.com", "plan": "pro"},
        "context": {"app": "a"},
    }
    assert orjson.loads(row.identifiers)[1] == ["email", "ana@x.com", "ana@x.com"]


def test_traits_around_a_track_are_no_properties_of_it(door: Door) -> None:
    door.batch(track(context={"traits": {"plan": "pro"}}, traits={"plan": "free"}))
    assert orjson.loads(InboxItem.objects.get().payload) == {"context": {"traits": {"plan": "pro"}}}


def test_an_identify_tells_traits_and_nothing_else(door: Door) -> None:
    door.batch(identify(properties={"email": "other@x.com"}))
    assert orjson.loads(InboxItem.objects.get().payload) == {"traits": {"email": "ana@example.com"}}


def test_rows_stand_in_the_order_of_sending(door: Door) -> None:
    door.batch(*(track(messageId=f"m-{number}") for number in range(50)))
    ids = list(InboxItem.objects.order_by("id").values_list("message_id", flat=True))
    assert ids == [f"m-{number}" for number in range(50)]


def test_without_a_timestamp_it_happened_when_it_was_received(door: Door) -> None:
    door.batch(track(timestamp=None))
    assert InboxItem.objects.get().occurred_at == NOW


def test_without_a_message_id_the_content_is_the_id(door: Door) -> None:
    assert door.batch(track(messageId=None), track(messageId=None), track(messageId=None, event="Other")) == {
        "success": True,
        "accepted": 2,
        "duplicates": 1,
        "rejected": [],
    }


def test_without_id_and_time_every_repetition_is_new(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {"userId": "user-1", "event": "Clicked"}
    door.post("/v1/track", bare)
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW + timedelta(minutes=1))
    door.post("/v1/track", bare)
    assert InboxItem.objects.count() == 2


def test_the_same_user_id_of_another_namespace_is_another_key(door: Door) -> None:
    Source.objects.update(namespace=NIL)
    door.batch(track())
    assert InboxItem.objects.get().identifier_keys == [hash64(str(NIL), "user_id", "user-1")]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"userId": 17}, "wrong_type", "/userId"),
        ({"userId": None}, "missing_identifier", ""),
        ({"userId": "x" * 10_000}, "identifier_too_long", "/userId"),
        ({"userId": "a\u202eb"}, "control_character", "/userId"),
        ({"anonymousId": "undefined"}, "blocked_identifier", "/anonymousId"),
        ({"messageId": "x" * 101}, "identifier_too_long", "/messageId"),
        ({"messageId": 5}, "wrong_type", "/messageId"),
        ({"messageId": "a\tb"}, "control_character", "/messageId"),
        ({"event": None}, "missing_field", "/event"),
        ({"event": 5}, "wrong_type", "/event"),
        ({"event": ""}, "invalid_name", "/event"),
        ({"event": "x" * 121}, "invalid_name", "/event"),
        ({"event": "a\nb"}, "invalid_name", "/event"),
        ({"properties": "total=9"}, "wrong_type", "/properties"),
        ({"properties": []}, "wrong_type", "/properties"),
        ({"context": 5}, "wrong_type", "/context"),
        ({"context": {"traits": []}}, "wrong_type", "/context/traits"),
        ({"type": "import"}, "unsupported_type", "/type"),
        ({"type": None}, "missing_field", "/type"),
        ({"type": True}, "wrong_type", "/type"),
        ({"properties": {"note": "x" * 33_000}}, "payload_too_large", ""),
        ({"properties": {"n": "\0"}}, "nul_character", "/properties/n"),
        ({"properties": {"n": 10**15}}, "number_out_of_range", "/properties/n"),
    ],
)
def test_a_bad_message_is_refused_by_name_and_place(
    door: Door, changes: dict[str, Any], code: str, pointer: str
) -> None:
    answer = door.batch(track(**changes))
    assert only_refusal(answer) == (code, "/batch/0" + pointer)
    row = QuarantinedEvent.objects.get()
    assert (row.code, row.pointer, row.status, row.door) == (code, pointer, "open", "segment")


@pytest.mark.parametrize(
    ("traits", "code"),
    [
        ({"email": 5}, "wrong_type"),
        ({"email": "a@b, c@d"}, "not_one_address"),
        ({"email": "t@localhost"}, "invalid_email"),
        ({"email": "\u212aelvin@x.com"}, "email_not_canonical"),
        ({"email": "test@test.com"}, "blocked_identifier"),
    ],
)
def test_a_bad_email_is_refused(door: Door, traits: dict[str, Any], code: str) -> None:
    assert only_refusal(door.batch(identify(traits=traits))) == (code, "/batch/0/traits/email")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("2026-11-23T11:59:00", "timezone_required"),
        (1700000000, "wrong_type"),
        ("1700000000", "wrong_type"),
        ("1700000000000", "wrong_type"),
        ("0001-01-01T00:00:00Z", "invalid_timestamp"),
        ("99999-01-01T00:00:00Z", "invalid_timestamp"),
        ("2026-06-30T23:59:60Z", "invalid_timestamp"),
        ("2026-11-22T24:00:00Z", "invalid_timestamp"),
        ("2026-02-30T00:00:00Z", "invalid_timestamp"),
        ("yesterday", "invalid_timestamp"),
        ("2026-11-25T12:00:00Z", "timestamp_in_future"),
        ("2021-11-23T12:00:00Z", "too_old"),
    ],
)
def test_a_bad_time_is_refused(door: Door, told: object, code: str) -> None:
    assert only_refusal(door.batch(track(timestamp=told))) == (code, "/batch/0/timestamp")


@pytest.mark.parametrize("told", ["2026-11-23T12:03:00Z", "2026-11-24T12:00:00Z", "2026-08-25T12:00:00+00:00"])
def test_a_time_a_little_ahead_or_weeks_ago_is_kept_as_told(door: Door, told: str) -> None:
    assert door.batch(track(timestamp=told))["accepted"] == 1
    assert InboxItem.objects.get().occurred_at == datetime.fromisoformat(told)


def test_one_bad_of_a_hundred_leaves_ninety_nine(door: Door) -> None:
    items: list[Any] = [track(messageId=f"m-{number}") for number in range(100)]
    items[41] = "no object"
    answer = door.batch(*items)
    assert (answer["accepted"], answer["duplicates"]) == (99, 0)
    assert [(item["index"], item["code"], item["pointer"]) for item in answer["rejected"]] == [
        (41, "wrong_type", "/batch/41")
    ]
    assert InboxItem.objects.count() == 99


def test_a_refused_item_is_kept_whole_but_without_the_key(door: Door) -> None:
    door.post("/v1/track", {**track(userId=5), "writeKey": door.key})
    row = QuarantinedEvent.objects.get()
    assert orjson.loads(row.raw) == track(userId=5)
    assert (row.message_id, row.name, row.source, row.received_at) == (
        "m-1",
        "Order Completed",
        door.source,
        NOW,
    )


def test_an_empty_batch_is_answered_and_stores_nothing(door: Door) -> None:
    assert door.batch() == {"success": True, "accepted": 0, "duplicates": 0, "rejected": []}
    assert InboxItem.objects.count() == QuarantinedEvent.objects.count() == 0
