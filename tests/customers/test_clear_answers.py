"""P36: whatever is sent to a door, the answer is clear: no 5xx, nothing kept silently, a code, a place and a hint.

One table of bad documents (BAD_INPUTS A and B), asked at every entry: singly and in a batch, at each door. The
control takes the strict reading away, after which the same table no longer holds.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.test import Client

from customers import keys
from customers.accept import strict_json
from customers.models import InboxItem, MessageKey, QuarantinedEvent, Source
from tests.customers.partner_api import Api, api
from tests.customers.segment_door import Door

pytestmark = pytest.mark.django_db

# What stands where a property's value is, the code it gets, and where that points, seen from the properties.
VALUES: dict[str, tuple[bytes, str, str]] = {
    "depth": (b'{"a":' * 33 + b"1" + b"}" * 33, "json_too_deep", "/v" + "/a" * 30),
    "items": (b"[" + b"1," * 1000 + b"1]", "too_many_elements", "/v"),
    "repeated key": (b'{"a":1,"a":2}', "duplicate_key", "/v/a"),
    "NaN": (b"NaN", "number_not_finite", "/v"),
    "Infinity": (b"-Infinity", "number_not_finite", "/v"),
    "1e999": (b"1e999", "number_not_finite", "/v"),
    "1e131000": (b"1e131000", "number_out_of_range", "/v"),
    "5,000 digits": (b"9" * 5000, "number_out_of_range", "/v"),
    "2^53+1": (b"9007199254740993", "number_out_of_range", "/v"),
    "NUL": (b'"x\\u0000"', "nul_character", "/v"),
    "half a pair": (b'"\\ud800"', "invalid_unicode", "/v"),
    "no UTF-8": (b'"\xff"', "invalid_encoding", ""),
    "comma": (b"[1,]", "invalid_json", "/v"),
    "comment": (b"1 /* one */", "invalid_json", "/v"),
}


def segment_item(value: bytes) -> bytes:
    return b'{"type":"track","event":"e","userId":"user-1","messageId":"bad","properties":{"v":' + value + b"}}"


def native_item(value: bytes) -> bytes:
    return b'{"name":"e","id":"bad","identifiers":{"user_id":"user-1"},"properties":{"v":' + value + b"}}"


PAGE = "https://shop.example"


def from_page(key: str, body: bytes) -> Any:
    """What a browser posts for a page: JSON called text, by a key that everybody can read."""
    headers = {"Origin": PAGE, "Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
    return Client().generic("POST", "/v1/batch", body, content_type="text/plain", headers=headers)


Entry = Callable[[bytes], Any]


@pytest.fixture
def entries(door: Door, source: Source) -> dict[str, Entry]:
    partner: Api = api(source)
    shop = keys.issue_browser(source, [PAGE])
    good = {"segment": segment_item(b"1"), "native": native_item(b"1")}
    good = {name: item.replace(b'"bad"', b'"good"') for name, item in good.items()}
    return {
        "segment": lambda value: door.post("/v1/track", segment_item(value)),
        "segment batch": lambda value: door.post(
            "/v1/batch", b'{"batch":[' + good["segment"] + b"," + segment_item(value) + b"]}"
        ),
        "browser batch": lambda value: from_page(
            shop.public, b'{"batch":[' + good["segment"] + b"," + segment_item(value) + b"]}"
        ),
        "native": lambda value: partner.post("events", native_item(value)),
        "native batch": lambda value: partner.post(
            "events/batch", b'{"events":[' + good["native"] + b"," + native_item(value) + b"]}"
        ),
    }


ENTRIES = ("segment", "segment batch", "browser batch", "native", "native batch")


def faults(answer: Any, entry: str, code: str, pointer: str) -> list[str]:
    """What is not clear about this answer."""
    if answer.status_code >= 500:
        return [f"{answer.status_code}"]
    told = answer.json()
    in_batch = entry.endswith("batch") and answer.status_code == 200
    # A batch that is JSON as a whole tells of each item; all else is one problem.
    error = told["rejected"][0] if in_batch and told["rejected"] else (told.get("errors") or [{}])[0]
    found = []
    if error.get("code") != code:
        found.append(f"code {error.get('code')}")
    if not error.get("hint") or not error.get("message"):
        found.append("no hint")
    if not error.get("pointer", "").endswith(pointer):
        found.append(f"pointer {error.get('pointer')}")
    stored = set(InboxItem.objects.values_list("message_id", flat=True))
    if stored != ({"good"} if in_batch else set()):
        found.append(f"stored {sorted(stored)}")
    if not QuarantinedEvent.objects.filter(code=code).exists():
        found.append("not in quarantine")
    return found


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("name", VALUES)
def test_every_door_answers_clearly(name: str, entry: str, entries: dict[str, Entry]) -> None:
    value, code, pointer = VALUES[name]
    assert faults(entries[entry](value), entry, code, pointer) == []


def test_no_key_and_no_token_leave_nothing(source: Source) -> None:
    keys.issue(source)
    for path in ("/v1/track", "/v1/batch", "/api/v1/events", "/api/v1/events/batch"):
        answer = Client().post(path, segment_item(b"1"), content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), path
    assert (MessageKey.objects.count(), QuarantinedEvent.objects.count()) == (0, 0)


def test_control_without_strict_reading_answers_are_wrong(
    entries: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lenient(body: bytes) -> strict_json.Document:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            value = {}
        return strict_json.Document(value, body, may_hold_nul=False, may_hold_long_number=False)

    monkeypatch.setattr(strict_json, "parse", lenient)
    monkeypatch.setattr(strict_json, "is_sound", lambda document, items: True)
    wrong = {
        (name, entry)
        for name, (value, code, pointer) in VALUES.items()
        for entry in ENTRIES
        if faults(entries[entry](value), entry, code, pointer)
    }
    assert len(wrong) == len(VALUES) * len(ENTRIES)
