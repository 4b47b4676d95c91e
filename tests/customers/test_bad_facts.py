"""Times and names as no door may take them (BAD_INPUTS B and C): singly, in a batch, by webhook and in a file."""

import csv
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from customers.models import InboxItem, QuarantinedEvent, ReceivedBody, RefusedRow, Source
from tests.customers import importing
from tests.customers.hooked import Sender, interpret, make_hook
from tests.customers.partner_api import api, event
from tests.customers.segment_door import NOW, Door, identify

pytestmark = pytest.mark.django_db

# A body or a row tells its time and its names as they are: nothing is made right on the way.
MAPPING: dict[str, Any] = {
    "events": [
        {
            "key": "row",
            "name": {"constant": "Order Completed"},
            "occurred_at": "/when",
            "identifiers": {"user_id": "/user_id", "email": "/email", "phone": "/phone"},
        }
    ]
}
GOOD = "2026-11-23T11:59:00Z"
# The code it gets at every door.
Refuse = Callable[[dict[str, Any]], str]


@pytest.fixture
def doors(door: Door, source: Source, monkeypatch: pytest.MonkeyPatch) -> dict[str, Refuse]:
    monkeypatch.setattr(importing, "NOW", NOW)
    partner, sender = api(source), Sender(make_hook(source, mapping=MAPPING))

    def segment(told: dict[str, Any]) -> str:
        answer = door.post("/v1/identify", _identify(told))
        return "" if answer.status_code == 200 else str(answer.json()["code"])

    def native(told: dict[str, Any]) -> str:
        answer = partner.post("events", _event(told, "native"))
        return "" if answer.status_code == 200 else str(answer.json()["code"])

    def batch(told: dict[str, Any]) -> str:
        answer = partner.post("events/batch", {"events": [_event(told, "batch")]}).json()
        return answer["rejected"][0]["code"] if answer["rejected"] else ""

    def webhook(told: dict[str, Any]) -> str:
        assert sender.post({"when": GOOD} | told).status_code == 200
        interpret()
        [body] = ReceivedBody.objects.all()
        refused = QuarantinedEvent.objects.filter(door="hook").values_list("code", flat=True)
        return str(body.problems[0]["code"]) if body.problems else refused.first() or ""

    def file(told: dict[str, Any]) -> str:
        cells = {"when": GOOD} | told
        text = io.StringIO()
        csv.writer(text).writerows([cells.keys(), cells.values()])
        importing.run(importing.orders(source, text.getvalue(), _mapping(cells)), NOW)
        return RefusedRow.objects.values_list("code", flat=True).first() or ""

    return {"segment": segment, "native": native, "batch": batch, "webhook": webhook, "file": file}


def _mapping(cells: dict[str, Any]) -> dict[str, Any]:
    [rule] = MAPPING["events"]
    return {"events": [rule | {"identifiers": {kind: f"/{kind}" for kind in cells if kind != "when"}}]}


def _identify(told: dict[str, Any]) -> dict[str, Any]:
    """Segment's libraries tell an address among the traits."""
    traits = {key: told[key] for key in ("email", "phone") if key in told}
    who = {"userId": told.get("user_id"), "anonymousId": None if "user_id" in told else "device-1"}
    return identify(timestamp=told.get("when", GOOD), messageId="segment", traits=traits, **who)


def _event(told: dict[str, Any], id_: str) -> dict[str, Any]:
    names = {key: value for key, value in told.items() if key != "when"}
    return event(id=id_, occurred_at=told.get("when", GOOD), identifiers=names)


def answers(doors: dict[str, Refuse], told: dict[str, Any]) -> dict[str, str]:
    return {name: refuse(told) for name, refuse in doors.items()}


TIMES = {
    "no offset": ("2026-11-23T11:59:00", "timezone_required"),
    "seconds as text": ("1795435140", "wrong_type"),
    "milliseconds as text": ("1795435140000", "wrong_type"),
    "year 1": ("0001-01-01T00:00:00Z", "invalid_timestamp"),
    "year 99999": ("99999-01-01T00:00:00Z", "invalid_timestamp"),
    "leap second": ("2026-06-30T23:59:60Z", "invalid_timestamp"),
    "hour 24": ("2026-11-22T24:00:00Z", "invalid_timestamp"),
    "February 30th": ("2026-02-30T10:00:00Z", "invalid_timestamp"),
    "two days ahead": ("2026-11-25T12:00:00Z", "timestamp_in_future"),
    "five years ago": ("2021-11-23T12:00:00Z", "too_old"),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_cannot_be_is_refused_at_every_door(name: str, doors: dict[str, Refuse]) -> None:
    when, code = TIMES[name]
    assert answers(doors, {"user_id": "u-1", "when": when}) == dict.fromkeys(doors, code)
    assert InboxItem.objects.count() == 0


@pytest.mark.parametrize("when", [1795435140, 1795435140000.0, True, ["2026-11-23T11:59:00Z"]])
def test_a_time_that_is_no_text_is_refused_where_json_is_spoken(when: Any, doors: dict[str, Refuse]) -> None:
    doors.pop("file")
    # A mapping that is to make text of it says so by a step.
    wanted = dict.fromkeys(doors, "wrong_type") | {"webhook": "not_text"}
    assert answers(doors, {"user_id": "u-1", "when": when}) == wanted
    assert InboxItem.objects.count() == 0


NAMES = {
    "Kelvin sign": ("email", "\u212aelvin@x.com", "email_not_canonical"),
    "dotless i": ("email", "\u0131@x.com", "email_not_canonical"),
    "long s": ("email", "\u017f@x.com", "email_not_canonical"),
    "full-width letters": ("email", "\uff41na@x.com", "email_not_canonical"),
    "zero width in the domain": ("email", "a@ex\u200bample.com", "invalid_email"),
    "two addresses": ("email", "a@b.com, c@d.com", "not_one_address"),
    "a name before it": ("email", '"x, y@z" <a@b.com>', "not_one_address"),
    "a header behind it": ("email", "a@x.com\nBcc: b@y.com", "not_one_address"),
    "a long local part": ("email", "a" * 65 + "@x.com", "invalid_email"),
    "a long address": ("email", "a@" + "b." * 130 + "com", "invalid_email"),
    "this machine": ("email", "t@localhost", "invalid_email"),
    "a number of a machine": ("email", "t@[127.0.0.1]", "invalid_email"),
    "no country": ("phone", "11 91234-5678", "phone_without_country"),
    "a mobile of old": ("phone", "+55 11 8234-5678", "phone_invalid"),
    "an extension": ("phone", "+5511912345678;ext=5", "phone_with_extension"),
    "a premium number": ("phone", "+1 900 555 1234", "phone_type_not_allowed"),
    "null": ("user_id", "null", "blocked_identifier"),
    "undefined": ("user_id", "undefined", "blocked_identifier"),
    "0": ("user_id", "0", "blocked_identifier"),
    "-1": ("user_id", "-1", "blocked_identifier"),
    "anonymous": ("user_id", "anonymous", "blocked_identifier"),
    "the address of a test": ("email", "test@test.com", "blocked_identifier"),
    "zeros": ("user_id", "000.000.000-00", "blocked_identifier"),
    "300 characters": ("user_id", "x" * 300, "identifier_too_long"),
    "10,000 characters": ("email", "a" * 10_000, "identifier_too_long"),
    "text turned round": ("user_id", "a\u202eb", "control_character"),
    "a character without width": ("user_id", "a\u200bb", "control_character"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_nobodys_is_refused_at_every_door(name: str, doors: dict[str, Refuse]) -> None:
    kind, value, code = NAMES[name]
    assert answers(doors, {kind: value}) == dict.fromkeys(doors, code)
    assert InboxItem.objects.count() == 0


SAME = {
    "spaces and capitals": ("email", "Ana@X.com ", "ana@x.com"),
    "decomposed": ("email", "joa\u0303o@x.com", "jo\u00e3o@x.com"),
    "a homograph": ("email", "a@\u0435xample.com", "a@xn--xample-2of.com"),
    "a phone in Arabic digits": ("phone", "+\u0665\u0665\u0661\u0661912345678", "+5511912345678"),
    "a phone as a link": ("phone", "tel:+55-11-91234-5678", "+5511912345678"),
    "another system's id": ("user_id", "a/😀", "a/😀"),
}


@pytest.mark.parametrize("name", SAME)
def test_every_door_reads_a_name_alike(name: str, doors: dict[str, Refuse]) -> None:
    kind, value, read = SAME[name]
    assert set(answers(doors, {kind: value}).values()) == {""}
    found = {tuple(one[:2]) for row in InboxItem.objects.all() for one in _identifiers(row)}
    assert found - {("anonymous_id", "device-1")} == {(kind, read)}


def _identifiers(row: InboxItem) -> list[list[str]]:
    found: list[list[str]] = orjson.loads(row.identifiers)
    return found
