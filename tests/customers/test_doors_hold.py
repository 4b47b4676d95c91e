"""The doors that no description covers hold, whatever comes: bodies, types, signatures, keys, pages of others."""

import os
from base64 import b64encode
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import keys
from customers.models import Source
from tests.customers.hooked import PAID, SECRET, make_hook, standard
from tests.customers.partner_api import NOW, issue
from tests.customers.segment_door import track

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("EXAMPLES", "1000" if os.environ.get("FULL") else "40"))
PAGE = "https://shop.example"
SAID = {200, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
TYPES = st.sampled_from(
    [
        "application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "text/plain",
        "application/cloudevents+json", "application/cloudevents-batch+json", "application/vnd.x+json", "", "x",
    ]
) | TEXTS  # fmt: skip
FOUND = ("type", "userId", "event", "batch", "writeKey", "specversion", "id", "source", "userid", "data", "timestamp")
ITEMS = st.dictionaries(st.sampled_from(FOUND), JSON | st.sampled_from(["track", "1.0", "u-1", "/x"]), max_size=8)


def written(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return repr(value).encode(errors="surrogatepass")


BODIES = st.binary(max_size=60) | (ITEMS | JSON | st.lists(ITEMS, max_size=3)).map(written)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


def hold(strategies: dict[str, Any], call: Any) -> None:
    """Every answer is one of those that doors give, and a refusal is a problem."""
    told: list[int] = []

    @given(**strategies)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not os.environ.get("FULL"),
        database=None,
    )
    def every_call(**values: Any) -> None:
        answer = call(**values)
        assert answer.status_code in SAID, (answer.status_code, answer.content)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["errors"][0]["hint"]
        told.append(answer.status_code)

    every_call()
    assert len(told) >= EXAMPLES


def test_a_hook_holds_whatever_is_signed_and_sent(source: Source) -> None:
    hook = make_hook(source)
    client = Client()

    def call(body: bytes, kind: str, signed: bool, name: str, value: str, method: str) -> Any:
        headers = {name: value, **(standard(SECRET, uuid4().hex, NOW, body) if signed else {})}
        address = f"/hooks/{hook.pk if kind != 'x' else uuid4()}"
        return client.generic(method, address, body, content_type=kind, headers=headers)

    names = st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "X-Signature", "Content-Encoding"])
    methods = st.sampled_from(["POST"] * 6 + ["GET", "PUT", "OPTIONS"])
    bodies = BODIES | st.just(orjson.dumps(PAID))
    hold(
        {"body": bodies, "kind": TYPES, "signed": st.booleans(), "name": names, "value": TEXTS, "method": methods},
        call,
    )


def test_the_doors_of_pages_and_servers_hold_whatever_is_posted(source: Source) -> None:
    browser, server = keys.issue_browser(source, [PAGE]).public, keys.issue(source)[1]
    client = Client()

    def call(path: str, body: bytes, kind: str, key: str, origin: str, method: str) -> Any:
        named = body.replace(b'"writeKey":null', b'"writeKey":' + orjson.dumps(key))
        headers = {"Origin": origin} if origin else {}
        if method == "OPTIONS":
            headers["Access-Control-Request-Method"] = "POST"
        if key == server:
            headers["Authorization"] = "Basic " + b64encode(f"{key}:".encode()).decode()
        return client.generic(method, f"/v1/{path}", named, content_type=kind, headers=headers)

    paths = st.sampled_from(["batch", "track", "identify", "page", "screen", "group", "alias"])
    said = st.just(orjson.dumps({**track(), "writeKey": None})) | BODIES
    batches = st.lists(ITEMS, max_size=3).map(lambda items: written({"batch": items, "writeKey": None}))
    hold(
        {
            "path": paths,
            "body": said | batches,
            "kind": TYPES,
            "key": st.sampled_from([browser or "", server, "x"]),
            "origin": st.sampled_from([PAGE, "https://other.example", "null", ""]) | TEXTS,
            "method": st.sampled_from(["POST"] * 5 + ["OPTIONS", "GET"]),
        },
        call,
    )


def test_the_door_of_cloudevents_holds_whatever_stands_in_headers(source: Source) -> None:
    token = issue(source)[1]
    client = Client()

    def call(body: bytes, kind: str, attributes: dict[str, str], good: bool) -> Any:
        event = {"specversion": "1.0", "id": "e-1", "source": "/x", "type": "x", "userid": "u"} if good else {}
        headers = {f"ce-{name}": value for name, value in {**event, **attributes}.items()}
        headers["Authorization"] = f"Bearer {token}"
        return client.generic("POST", "/api/v1/cloudevents", body, content_type=kind, headers=headers)

    names = st.sampled_from(["id", "time", "subject", "data", "historical", "schemaversion", "region", "dataschema"])
    hold(
        {
            "body": BODIES,
            "kind": TYPES,
            "attributes": st.dictionaries(names | st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True), TEXTS, max_size=3),
            "good": st.booleans(),
        },
        call,
    )
