"""P5: verified, then kept as it came, then interpreted; nothing is stored twice and nothing is lost on the way."""

import hmac
import json
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection

from customers import dead_letters, keys
from customers.hooks import interpret as stage
from customers.hooks.signatures import key_bytes
from customers.models import DeadLetter, Hook, InboxItem, QuarantinedEvent, ReceivedBody, Source
from customers.work import work_once
from tests.customers.hooked import MAPPING, PAID, SECRET, Sender, interpret, make_hook
from tests.customers.segment_door import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(source: Source, monkeypatch: pytest.MonkeyPatch) -> Sender:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)
    return Sender(make_hook(source))


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code") or answer.json()["status"]


def stored() -> list[tuple[str, str]]:
    return [(one.name, orjson.loads(one.identifiers)[0][1]) for one in InboxItem.objects.order_by("id")]


def test_a_body_is_kept_as_it_came_and_then_becomes_events(sender: Sender) -> None:
    raw = b' {"type":"payment.paid",  "customer":"user-1","amount":"49.90"}'
    assert told(sender.post(raw, "d-1", headers={"X-Topic": "money", "Cookie": "a=b"})) == (200, "received")
    body = ReceivedBody.objects.get()
    assert (bytes(body.body), body.status, body.delivery_id) == (raw, "waiting", "d-1")
    assert body.headers["x-topic"] == "money"
    assert not {"cookie", "webhook-signature"} & body.headers.keys()
    assert stored() == []
    assert interpret() == 1
    body.refresh_from_db()
    assert (body.status, body.accepted, body.refused, body.interpreted_at) == ("done", 1, 0, NOW)
    assert stored() == [("Payment Received", "user-1")]
    item = InboxItem.objects.get()
    assert item.message_id.startswith("hook-")
    assert orjson.loads(item.payload)["properties"] == {"amount": 49.9}


@pytest.mark.parametrize(
    "change", [{"webhook-signature": "v1,AAAA"}, {"webhook-id": "other"}, {"webhook-timestamp": "1"}]
)
def test_a_bad_signature_is_counted_and_nothing_is_kept(sender: Sender, change: dict[str, str]) -> None:
    answer = sender.post(PAID, headers=change)
    assert told(answer) == (401, "invalid_signature")
    assert SECRET not in answer.content.decode()
    sender.hook.refresh_from_db()
    assert (sender.hook.bad_signatures, sender.hook.bad_signature_at) == (1, NOW)
    assert (ReceivedBody.objects.count(), QuarantinedEvent.objects.count()) == (0, 0)


def test_the_body_is_not_looked_at_before_its_signature(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_body: bytes) -> Any:
        raise AssertionError("parsed")

    monkeypatch.setattr("customers.accept.strict_json.parse", parse)
    assert told(sender.post(b"{", headers={"webhook-signature": "v1,AAAA"})) == (401, "invalid_signature")


def test_a_delivery_that_comes_again_is_one(sender: Sender) -> None:
    answers = [told(sender.post(PAID, "d-1")) for _time in range(3)]
    assert answers == [(200, "received"), (200, "duplicate"), (200, "duplicate")]
    interpret()
    assert told(sender.post(PAID, "d-1")) == (200, "duplicate")
    assert interpret() == 0
    assert len(stored()) == 1
    assert ReceivedBody.objects.get().repeats == 3


def test_another_body_under_the_same_id_is_refused_and_the_first_stands(sender: Sender) -> None:
    sender.post(PAID, "d-1")
    assert told(sender.post({**PAID, "amount": 1}, "d-1")) == (409, "message_id_conflict")
    assert orjson.loads(bytes(ReceivedBody.objects.get().body)) == PAID


def test_where_no_id_is_signed_the_body_is_its_own_name(source: Source, sender: Sender) -> None:
    hook = make_hook(source, scheme="hmac", header="X-Sign", encoding="hex", prefix="sha256=")
    other = Sender(hook)
    raw = orjson.dumps(PAID)
    signed = "sha256=" + hmac.digest(key_bytes(SECRET), raw, "sha256").hex()
    assert told(other.send(raw, {"X-Sign": signed, "X-Delivery": "1"})) == (200, "received")
    assert told(other.send(raw, {"X-Sign": signed, "X-Delivery": "2"})) == (200, "duplicate")


def test_a_body_that_fits_no_mapping_is_kept_and_replayed_after_the_mapping_was_taught(sender: Sender) -> None:
    sender.post({"type": "payment.refunded", "customer": "user-1", "amount": 5}, "d-1")
    interpret()
    body = ReceivedBody.objects.get()
    assert (body.status, body.reason, stored()) == ("unhandled", "unhandled", [])
    refunded = {**MAPPING["events"][0], "key": "back", "when": [{"path": "/type", "is": ["payment.refunded"]}]}
    Hook.objects.update(mapping={"events": [*MAPPING["events"], refunded]})
    assert stage.replay([body.pk], NOW) == 1
    interpret()
    body.refresh_from_db()
    assert (body.status, body.reason, body.accepted) == ("done", "", 1)
    assert len(stored()) == 1


def test_a_mapping_that_fails_makes_nothing_and_says_where(sender: Sender) -> None:
    sender.post({**PAID, "amount": "a lot"}, "d-1")
    interpret()
    body = ReceivedBody.objects.get()
    assert (body.status, body.reason) == ("failed", "mapping_failed")
    assert body.problems == [
        {"code": "not_a_number", "field": "/events/0/properties/amount/steps/0", "pointer": "/amount"}
    ]
    assert stored() == []


def test_interpreting_again_stores_nothing_twice(sender: Sender) -> None:
    sender.post(PAID, "d-1")
    interpret()
    Hook.objects.update(mapping={"events": [{**MAPPING["events"][0], "name": {"constant": "Renamed"}}]})
    body = ReceivedBody.objects.get()
    for _time in range(2):
        stage.replay([body.pk], NOW)
        interpret()
    body.refresh_from_db()
    assert (body.status, body.accepted, body.refused) == ("done", 0, 1)
    assert stored() == [("Payment Received", "user-1")]
    assert QuarantinedEvent.objects.count() == 0


def test_an_event_that_acceptance_refuses_goes_into_quarantine_once(source: Source, sender: Sender) -> None:
    sender.post({**PAID, "customer": "anonymous"}, "d-1")
    interpret()
    [row] = QuarantinedEvent.objects.all()
    assert (row.door, row.code, row.pointer, row.name) == (
        "hook", "blocked_identifier", "/identifiers/user_id", "Payment Received",
    )  # fmt: skip
    body = ReceivedBody.objects.get()
    assert (body.status, body.accepted, body.refused) == ("done", 0, 1)
    stage.replay([body.pk], NOW)
    interpret()
    assert sorted(QuarantinedEvent.objects.values_list("status", flat=True)) == ["discarded", "open"]


@pytest.mark.parametrize(
    ("event", "statuses", "body_status"),
    [
        # The same body makes an event of another id, which can be accepted.
        ({"key": "other", "identifiers": {"user_id": "/type"}}, ["discarded"], "done"),
        ({"when": [{"path": "/type", "is": ["payment.refunded"]}]}, ["discarded"], "unhandled"),
        # Nothing is said anew, so what was said before stands.
        ({"properties": {"amount": {"path": "/customer", "steps": ["number"]}}}, ["open"], "failed"),
    ],
)
def test_what_a_body_put_into_quarantine_goes_with_its_next_reading(
    sender: Sender, event: dict[str, Any], statuses: list[str], body_status: str
) -> None:
    sender.post({**PAID, "customer": "anonymous"}, "d-1")
    sender.post({**PAID, "customer": "unknown"}, "d-2")
    assert interpret() == 2
    first, second = ReceivedBody.objects.order_by("id")
    Hook.objects.update(mapping={"events": [{**MAPPING["events"][0], **event}]})
    assert stage.replay([first.pk], NOW) == 1
    interpret()
    first.refresh_from_db()
    assert first.status == body_status
    told_of = QuarantinedEvent.objects.order_by("id")
    assert list(told_of.filter(body_id=first.pk).values_list("status", flat=True)) == statuses
    assert list(told_of.filter(body_id=second.pk).values_list("status", flat=True)) == ["open"]


def test_ids_that_the_mapping_finds_are_taken(sender: Sender) -> None:
    Hook.objects.update(mapping={"events": [{**MAPPING["events"][0], "id": "/payment"}]})
    sender.post({**PAID, "payment": "pay-7"}, "d-1")
    sender.post({**PAID, "payment": "pay-7"}, "d-2")
    interpret()
    assert [one.message_id for one in InboxItem.objects.all()] == ["pay-7"]
    assert list(ReceivedBody.objects.order_by("id").values_list("accepted", "duplicates")) == [(1, 0), (0, 1)]


def test_a_form_is_a_flat_row_of_texts(sender: Sender) -> None:
    form = b"type=payment.paid&customer=user-9&amount=12.50&blank="
    answer = sender.post(form, "d-1", content_type="application/x-www-form-urlencoded")
    assert told(answer) == (200, "received")
    interpret()
    assert stored() == [("Payment Received", "user-9")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"1", "wrong_type"),
        (b'{"a":1,"a":2}', "duplicate_key"),
        (b'{"a":"\\u0000"}', "nul_character"),
        (b"\xff", "invalid_encoding"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "json_too_deep"),
    ],
)
def test_a_body_that_cannot_be_read_is_kept_all_the_same(sender: Sender, body: bytes, code: str) -> None:
    answer = sender.post(body, "d-1")
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500
    kept = ReceivedBody.objects.get()
    assert (bytes(kept.body), kept.status, kept.reason) == (body, "failed", code)
    assert interpret() == 0


@pytest.mark.parametrize(
    ("body", "content_type", "told_"),
    [
        (b"a=b", "text/plain", (415, "unsupported_media_type")),
        (b"<a/>", "application/xml", (415, "unsupported_media_type")),
        (b'"' + b"x" * 1_000_000 + b'"', "application/json", (413, "payload_too_large")),
    ],
)
def test_what_is_no_body_of_ours_is_not_kept(
    sender: Sender, body: bytes, content_type: str, told_: tuple[int, str]
) -> None:
    assert told(sender.post(body, content_type=content_type)) == told_
    assert ReceivedBody.objects.count() == 0


def test_only_posts_are_taken_and_only_at_addresses_there_are(sender: Sender, source: Source) -> None:
    address = f"/hooks/{sender.hook.pk}"
    for method in ("GET", "PUT", "DELETE", "TRACE"):
        answer = sender.client.generic(method, address)
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
    Source.objects.update(is_active=False)
    assert told(sender.post(PAID)) == (404, "not_found")
    Source.objects.update(is_active=True)
    Hook.objects.update(is_active=False)
    assert told(sender.post(PAID)) == (404, "not_found")


def test_no_more_bodies_a_minute_than_the_hook_may_take(sender: Sender) -> None:
    Hook.objects.update(per_minute=2)
    assert [sender.post(PAID, headers={"webhook-signature": ""}).status_code for _time in range(5)] == [401] * 5
    answers = [sender.post({**PAID, "n": number}) for number in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) >= 1
    assert ReceivedBody.objects.count() == 2


def test_a_source_that_was_switched_off_meanwhile_keeps_its_bodies(sender: Sender) -> None:
    sender.post(PAID, "d-1")
    Source.objects.update(is_active=False)
    keys.forget()
    interpret()
    body = ReceivedBody.objects.get()
    assert (body.status, body.reason, stored()) == ("failed", "source_inactive", [])


def test_many_bodies_make_each_their_own_events(sender: Sender) -> None:
    for number in range(5):
        sender.post({**PAID, "customer": f"user-{number}"})
    assert interpret() == 5
    assert stored() == [("Payment Received", f"user-{number}") for number in range(5)]


def give_up_poison(sender: Sender) -> None:
    """Two bodies, of which whoever interprets the first one fails, until it is given up."""
    sender.post({**PAID, "customer": "poison"}, "d-1")
    sender.post(PAID, "d-2")
    real = stage.read_body

    def read(body: ReceivedBody) -> Any:
        if b"poison" in bytes(body.body):
            raise ZeroDivisionError
        return real(body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "read_body", read)
        for round_ in range(12):
            work_once(stage.QUEUE, NOW + timedelta(minutes=round_))


@pytest.mark.django_db(transaction=True)
def test_a_body_that_kills_the_work_is_given_up_and_others_pass(sender: Sender) -> None:
    give_up_poison(sender)
    assert list(ReceivedBody.objects.order_by("id").values_list("status", "reason")) == [
        ("failed", "gave_up"),
        ("done", ""),
    ]
    assert DeadLetter.objects.get().queue == "hooks"
    stage.replay(list(ReceivedBody.objects.filter(status="failed").values_list("pk", flat=True)), NOW)
    work_once(stage.QUEUE, NOW + timedelta(hours=1))
    assert ReceivedBody.objects.filter(status="done").count() == 2


def test_secrets_are_sealed(sender: Sender) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM customers_hook")
        (sealed,) = cursor.fetchone()
    assert SECRET.encode() not in bytes(sealed)


@pytest.mark.django_db(transaction=True)
def test_a_body_that_was_given_up_is_put_back_by_its_letter(sender: Sender) -> None:
    give_up_poison(sender)
    letter = DeadLetter.objects.get()
    later = NOW + timedelta(hours=1)
    assert dead_letters.replay([letter.pk], later) == 1
    assert work_once(stage.QUEUE, later) == 1
    letter.refresh_from_db()
    assert letter.replayed_at == later
    assert list(ReceivedBody.objects.order_by("id").values_list("status", flat=True)) == ["done", "done"]
    assert stored() == [("Payment Received", "user-1"), ("Payment Received", "poison")]
    assert dead_letters.replay([letter.pk], later) == 0


@pytest.mark.django_db(transaction=True)
def test_a_body_that_is_interpreted_anew_leaves_no_letter_behind(sender: Sender) -> None:
    give_up_poison(sender)
    letter = DeadLetter.objects.get()
    other = DeadLetter.objects.create(
        at=NOW, queue="advance", unit_id=letter.unit_id, reason="died", attempts=5, row={"id": letter.unit_id}
    )
    assert stage.replay([letter.unit_id], NOW) == 1
    letter.refresh_from_db()
    other.refresh_from_db()
    assert (letter.replayed_at, other.replayed_at) == (NOW, None)


def test_the_header_of_a_signature_is_not_kept_whatever_it_is_called(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)
    hook = make_hook(source, scheme="hmac", header="X-Hub-Signature-256", prefix="sha256=")
    raw = orjson.dumps(PAID)
    signature = hmac.digest(key_bytes(SECRET), raw, "sha256").hex()
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-Topic": "money"}
    assert told(Sender(hook).send(raw, headers)) == (200, "received")
    kept = ReceivedBody.objects.get().headers
    assert kept["x-topic"] == "money"
    assert signature not in json.dumps(kept)
