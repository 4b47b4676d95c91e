"""Our own dialect of events: what it holds, and why it is refused."""

import gzip
from typing import Any

import orjson
import pytest

from customers import quarantine
from customers.models import EventType, InboxItem, QuarantinedEvent, SchemaVersion, Source
from tests.customers.partner_api import NOW, Api, api, code_of, event, pointer_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def partner(source: Source) -> Api:
    return api(source)


def test_an_event_is_durable_before_the_answer(partner: Api, source: Source) -> None:
    answer = partner.post("events", event(properties={"total": 4990}, context={"page": {"url": "https://x.example"}}))
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    row = InboxItem.objects.get()
    assert (row.source_id, row.kind, row.name, row.message_id) == (source.pk, "track", "Order Completed", "m-1")
    assert orjson.loads(row.identifiers) == [["user_id", "user-1", "user-1"]]
    assert orjson.loads(row.payload) == {
        "context": {"page": {"url": "https://x.example"}},
        "properties": {"total": 4990},
    }
    assert row.occurred_at.isoformat() == "2026-11-23T11:59:00+00:00"


def test_an_identify_names_somebody_and_says_what_they_are(partner: Api) -> None:
    named = {"user_id": "u", "email": "Ana@Example.com", "anonymous_id": "a"}
    body = {"type": "identify", "identifiers": named, "traits": {"first_name": "Ana"}}
    assert partner.post("events", body).json() == {"status": "accepted"}
    row = InboxItem.objects.get()
    assert (row.kind, row.name) == ("identify", "identify")
    assert orjson.loads(row.identifiers) == [
        ["user_id", "u", "u"],
        ["email", "ana@example.com", "Ana@Example.com"],
        ["anonymous_id", "a", "a"],
    ]
    assert orjson.loads(row.payload) == {"traits": {"first_name": "Ana"}}


def test_the_two_doors_know_each_others_repetitions(partner: Api, source: Source) -> None:
    partner.post("events", event())
    answer = partner.post("events", event(properties={"changed": True}))
    assert (code_of(answer, 409), pointer_of(answer)) == ("message_id_conflict", "/id")
    assert InboxItem.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"name": None}, "missing_field", "/name"),
        ({"name": "x" * 121}, "invalid_name", "/name"),
        ({"name": 5}, "wrong_type", "/name"),
        ({"type": "page"}, "unsupported_type", "/type"),
        ({"type": 5}, "wrong_type", "/type"),
        ({"id": "x" * 101}, "identifier_too_long", "/id"),
        ({"occurred_at": "2026-11-23T11:59:00"}, "timezone_required", "/occurred_at"),
        ({"occurred_at": "2026-11-26T11:59:00Z"}, "timestamp_in_future", "/occurred_at"),
        ({"occurred_at": "2021-11-26T11:59:00Z"}, "too_old", "/occurred_at"),
        ({"occurred_at": 1700000000}, "wrong_type", "/occurred_at"),
        ({"identifiers": {}}, "missing_identifier", "/identifiers"),
        ({"identifiers": None}, "missing_identifier", "/identifiers"),
        ({"identifiers": []}, "wrong_type", "/identifiers"),
        ({"identifiers": {"shoe_size": "1"}}, "unknown_field", "/identifiers/shoe_size"),
        ({"identifiers": {"phone": "11 91234-5678"}}, "phone_without_country", "/identifiers/phone"),
        ({"identifiers": {"cpf": "111.444.777-36"}}, "number_invalid", "/identifiers/cpf"),
        ({"historical": "yes"}, "wrong_type", "/historical"),
        ({"assurance": "sure"}, "unknown_value", "/assurance"),
        ({"previous": {"user_id": "u0"}}, "unknown_field", "/previous"),
        ({"name": "trait.changed"}, "reserved_name", "/name"),
        ({"identifiers": {"user_id": 5}}, "wrong_type", "/identifiers/user_id"),
        ({"identifiers": {"email": "x@localhost"}}, "invalid_email", "/identifiers/email"),
        ({"identifiers": {"user_id": "null"}}, "blocked_identifier", "/identifiers/user_id"),
        ({"traits": {"a": 1}}, "unknown_field", "/traits"),
        ({"properties": []}, "wrong_type", "/properties"),
        ({"properties": {"a": {"b": [{"c d": 1}]}}}, "invalid_name", "/properties/a/b/0/c d"),
        ({"event": "x"}, "unknown_field", "/event"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_kept(
    partner: Api, changes: dict[str, Any], code: str, where: str
) -> None:
    answer = partner.post("events", event(**changes))
    assert code_of(answer, 422) == code
    assert pointer_of(answer) == where
    assert not InboxItem.objects.exists()
    kept = QuarantinedEvent.objects.get()
    assert (kept.door, kept.code, kept.pointer) == ("api", code, where)


@pytest.mark.parametrize("zone", ["Brasilia", "america/sao_paulo", "localtime", "Factory", "", 3, ["America/Recife"]])
def test_78_a_zone_that_nobody_knows_is_refused_with_its_place(partner: Api, zone: object) -> None:
    told = {"type": "identify", "identifiers": {"user_id": "u"}, "traits": {"timezone": zone}}
    answer = partner.post("events", told)
    assert (code_of(answer, 422), pointer_of(answer)) == ("unknown_zone", "/traits/timezone")
    assert not InboxItem.objects.exists()


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "UTC", None])
def test_a_zone_that_is_known_or_none_is_taken(partner: Api, zone: str | None) -> None:
    told = {"type": "identify", "identifiers": {"user_id": "u"}, "traits": {"timezone": zone}}
    assert partner.post("events", told).json() == {"status": "accepted"}


def test_what_an_event_calls_a_time_zone_is_its_own_affair(partner: Api) -> None:
    assert partner.post("events", event(properties={"timezone": "Brasilia"})).json() == {"status": "accepted"}


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b'{"name":1,"name":2}', 400, "duplicate_key"),
        (b'{"properties":{"a":NaN}}', 400, "number_not_finite"),
        (b"[" * 30_000, 400, "json_too_deep"),
        (b'{"a":"\\ud800"}', 400, "invalid_unicode"),
        (b"\xff\xfe", 400, "invalid_encoding"),
        (b" ", 400, "invalid_json"),
        (b"5", 422, "wrong_type"),
        (b'{"properties":{"a":1e999}}', 400, "number_not_finite"),
        (b'{"properties":{"a":"\\u0000"}}', 400, "nul_character"),
        (b'{"a":"' + b"x" * 66_000 + b'"}', 413, "payload_too_large"),
    ],
)
def test_a_bad_body_is_kept_for_its_source(partner: Api, source: Source, sent: bytes, status: int, code: str) -> None:
    assert code_of(partner.post("events", sent), status) == code
    kept = QuarantinedEvent.objects.get()
    assert (kept.source_id, kept.code) == (source.pk, code)


def test_in_a_batch_each_is_taken_or_refused_by_itself(partner: Api) -> None:
    events = [event(id=f"m-{n}") for n in range(99)]
    events.insert(7, event(name=5))
    answer = partner.post("events/batch", {"events": [*events, event(id="m-0")]})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["duplicates"]) == (99, 1)
    assert [(one["index"], one["code"], one["pointer"]) for one in told["rejected"]] == [
        (7, "wrong_type", "/events/7/name")
    ]
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count()) == (99, 1)


def test_a_batch_has_its_limits(partner: Api) -> None:
    assert code_of(partner.post("events/batch", {"events": [{}] * 1001}), 413) == "batch_too_large"
    assert code_of(partner.post("events/batch", b" " * 1_000_001), 413) == "payload_too_large"
    assert code_of(partner.post("events/batch", {"events": [], "batch": []}), 422) == "unknown_field"
    assert code_of(partner.post("events/batch", {"events": {}}), 422) == "wrong_type"
    assert code_of(partner.post("events/batch", {}), 422) == "missing_field"
    big = event(id="big", properties={"a": "x" * 66_000})
    told = partner.post("events/batch", {"events": [event(), big]}).json()
    assert (told["accepted"], told["rejected"][0]["code"]) == (1, "payload_too_large")
    assert (
        partner.post("events/batch", {"events": [event(id=f"n-{n}") for n in range(1000)]}).json()["accepted"] == 1000
    )


def test_a_compressed_body_is_as_good_and_a_bomb_is_not(partner: Api) -> None:
    sent = gzip.compress(orjson.dumps(event()))
    assert partner.post("events", sent, **{"Content-Encoding": "gzip"}).json() == {"status": "accepted"}
    bomb = gzip.compress(b" " * 50_000_000)
    assert code_of(partner.post("events", bomb, **{"Content-Encoding": "gzip"}), 413) == "payload_too_large"


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_body_not_declared_as_json_is_refused(partner: Api, content_type: str) -> None:
    answer = partner.post("events", orjson.dumps(event()), content_type=content_type)
    assert code_of(answer, 415) == "unsupported_media_type"
    assert not InboxItem.objects.exists()


def test_a_planned_event_is_held_to_its_version(partner: Api, source: Source) -> None:
    type_ = EventType.objects.create(brand=source.brand, name="Order Completed")
    schema = {"properties": {"total": {"type": "integer"}}, "required": ["total"]}
    SchemaVersion.objects.create(event_type=type_, number=1, schema=schema, status="approved")
    answer = partner.post("events", event(properties={"total": "much"}))
    assert (code_of(answer, 422), pointer_of(answer)) == ("schema_violation", "/properties/total")
    assert code_of(partner.post("events", event(schema_version=2)), 422) == "unknown_schema_version"
    assert partner.post("events", event(properties={"total": 1}, schema_version=1)).json() == {"status": "accepted"}
    assert InboxItem.objects.get().schema_version_id is not None


def test_what_was_refused_goes_through_the_same_door_again(partner: Api, source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(unplanned="quarantine")
    assert code_of(partner.post("events", event()), 422) == "unplanned_event"
    refused = QuarantinedEvent.objects.get()
    assert (refused.message_id, refused.name) == ("m-1", "Order Completed")
    assert quarantine.replay([refused.pk], NOW).replayed == 0
    Source.objects.filter(pk=source.pk).update(unplanned="accept")
    assert quarantine.replay([refused.pk], NOW).replayed == 1
    assert InboxItem.objects.get().message_id == "m-1"
