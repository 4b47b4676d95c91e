"""The door itself: who may enter, what it reads, and how it says no."""

import gzip
import io
import os
from base64 import b64decode
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import OperationalError
from django.test import RequestFactory

from customers import keys
from customers.accept.refusal import Refused
from customers.api.reading import read_sent, unpack
from customers.models import InboxItem, QuarantinedEvent, WriteKey
from tests.customers.segment_door import NOW, Door, track

DATA = Path(__file__).parent.parent / "data"


def code_of(answer: Any, status: int) -> str:
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (status, status)
    assert problem["errors"][0]["code"] == problem["code"]
    assert InboxItem.objects.count() == 0
    return str(problem["code"])


def recorded(name: str) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = orjson.loads((DATA / name).read_bytes())
    return requests


@pytest.mark.parametrize("name", ["segment-python.json", "segment-python-gzip.json"])
def test_the_librarys_recorded_request_is_accepted(door: Door, name: str) -> None:
    (request,) = recorded(name)
    headers = dict(request["headers"])
    sent = orjson.dumps(request["body"])
    if headers.get("Content-Encoding") == "gzip":
        sent = gzip.compress(sent)
    answer = door.post("/v1/batch", sent, **{"Content-Encoding": headers.get("Content-Encoding", "identity")})
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (200, 7, [])
    kinds = set(InboxItem.objects.values_list("kind", flat=True))
    assert kinds == {"track", "identify", "page", "screen", "group", "alias"}


def test_the_librarys_recorded_retries_store_once(door: Door) -> None:
    answers = [door.post("/v1/batch", request["body"]) for request in recorded("segment-python-retries.json")]
    ids = {
        item["messageId"] for request in recorded("segment-python-retries.json") for item in request["body"]["batch"]
    }
    assert {answer.status_code for answer in answers} == {200}
    assert set(InboxItem.objects.values_list("message_id", flat=True)) == ids
    assert InboxItem.objects.count() == len(ids)


def test_a_key_in_the_body_is_as_good(door: Door) -> None:
    sent = orjson.dumps({"batch": [track()], "writeKey": door.key})
    answer = door.client.post("/v1/batch", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


@pytest.mark.parametrize(
    "header", ["Basic ", "Basic !!", "Basic bm8ta2V5Og==", "Bearer x", "Basic /w==", "Basic \u00e9"]
)
def test_a_wrong_key_is_refused(door: Door, header: str) -> None:
    answer = door.post("/v1/track", track(), Authorization=header)
    assert code_of(answer, 401) == "invalid_token"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert QuarantinedEvent.objects.count() == 0


def test_no_key_is_refused(door: Door) -> None:
    answer = door.client.post("/v1/track", orjson.dumps(track()), content_type="application/json")
    assert code_of(answer, 401) == "invalid_token"


def test_a_key_in_the_address_is_refused(door: Door) -> None:
    assert code_of(door.post(f"/v1/track?writeKey={door.key}", track()), 401) == "invalid_token"


def test_a_revoked_key_is_refused_at_once(door: Door) -> None:
    assert door.post("/v1/batch", {"batch": []}).status_code == 200
    keys.revoke(WriteKey.objects.get(), NOW)
    assert code_of(door.post("/v1/track", track()), 401) == "invalid_token"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b'{"userId":1,"userId":2}', 400, "duplicate_key"),
        (b'{"properties":{"a":NaN}}', 400, "number_not_finite"),
        (b"[" * 30_000, 400, "json_too_deep"),
        (b'{"a":"\\ud800"}', 400, "invalid_unicode"),
        (b"\xff\xfe", 400, "invalid_encoding"),
        (b" ", 400, "invalid_json"),
        (b"[]", 400, "wrong_type"),
        (b'{"a":"' + b"x" * 33_000 + b'"}', 413, "payload_too_large"),
        (b'{"event":"e","userId":"u","properties":{"a":1e999}}', 400, "number_not_finite"),
        (b'{"event":"e","userId":"u","properties":{"a":1e131000}}', 400, "number_out_of_range"),
        (b'{"event":"e","userId":"u","properties":{"a":"\\u0000"}}', 400, "nul_character"),
        (b'{"event":"e","userId":5}', 400, "wrong_type"),
    ],
)
def test_a_bad_body_is_a_problem_and_one_row_in_quarantine(door: Door, sent: bytes, status: int, code: str) -> None:
    assert code_of(door.post("/v1/track", sent), status) == code
    assert QuarantinedEvent.objects.get().code == code


@pytest.mark.parametrize("sent", [b"5", b"{}", b'{"batch":{}}', b'{"batch":null}'])
def test_a_batch_is_an_object_with_a_list(door: Door, sent: bytes) -> None:
    assert code_of(door.post("/v1/batch", sent), 400) == "wrong_type"


def test_a_batch_of_too_many_is_refused_whole(door: Door) -> None:
    assert code_of(door.post("/v1/batch", {"batch": [{}] * 2501}), 413) == "batch_too_large"
    assert QuarantinedEvent.objects.get().pointer == "/batch"


def test_a_batch_of_too_many_bytes_is_refused_unread(door: Door) -> None:
    assert code_of(door.post("/v1/batch", b" " * 512_001), 413) == "payload_too_large"
    assert QuarantinedEvent.objects.get().raw == ""


def test_a_broken_body_is_kept_as_far_as_it_goes_without_its_key(door: Door) -> None:
    door.post("/v1/batch", b'{"writeKey":"' + door.key.encode() + b'","batch":[\x00' + b"x" * 70_000)
    raw = QuarantinedEvent.objects.get().raw
    assert raw.startswith('{"writeKey":"…","batch":[\\u0000xxx')
    assert 65_000 < len(raw.encode()) <= 64 * 1024


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_body_not_declared_as_json_is_refused(door: Door, content_type: str) -> None:
    assert code_of(door.post("/v1/track", track(), content_type=content_type), 415) == "unsupported_media_type"


def test_an_unknown_encoding_is_refused(door: Door) -> None:
    assert code_of(door.post("/v1/track", track(), **{"Content-Encoding": "br"}), 415) == "unsupported_media_type"


def test_a_gzip_bomb_is_inflated_only_to_the_limit(door: Door) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    answer = door.post("/v1/batch", bomb, **{"Content-Encoding": "gzip"})
    assert code_of(answer, 413) == "payload_too_large"


BROKEN_GZIP = pytest.mark.parametrize(
    "sent",
    [b"no gzip", gzip.compress(b'{"a":1}')[:-4], gzip.compress(b"{}") * 2],
    ids=["no gzip", "torn", "two streams"],
)


@BROKEN_GZIP
def test_a_broken_gzip_is_refused(door: Door, sent: bytes) -> None:
    assert code_of(door.post("/v1/track", sent, **{"Content-Encoding": "gzip"}), 400) == "invalid_gzip"


@pytest.mark.parametrize(
    ("sent", "raw"),
    [(b"no gzip", "no gzip"), (gzip.compress(b'{"a":1}')[:-4], '{"a":1}'), (gzip.compress(b"{}") * 2, "{}{}")],
    ids=["no gzip", "torn", "two streams"],
)
def test_of_a_body_that_cannot_be_inflated_its_text_is_kept(door: Door, sent: bytes, raw: str) -> None:
    door.post("/v1/batch", sent, **{"Content-Encoding": "gzip"})
    kept = QuarantinedEvent.objects.get()
    assert kept.raw == raw
    assert kept.detail.endswith("Kept: the text it begins with, without its key.")


def test_of_one_that_holds_no_text_the_bytes_are_kept(door: Door) -> None:
    sent = gzip.compress(b"\xff\xfe" * 9)[:-4]
    door.post("/v1/batch", sent, **{"Content-Encoding": "gzip"})
    kept = QuarantinedEvent.objects.get()
    assert b64decode(kept.raw) == sent
    assert kept.detail.endswith("Kept: the bytes as sent, in base64.")


def test_of_a_long_one_the_beginning_is_kept_and_said_so(door: Door) -> None:
    sent = gzip.compress(os.urandom(100_000))[:-4]
    door.post("/v1/batch", sent, **{"Content-Encoding": "gzip"})
    kept = QuarantinedEvent.objects.get()
    assert (len(kept.raw), b64decode(kept.raw)) == (64 * 1024, sent[: 48 * 1024])
    assert kept.detail.endswith("Kept: the first 49,152 bytes as sent, in base64.")


@pytest.mark.parametrize("cut", [slice(-4), slice(-9)], ids=["no end", "torn"])
def test_a_key_inside_a_broken_gzip_is_not_kept(door: Door, cut: slice) -> None:
    body = b'{"batch":[{"note":"a"}],"writeKey":"' + door.key.encode() + b'","sentAt":"2026"}'
    one = gzip.compress(b"{}")
    for sent in (gzip.compress(body)[cut], one + gzip.compress(body), body):
        door.post("/v1/batch", sent, **{"Content-Encoding": "gzip"})
    for kept in QuarantinedEvent.objects.all():
        assert '"batch":[{"note":"a"}],"writeKey":"…"' in kept.raw
        assert kept.detail.endswith("Kept: the text it begins with, without its key.")
    assert QuarantinedEvent.objects.count() == 3


def test_what_a_gzip_bomb_begins_with_is_kept(door: Door) -> None:
    door.post("/v1/batch", gzip.compress(b"[" + b" " * 9_000_000), **{"Content-Encoding": "gzip"})
    assert QuarantinedEvent.objects.get().raw == "[" + " " * (64 * 1024 - 1)


def test_a_chunked_body_of_too_many_bytes_is_kept_as_far_as_it_was_read(door: Door) -> None:
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(b"[" * 600_000), "CONTENT_LENGTH": ""}
    door.client.defaults.update(environ)
    answer = door.post("/v1/batch", b"", **{"Transfer-Encoding": "chunked", "Content-Type": "application/json"})
    assert code_of(answer, 413) == "payload_too_large"
    assert QuarantinedEvent.objects.get().raw == "[" * 64 * 1024


class Endless(io.RawIOBase):
    """A chunked body that never ends, counting what was taken from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b" " * size


def test_a_chunked_body_is_read_to_the_limit_and_no_further() -> None:
    body = Endless()
    request = RequestFactory().post(
        "/v1/batch", content_type="application/json", headers={"Transfer-Encoding": "chunked"}
    )
    request.META.update({"CONTENT_LENGTH": "", "wsgi.input": body})
    with pytest.raises(Refused) as caught:
        unpack(read_sent(request, 1000), 1000)
    assert (caught.value.refusal.code, body.taken) == ("payload_too_large", 1001)


def test_a_chunked_body_is_read_whole() -> None:
    request = RequestFactory().post(
        "/v1/batch", content_type="application/json", headers={"Transfer-Encoding": "chunked"}
    )
    request.META.update({"CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(b'{"a":1}')})
    assert unpack(read_sent(request, 1000), 1000) == b'{"a":1}'


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "trace"])
def test_messages_are_only_posted(door: Door, method: str) -> None:
    answer = getattr(door.client, method)("/v1/track", headers={"X-HTTP-Method-Override": "POST"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("step", ["customers.keys.find", "customers.accept.batch.store"])
def test_without_a_database_the_sender_is_told_to_come_back(
    door: Door, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(step, fail)
    answer = door.post("/v1/track", track())
    assert code_of(answer, 503) == "not_ready"
    assert answer.headers["Retry-After"] == "1"
