"""What comes late of the erased and is refused: its reason, time and size are kept, and not a word of what it said."""

import gzip
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from django.test import Client

from consent import refusals
from customers import erased, keys, quarantine
from customers.accept.naming import digests
from customers.hooks.documents import FORM
from customers.ids import NIL, new_id
from customers.models import ErasedSubject, Import, QuarantinedEvent, ReceivedBody, RefusedRow, Source
from customers.pg import raw_cursor
from customers.resolve.stage import resolve_inbox
from tests.customers import importing
from tests.customers.hooked import PAID, Sender, interpret, make_hook
from tests.customers.partner_api import NOW, api, event
from tests.customers.segment_door import track
from tests.promises.dump import search

pytestmark = pytest.mark.django_db

STEM = "mkgone7q"
USER, EMAIL = f"{STEM}user", f"{STEM}mail@example.com"
PHONE, CPF, SHORT, AFAR = "+5511987654321", "52998224725", "zé7", "Łukasz-Ωmega"
ERASED_AT = NOW - timedelta(minutes=30)
BEFORE, AFTER = "2026-11-23T11:00:00Z", "2026-11-23T11:50:00Z"
PACKED = {"Content-Encoding": "gzip"}


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)


@pytest.fixture(autouse=True)
def _erased(source: Source) -> None:
    names = [
        (source.namespace, "user_id", USER), (NIL, "email", EMAIL), (NIL, "phone", PHONE), (NIL, "cpf", CPF),
        (source.namespace, "user_id", SHORT), (source.namespace, "anonymous_id", AFAR),
    ]  # fmt: skip
    with raw_cursor() as cursor:
        erased.record(cursor, [erased.digest(*name) for name in names], ERASED_AT)


def kept() -> QuarantinedEvent:
    row = QuarantinedEvent.objects.get()
    assert search(STEM) == {}
    return row


def said(size: int) -> str:
    return f"It names somebody who was erased: none of its {size:,} bytes are kept."


def facts(row: QuarantinedEvent) -> tuple[Any, ...]:
    return row.raw, row.message_id, row.naming, row.status, row.reason, row.settled_at


GONE: tuple[Any, ...] = ("", "", [], "discarded", "erased", NOW)


def malformed(**changes: Any) -> dict[str, Any]:
    return event(occurred_at=BEFORE, identifiers={"user_id": USER}, id=f"{USER}-1", **changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"shoe": EMAIL}, "unknown_field"),
        ({"name": ""}, "invalid_name"),
        ({"properties": 7}, "wrong_type"),
        ({"properties": {EMAIL: {"schema_version": 9}}, "name": f"x{'y' * 130}"}, "invalid_name"),
    ],
)
@pytest.mark.parametrize("path", ["events", "events/batch"])
def test_a_refused_event_keeps_why_when_and_how_much(source: Source, path: str, changes: Any, code: str) -> None:
    item = malformed(**changes)
    api(source).post(path, {"events": [item]} if path.endswith("batch") else item)
    row = kept()
    assert (row.code, row.door, row.received_at, row.source_id) == (code, "api", NOW, source.pk)
    assert facts(row) == GONE
    assert row.detail.startswith("It names somebody who was erased: none of its ")
    assert ErasedSubject.objects.get(digest=erased.digest(source.namespace, "user_id", USER)).dropped == 1


def test_one_that_is_too_old_is_as_late_as_any(source: Source) -> None:
    api(source).post("events", event(occurred_at="2020-01-01T00:00:00Z", identifiers={"email": EMAIL.upper()}))
    assert (kept().code, facts(kept())) == ("too_old", GONE)


def test_others_in_the_same_batch_are_kept_whole(source: Source) -> None:
    other = event(name="", occurred_at=BEFORE, identifiers={"user_id": "bia-whole"})
    api(source).post("events/batch", {"events": [malformed(name=""), other]})
    rows = QuarantinedEvent.objects.order_by("id")
    assert [one.status for one in rows] == ["discarded", "open"]
    assert orjson.loads(rows[1].raw) == other
    assert search(STEM) == {}


@pytest.mark.parametrize(
    "who",
    [
        {"phone": "(11) 98765-4321"}, {"phone": "11 98765 4321"}, {"note": "call +55 11 98765-4321 at noon"},
        {"cpf": "529.982.247-25"}, {"user_id": SHORT}, {"anonymous_id": AFAR}, {"note": f"write to <{EMAIL}>, please"},
        {"url": f"https://x.example/?q={EMAIL}&y=1"}, {"id": 52998224725},
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_spelled(source: Source, who: dict[str, Any]) -> None:
    Source.objects.update(region="BR")
    api(source).post("events", event(name="", occurred_at=BEFORE, identifiers=who))
    assert facts(kept()) == GONE


@pytest.mark.parametrize("who", [{"user_id": "zé70"}, {"user_id": "zé"}, {"email": f"x{EMAIL}"}, {"phone": "+5511987"}])
def test_whoever_goes_by_another_name_is_kept(source: Source, who: dict[str, Any]) -> None:
    api(source).post("events", event(name="", occurred_at=BEFORE, identifiers=who))
    assert QuarantinedEvent.objects.get().status == "open"


def test_a_local_name_means_nobody_in_another_namespace(source: Source) -> None:
    other = Source.objects.create(brand=source.brand, key="other", name="Other", namespace=new_id())
    api(other).post("events", malformed(name=""))
    assert QuarantinedEvent.objects.get().status == "open"


def test_what_happened_since_is_of_somebody_new_and_kept(source: Source) -> None:
    api(source).post("events", {**malformed(name=""), "occurred_at": AFTER})
    assert QuarantinedEvent.objects.get().status == "open"


def test_what_tells_no_time_is_kept_once_they_came_back(source: Source) -> None:
    untimed = {key: value for key, value in malformed(name="").items() if key != "occurred_at"}
    api(source).post("events", untimed)
    assert facts(kept()) == GONE
    api(source).post("events", event(id="back", identifiers={"user_id": USER}))
    resolve_inbox(NOW)
    api(source).post("events", untimed)
    api(source).post("events", malformed(name="", type="nothing"))
    assert list(QuarantinedEvent.objects.order_by("id").values_list("status", flat=True)) == [
        "discarded", "open", "discarded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b'{"identifiers": {"email": "%b"}, "name"' % EMAIL.encode(),
        b'[{"x": "%b"' % USER.encode(),
        b'{"name": NaN, "identifiers": {"user_id": "z\\u00e97"}}',
        f'{{"user_id": "{EMAIL}", "x": 1}}'.encode("utf-16-le"),
        b'{"user_id": "%b", "user_id": 1}' % USER.encode(),
    ],
    ids=["torn", "torn id", "not finite", "two bytes a character", "twice"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_nobody_can_read_is_searched_all_the_same(source: Source, body: bytes, packed: bool) -> None:
    sent = gzip.compress(body)[:-4] if packed else body
    assert api(source).post("events", sent, **(PACKED if packed else {})).status_code == 400
    row = kept()
    assert facts(row) == GONE
    assert row.code == "invalid_gzip" if packed else row.code != ""


def test_a_whole_batch_refused_at_once_is_searched(source: Source) -> None:
    api(source).post("events/batch", {"events": [malformed()], "sent": True})
    assert (kept().code, facts(kept())) == ("unknown_field", GONE)


@pytest.mark.parametrize("mode", ["structured", "batch", "binary"])
def test_cloud_events(source: Source, mode: str) -> None:
    told = {
        "specversion": "1.0", "id": "e", "source": "/x", "type": "a.b", "time": BEFORE, "subject": USER,
        "userid": EMAIL, "data": {"x": [EMAIL]}, "Wrong": 1,
    }  # fmt: skip
    if mode == "binary":
        headers = {f"ce-{name}": str(value) for name, value in told.items() if name not in ("data", "Wrong")}
        api(source).post("cloudevents", b'{"x": "%b' % EMAIL.encode(), **headers)
    else:
        body = [told] if mode == "batch" else told
        kind = "application/cloudevents-batch+json" if mode == "batch" else "application/cloudevents+json"
        api(source).post("cloudevents", body, content_type=kind)
    assert facts(kept()) == GONE


@pytest.mark.parametrize("is_page", [False, True])
def test_calls_of_libraries_and_pages(source: Source, is_page: bool) -> None:
    item = track(userId=USER, timestamp=BEFORE, event="", context={"page": {"search": f"?e={EMAIL}"}})
    if is_page:
        key = keys.issue_browser(source, ["https://shop.example"])
        body = orjson.dumps({"writeKey": key.public, "batch": [item]})
        Client().generic(
            "POST", "/v1/batch", body, content_type="text/plain", headers={"Origin": "https://shop.example"}
        )
    else:
        basic = "Basic " + b64encode(f"{keys.issue(source)[1]}:".encode()).decode()
        Client().generic(
            "POST", "/v1/track", orjson.dumps(item), content_type="application/json", headers={"Authorization": basic}
        )
    assert (kept().door, kept().from_page, facts(kept())) == ("segment", is_page, GONE)


def bodies() -> list[tuple[str, str, bytes, dict[str, str]]]:
    return [
        (one.status, one.reason, bytes(one.body), one.headers) for one in ReceivedBody.objects.order_by("id")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b'{"customer": "%b", ' % EMAIL.encode(), "application/json", "failed", "invalid_json"),
        (f"customer={EMAIL}&type=x".replace("@", "%40").encode(), FORM, "unhandled", "unhandled"),
        (orjson.dumps({"type": "payment.paid", "customer": USER}), "application/json", "failed", "mapping_failed"),
        (orjson.dumps({**PAID, "payer": EMAIL}), "application/json", "done", ""),
    ],
    ids=["torn", "none of its business", "not mapped", "names them besides"],
)  # fmt: skip
def test_bodies_of_webhooks(source: Source, body: bytes, kind: str, status: str, reason: str) -> None:
    Sender(make_hook(source)).post(body, content_type=kind, headers={"x-payer": EMAIL})
    interpret()
    assert bodies() == [(status, reason, b"", {"content-length": str(len(body))})]
    assert search(STEM) == {}


def test_a_body_whose_event_tells_of_them_goes_with_it(source: Source) -> None:
    ErasedSubject.objects.update(erased_at=NOW)
    Sender(make_hook(source)).post({**PAID, "customer": USER})
    interpret()
    assert [(status, body) for status, _reason, body, _headers in bodies()] == [("done", b"")]
    assert ReceivedBody.objects.get().refused == 1
    assert search(STEM) == {}


def test_a_body_of_whoever_came_back_is_kept(source: Source) -> None:
    Sender(make_hook(source)).post({**PAID, "customer": USER})
    interpret()
    [(status, _reason, body, _headers)] = bodies()
    assert (status, orjson.loads(body)["customer"]) == ("done", USER)


def test_what_a_mapping_makes_and_acceptance_refuses_is_not_kept_either(source: Source) -> None:
    hook = make_hook(source)
    hook.mapping["events"][0]["occurred_at"] = {"path": "/at"}
    hook.save()
    Sender(hook).post({**PAID, "customer": USER, "at": "2020-01-01T00:00:00Z"})
    interpret()
    assert (kept().code, kept().door, facts(kept())) == ("too_old", "hook", GONE)
    assert [body for _status, _reason, body, _headers in bodies()] == [b""]


def test_rows_of_files(source: Source) -> None:
    at = datetime.fromisoformat
    early, late = "2026-03-01T09:00:00Z", "2026-03-02T11:59:00Z"
    ErasedSubject.objects.update(erased_at=at("2026-03-02T11:00:00Z"))
    parent = importing.orders(
        source, f"customer,when,total\n{USER},{early},x\n{EMAIL},{late},y\n{USER},{late},z\nbia,{early},w\n"
    )
    importing.run(parent)
    rows = RefusedRow.objects.order_by("row").values_list("code", "cells")
    assert [(code, len(cells)) for code, cells in rows] == [
        ("not_a_number", 0), ("not_a_number", 0), ("not_a_number", 0), ("not_a_number", 3),
    ]  # fmt: skip
    assert Import.objects.get().removed_at is not None
    assert search(STEM) == {}


def test_a_refused_consent(source: Source) -> None:
    refused = refusals.Refused(
        received_at=NOW, source_id=source.pk, code="unknown_purpose", pointer="/purpose", detail="No.",
        message_id=USER, name="consent.granted", raw=orjson.dumps({"occurred_at": BEFORE, "x": EMAIL}).decode(),
    )  # fmt: skip
    with raw_cursor() as cursor:
        refusals.keep(cursor, [refused])
    assert (kept().code, kept().name, kept().pointer, facts(kept())) == (
        "unknown_purpose", "consent.granted", "/purpose", GONE,
    )  # fmt: skip


@pytest.mark.parametrize("is_mended", [False, True])
def test_what_waited_for_mending_is_emptied_when_it_turns_out_to_be_theirs(source: Source, is_mended: bool) -> None:
    item = event(occurred_at=BEFORE, identifiers={"user_id": USER})
    row = QuarantinedEvent.objects.create(
        received_at=NOW, source=source, door="api", code="unplanned_event", detail="x", message_id=USER,
        raw=orjson.dumps(item).decode(), naming=list(digests(item)),
    )  # fmt: skip
    if is_mended:
        refusal = quarantine.replay_mended(row.pk, row.raw, NOW)
    else:
        refusal = quarantine.replay([row.pk], NOW).refusals[row.pk]
    assert refusal is not None
    assert refusal.code == "erased_subject"
    assert facts(kept()) == GONE


def test_all_is_kept_where_nobody_was_erased(source: Source) -> None:
    ErasedSubject.objects.all().delete()
    api(source).post("events", malformed(name=""))
    assert QuarantinedEvent.objects.get().status == "open"
