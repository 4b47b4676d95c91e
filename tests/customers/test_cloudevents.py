"""CloudEvents 1.0: the three modes of its HTTP binding, whom an event concerns, and why one is refused."""

import gzip
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from customers import keys, quarantine
from customers.models import EventType, InboxItem, MessageKey, QuarantinedEvent, SchemaVersion, Source
from tests.customers.partner_api import NOW, Api, api, code_of, event, pointer_of

pytestmark = pytest.mark.django_db

RECORDED = Path(__file__).parent.parent / "data" / "cloudevents-python.json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture
def partner(source: Source) -> Api:
    return api(source)


def told(**changes: Any) -> dict[str, Any]:
    """A CloudEvent that is accepted as it stands; what is changed to `...` is left out."""
    whole = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "https://shop.example/checkout",
        "type": "com.example.order.completed",
        "time": "2026-11-23T11:59:00Z",
        "userid": "u-1",
        "data": {"total": 4990},
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}


def send(partner: Api, body: Any, **headers: str) -> Any:
    return partner.post("cloudevents", body, **{"content_type": STRUCTURED, **headers})


def send_binary(partner: Api, body: bytes, content_type: str = "application/json", **attributes: str) -> Any:
    plain = {name: str(value) for name, value in told(data=..., **attributes).items()}
    headers = {f"ce-{name}": value for name, value in plain.items()}
    return partner.post("cloudevents", body, content_type=content_type, **headers)


def named(row: InboxItem) -> list[list[str]]:
    return [[kind, value] for kind, value, _original in orjson.loads(row.identifiers)]


def test_an_event_is_durable_before_the_answer(partner: Api, source: Source) -> None:
    answer = send(partner, told(dataschema="https://shop.example/order.json", region="south"))
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    row = InboxItem.objects.get()
    assert (row.source_id, row.kind, row.name, row.message_id) == (
        source.pk, "track", "com.example.order.completed", "e-1",
    )  # fmt: skip
    assert named(row) == [["user_id", "u-1"]]
    assert row.occurred_at.isoformat() == "2026-11-23T11:59:00+00:00"
    assert orjson.loads(row.payload) == {
        "properties": {"total": 4990},
        "context": {
            "cloudevent": {
                "source": "https://shop.example/checkout",
                "userid": "u-1",
                "dataschema": "https://shop.example/order.json",
                "region": "south",
            }
        },
    }


def test_the_recorded_client_tells_one_event_in_two_modes(partner: Api) -> None:
    answers = []
    for request in orjson.loads(RECORDED.read_bytes()):
        headers = {name: value for name, value in request["headers"] if name.lower().startswith("ce-")}
        (kind,) = [value for name, value in request["headers"] if name.lower() == "content-type"]
        answers.append(partner.post("cloudevents", request["body"], content_type=kind, **headers))
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"status": "accepted"}),
        (200, {"status": "duplicate"}),
    ]
    row = InboxItem.objects.get()
    assert (row.name, named(row)) == ("com.example.order.completed", [["user_id", "user-1"]])
    kept = orjson.loads(row.payload)
    assert kept["properties"] == {"total": 99.9}
    assert kept["context"]["cloudevent"]["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert not QuarantinedEvent.objects.exists()


def test_source_and_id_together_make_an_event_the_one_it_is(partner: Api) -> None:
    assert send(partner, told()).json() == {"status": "accepted"}
    assert send(partner, told(source="/till")).json() == {"status": "accepted"}
    assert send(partner, told(traceparent="00-2")).json() == {"status": "duplicate"}
    answer = send(partner, told(data={"total": 1}))
    assert (code_of(answer, 409), pointer_of(answer)) == ("message_id_conflict", "/id")
    assert (InboxItem.objects.count(), MessageKey.objects.count()) == (2, 2)


def test_an_event_of_ours_under_the_same_id_is_another(partner: Api) -> None:
    partner.post("events", event(id="e-1"))
    assert send(partner, told()).json() == {"status": "accepted"}
    assert InboxItem.objects.count() == 2


@pytest.mark.parametrize(
    ("attributes", "people"),
    [
        ({"userid": ..., "subject": "u-9"}, [["user_id", "u-9"]]),
        ({"subject": "order/1001"}, [["user_id", "u-1"]]),
        ({"userid": ..., "anonymousid": "a-1", "subject": "order/1001"}, [["anonymous_id", "a-1"]]),
        (
            {"anonymousid": "a-1", "email": "Ana@Example.com", "crmid": "c-1"},
            [["user_id", "u-1"], ["crm_id", "c-1"], ["email", "ana@example.com"], ["anonymous_id", "a-1"]],
        ),
    ],
)
def test_whom_it_concerns_is_told_by_attributes_or_else_by_the_subject(
    partner: Api, attributes: dict[str, Any], people: list[list[str]]
) -> None:
    assert send(partner, told(**attributes)).json() == {"status": "accepted"}
    assert named(InboxItem.objects.get()) == people


@pytest.mark.parametrize(
    ("data", "properties"),
    [
        ({"data": {"a": [1]}}, {"a": [1]}),
        ({"data": [1, 2]}, {"data": [1, 2]}),
        ({"data": "text"}, {"data": "text"}),
        ({"data": None}, None),
        ({"data": ...}, None),
        ({"data": ..., "data_base64": b64encode(b'{"a":1.5}').decode()}, {"a": 1.5}),
        ({"data": None, "data_base64": "MQ=="}, {"data": 1}),
    ],
)
def test_data_that_is_an_object_is_the_properties(partner: Api, data: dict[str, Any], properties: Any) -> None:
    assert send(partner, told(**data)).json() == {"status": "accepted"}
    assert orjson.loads(InboxItem.objects.get().payload).get("properties") == properties


def test_headers_are_percent_decoded_once(partner: Api) -> None:
    answer = send_binary(partner, b'{"total":4990}', userid=quote("joão 1"), region='"a %25 \\"b\\""', depth="100%2525")
    assert answer.json() == {"status": "accepted"}
    row = InboxItem.objects.get()
    assert named(row) == [["user_id", "joão 1"]]
    kept = orjson.loads(row.payload)["context"]["cloudevent"]
    assert (kept["region"], kept["depth"], kept["datacontenttype"]) == ('a % "b"', "100%25", "application/json")


def test_data_in_binary_mode_is_any_json_or_none(partner: Api) -> None:
    for number, (body, kind) in enumerate(
        [(b"[1]", "application/vnd.shop+json; charset=utf-8"), (b"1.25", "text/json"), (b"", ""), (b"null", "a/json")]
    ):
        answer = send_binary(partner, body, kind, id=f"b-{number}")
        assert (answer.status_code, answer.json()) == (200, {"status": "accepted"}), body
    kept = [orjson.loads(row.payload).get("properties") for row in InboxItem.objects.order_by("id")]
    assert kept == [{"data": [1]}, {"data": 1.25}, None, None]


def test_a_header_tells_history_and_the_version_of_the_schema(partner: Api, source: Source) -> None:
    type_ = EventType.objects.create(brand=source.brand, name="com.example.order.completed")
    approved = {"event_type": type_, "status": "approved"}
    first = SchemaVersion.objects.create(number=1, schema={"required": ["total"]}, **approved)
    SchemaVersion.objects.create(number=2, schema={"required": ["sum"]}, follows=first, **approved)
    old = {"time": "2020-01-01T00:00:00Z"}
    answer = send_binary(partner, b'{"total":1}', schemaversion="1", historical="true", **old)
    assert answer.json() == {"status": "accepted"}
    row = InboxItem.objects.get()
    assert (row.historical, row.schema_version_id) == (True, first.pk)
    assert code_of(send_binary(partner, b'{"total":1}', id="e-2", schemaversion="1", **old), 422) == "too_old"
    answer = send(partner, told(id="e-3"))
    assert (code_of(answer, 422), pointer_of(answer)) == ("schema_violation", "/data")


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"specversion": ...}, "missing_field", "/specversion"),
        ({"specversion": "0.3"}, "unsupported_specversion", "/specversion"),
        ({"specversion": 1.0}, "wrong_type", "/specversion"),
        ({"id": ...}, "missing_field", "/id"),
        ({"id": ""}, "missing_field", "/id"),
        ({"id": 7}, "wrong_type", "/id"),
        ({"id": "x" * 101}, "identifier_too_long", "/id"),
        ({"source": ...}, "missing_field", "/source"),
        ({"source": "not a uri"}, "invalid_uri", "/source"),
        ({"source": "/é"}, "invalid_uri", "/source"),
        ({"type": ...}, "missing_field", "/type"),
        ({"type": "x" * 121}, "invalid_name", "/type"),
        ({"type": "trait.changed"}, "reserved_name", "/type"),
        ({"time": "yesterday"}, "invalid_timestamp", "/time"),
        ({"time": 1763899140}, "wrong_type", "/time"),
        ({"time": "2026-11-23T11:59:00"}, "timezone_required", "/time"),
        ({"time": "2026-12-23T11:59:00Z"}, "timestamp_in_future", "/time"),
        ({"time": "2020-01-01T00:00:00Z"}, "too_old", "/time"),
        ({"subject": ""}, "invalid_attribute", "/subject"),
        ({"subject": 5}, "wrong_type", "/subject"),
        ({"dataschema": "order.json"}, "invalid_uri", "/dataschema"),
        ({"datacontenttype": ""}, "invalid_attribute", "/datacontenttype"),
        ({"userid": ...}, "missing_identifier", ""),
        ({"userid": 17}, "wrong_type", "/userid"),
        ({"userid": "null"}, "blocked_identifier", "/userid"),
        ({"userid": ..., "subject": "null"}, "blocked_identifier", "/subject"),
        ({"email": "x@localhost"}, "invalid_email", "/email"),
        ({"userId": "u"}, "invalid_name", "/userId"),
        ({"": "u"}, "invalid_name", "/"),
        ({"x" * 65: "u"}, "invalid_name", "/" + "x" * 65),
        ({"region": {"a": 1}}, "wrong_type", "/region"),
        ({"region": 1.5}, "wrong_type", "/region"),
        ({"region": 2**31}, "out_of_range", "/region"),
        ({"region": "a\u202eb"}, "control_character", "/region"),
        ({"region": "x" * 2049}, "too_long", "/region"),
        ({"historical": "true"}, "wrong_type", "/historical"),
        ({"data_base64": "MQ=="}, "conflicting_fields", "/data_base64"),
        ({"data": ..., "data_base64": "§"}, "invalid_base64", "/data_base64"),
        ({"data": ..., "data_base64": 5}, "wrong_type", "/data_base64"),
        ({"data": ..., "data_base64": "MQ==", "datacontenttype": "image/png"}, "unsupported_data", "/datacontenttype"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_kept(
    partner: Api, changes: dict[str, Any], code: str, where: str
) -> None:
    answer = send(partner, told(**changes))
    assert (code_of(answer, 422), pointer_of(answer)) == (code, where)
    assert not InboxItem.objects.exists()
    kept = QuarantinedEvent.objects.get()
    assert (kept.door, kept.code, kept.pointer) == ("cloudevents", code, where)


BAD_JSON = [
    (b'{"id":1,"id":2}', 400, "duplicate_key"),
    (b'{"data":NaN}', 400, "number_not_finite"),
    (b'{"data":{"a":1e999}}', 400, "number_not_finite"),
    (b'{"data":{"a":1e400000}}', 400, "number_out_of_range"),
    (b'{"data":{"a":12345678901234567890}}', 400, "number_out_of_range"),
    (b'{"data":' + b"[" * 33 + b"]" * 33 + b"}", 400, "json_too_deep"),
    (b"[" * 30_000, 400, "json_too_deep"),
    (b'{"data":[' + b"1," * 1000 + b"1]}", 400, "too_many_elements"),
    (b'{"data":"\\ud800"}', 400, "invalid_unicode"),
    (b'{"data":"\\u0000"}', 400, "nul_character"),
    (b"\xff\xfe", 400, "invalid_encoding"),
    (b"{} {}", 400, "invalid_json"),
    (b" ", 400, "invalid_json"),
    (b"5", 422, "wrong_type"),
    (b"[]", 422, "wrong_type"),
    (b'{"data":"' + b"x" * 66_000 + b'"}', 413, "payload_too_large"),
]


@pytest.mark.parametrize(("sent", "status", "code"), BAD_JSON)
def test_a_bad_body_is_kept_for_its_source(partner: Api, source: Source, sent: bytes, status: int, code: str) -> None:
    assert code_of(send(partner, sent), status) == code
    kept = QuarantinedEvent.objects.get()
    assert (kept.source_id, kept.door, kept.code) == (source.pk, "cloudevents", code)
    assert not InboxItem.objects.exists()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b'{"a":1},"userid":"u-2"', 400, "invalid_json"),
        (b'1,"b":2', 400, "invalid_json"),
        (b'{"a":1,"a":2}', 400, "duplicate_key"),
        (b'{"a":1e999}', 400, "number_not_finite"),
        (b'{"a":"\\u0000"}', 400, "nul_character"),
        (b"x" * 66_000, 413, "payload_too_large"),
    ],
)
def test_a_bad_body_in_binary_mode_is_kept_with_its_attributes(
    partner: Api, sent: bytes, status: int, code: str
) -> None:
    assert code_of(send_binary(partner, sent), status) == code
    kept = QuarantinedEvent.objects.get()
    assert (kept.door, kept.code) == ("cloudevents", code)
    assert kept.raw.startswith('{"specversion":"1.0","id":"e-1"') or '"specversion": "1.0"' in kept.raw
    assert not InboxItem.objects.exists()


@pytest.mark.parametrize(
    ("attributes", "status", "code", "where"),
    [
        ({"region": "%C3%28"}, 400, "invalid_encoding", "/region"),
        ({"region": "100%"}, 400, "invalid_encoding", "/region"),
        ({"region": "é"}, 400, "invalid_encoding", "/region"),
        ({"region": "%00"}, 400, "nul_character", "/region"),
        ({"re-gion": "a"}, 422, "invalid_name", "/re-gion"),
        ({"data": "a"}, 422, "invalid_name", "/data"),
        ({"datacontenttype": "a/json"}, 422, "invalid_name", "/datacontenttype"),
        ({"specversion": "1.0,1.0"}, 422, "unsupported_specversion", "/specversion"),
        ({"userid": ""}, 422, "blocked_identifier", "/userid"),
        ({"schemaversion": "two"}, 422, "unknown_schema_version", "/schemaversion"),
        ({"historical": "yes"}, 422, "wrong_type", "/historical"),
    ],
)
def test_what_is_wrong_with_headers_is_said_with_their_place(
    partner: Api, source: Source, attributes: dict[str, str], status: int, code: str, where: str
) -> None:
    type_ = EventType.objects.create(brand=source.brand, name="com.example.order.completed")
    SchemaVersion.objects.create(event_type=type_, number=1, schema={}, status="approved")
    headers = {f"ce-{name}": value for name, value in {**told(data=...), **attributes}.items()}
    answer = partner.post("cloudevents", b"{}", **headers)
    assert (code_of(answer, status), pointer_of(answer)) == (code, where)
    assert QuarantinedEvent.objects.get().code == code
    assert not InboxItem.objects.exists()


def test_a_batch_is_a_list_each_of_which_is_taken_or_refused_by_itself(partner: Api) -> None:
    events = [told(id=f"e-{n}") for n in range(99)]
    events.insert(7, told(userid=5))
    answer = send(partner, [*events, told(id="e-0"), 5], content_type=BATCH)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (99, 1)
    assert [(one["index"], one["code"], one["pointer"]) for one in body["rejected"]] == [
        (7, "wrong_type", "/7/userid"),
        (101, "wrong_type", "/101"),
    ]
    assert (InboxItem.objects.count(), QuarantinedEvent.objects.count()) == (99, 2)


def test_a_batch_has_its_limits(partner: Api) -> None:
    assert send(partner, [], content_type=BATCH).json() == {"accepted": 0, "duplicates": 0, "rejected": []}
    assert code_of(send(partner, told(), content_type=BATCH), 422) == "wrong_type"
    assert code_of(send(partner, [{}] * 1001, content_type=BATCH), 413) == "batch_too_large"
    assert code_of(send(partner, b" " * 1_000_001, content_type=BATCH), 413) == "payload_too_large"
    big = told(id="big", data="x" * 66_000)
    body = send(partner, [told(), big], content_type=BATCH).json()
    assert (body["accepted"], [one["code"] for one in body["rejected"]]) == (1, ["payload_too_large"])
    deep = b'[{"data":' + b"[" * 40 + b"]" * 40 + b"}]"
    assert [(one["code"]) for one in send(partner, deep, content_type=BATCH).json()["rejected"]] == ["json_too_deep"]
    assert InboxItem.objects.count() == 1


def test_a_compressed_body_is_as_good_and_a_bomb_is_not(partner: Api) -> None:
    packed = {"Content-Encoding": "gzip"}
    assert send(partner, gzip.compress(orjson.dumps(told())), **packed).json() == {"status": "accepted"}
    assert code_of(send(partner, gzip.compress(b" " * 50_000_000), **packed), 413) == "payload_too_large"
    assert code_of(send(partner, b"no gzip", **packed), 400) == "invalid_gzip"
    assert code_of(send(partner, b"{}", **{"Content-Encoding": "br"}), 415) == "unsupported_media_type"
    assert InboxItem.objects.count() == 1


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("application/json", {}),
        ("", {}),
        ("text/plain", {"ce-specversion": "1.0"}),
        ("", {"ce-specversion": "1.0"}),
        ("application/cloudevents+avro", {}),
        ("application/cloudevents", {"ce-specversion": "1.0"}),
    ],
)
def test_what_is_no_cloudevent_is_refused(partner: Api, content_type: str, headers: dict[str, str]) -> None:
    answer = partner.post("cloudevents", told(), content_type=content_type, **headers)
    assert code_of(answer, 415) == "unsupported_media_type"
    assert QuarantinedEvent.objects.get().code == "unsupported_media_type"
    assert not InboxItem.objects.exists()


def test_write_keys_do_not_open_this_door(source: Source) -> None:
    for key in (keys.issue(source)[1], keys.issue_browser(source, ["https://shop.example"]).public):
        for header in (f"Bearer {key}", "Basic " + b64encode(f"{key}:".encode()).decode()):
            answer = Api("").client.post(
                "/api/v1/cloudevents",
                told(),
                STRUCTURED,
                headers={"Authorization": header, "Origin": "https://shop.example"},
            )
            assert code_of(answer, 401) == "invalid_token"
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert not InboxItem.objects.exists()
    assert not QuarantinedEvent.objects.exists()


def test_a_named_call_in_binary_mode_is_known_by_its_headers_too(partner: Api) -> None:
    key = {"Idempotency-Key": "k-1"}
    headers = {f"ce-{name}": value for name, value in told(data=...).items()}
    first = partner.post("cloudevents", b"{}", **headers, **key)
    again = partner.post("cloudevents", b"{}", **headers, **key)
    assert [first.json(), again.json()] == [{"status": "accepted"}] * 2
    assert again.headers["Idempotency-Replayed"] == "true"
    other = partner.post("cloudevents", b"{}", **{**headers, "ce-id": "e-2"}, **key)
    assert code_of(other, 422) == "idempotency_key_reused"
    assert InboxItem.objects.count() == 1


@pytest.mark.parametrize("binary", [False, True])
def test_what_was_refused_goes_through_the_same_door_again(partner: Api, source: Source, binary: bool) -> None:
    Source.objects.filter(pk=source.pk).update(unplanned="quarantine")
    answer = send_binary(partner, b'{"total":4990}') if binary else send(partner, told())
    assert (code_of(answer, 422), pointer_of(answer)) == ("unplanned_event", "/type")
    refused = QuarantinedEvent.objects.get()
    assert (refused.message_id, refused.name) == ("e-1", "com.example.order.completed")
    assert quarantine.replay([refused.pk], NOW).replayed == 0
    Source.objects.filter(pk=source.pk).update(unplanned="accept")
    assert quarantine.replay([refused.pk], NOW).replayed == 1
    row = InboxItem.objects.get()
    assert (row.message_id, orjson.loads(row.payload)["properties"]) == ("e-1", {"total": 4990})


def test_data_broken_in_binary_mode_can_be_mended_and_replayed(partner: Api) -> None:
    assert code_of(send_binary(partner, b'{"total":4990'), 400) == "invalid_json"
    refused = QuarantinedEvent.objects.get()
    QuarantinedEvent.objects.filter(pk=refused.pk).update(raw=refused.raw + "}")
    assert quarantine.replay([refused.pk], NOW).replayed == 1
    assert orjson.loads(InboxItem.objects.get().payload)["properties"] == {"total": 4990}
