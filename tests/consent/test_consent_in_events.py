"""What events say about consent, and what is queued of it."""

from typing import Any

import orjson
import pytest

from consent.apps import ConsentConfig
from consent.events import consume
from consent.models import ConsentItem
from consent.requests import read
from consent.stage import pending_profiles
from customers import consumers
from customers.consumers import Resolved, ResolvedEvent
from customers.models import Address, Profile, QuarantinedEvent, Source
from tests.consent.people import T0, hours, make_address, some_id

PREFERENCES = "Segment Consent Preference Updated"


def bodies(name: str, payload: dict[str, Any], *identifiers: tuple[str, str]) -> list[tuple[str, str]]:
    requests, _problems = read(name, payload, identifiers)
    return [(one.body["purpose"], one.body["state"]) for one in requests]


def problems(name: str, payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.code, one.pointer) for one in read(name, payload, ())[1]]


def granted(**properties: Any) -> dict[str, Any]:
    return {"properties": {"purpose": "newsletter", **properties}}


def preferences(**answers: Any) -> dict[str, Any]:
    return {"context": {"consent": {"categoryPreferences": answers}}}


def event(
    source: Source,
    profile: Profile,
    payload: dict[str, Any],
    *,
    name: str = "consent.granted",
    identifiers: tuple[tuple[str, str], ...] = (("user_id", "u1"),),
    historical: bool = False,
    kind: str = "track",
) -> ResolvedEvent:
    return ResolvedEvent(
        id=7,
        received_at=hours(1),
        occurred_at=T0,
        brand_id=source.brand_id,
        source_id=source.pk,
        profile_id=profile.pk,
        customer_id=profile.customer_id,
        kind=kind,
        name=name,
        message_id="m1",
        historical=historical,
        identifiers=identifiers,
        payload_text=orjson.dumps(payload).decode(),
    )


def test_segments_preferences_are_one_consent_per_category():
    answers = preferences(newsletter=True, offers=False)
    assert bodies(PREFERENCES, answers) == [("newsletter", "given"), ("offers", "withdrawn")]


def test_native_events_name_one_purpose():
    assert bodies("consent.granted", granted()) == [("newsletter", "given")]
    assert bodies("consent.withdrawn", granted()) == [("newsletter", "withdrawn")]


def test_all_that_surrounds_the_answer_is_kept():
    payload = {
        "properties": {
            "purpose": "newsletter",
            "notice": "sign-up",
            "notice_version": 3,
            "language": "pt-BR",
            "legal_basis": "lgpd:7:I",
            "jurisdiction": "BR",
            "collector": "web form",
            "method": "double_opt_in",
            "valid_until": "2027-01-01T00:00:00Z",
            "url": "https://shop.example/a",
        },
        "context": {"ip": "203.0.113.9", "userAgent": "Firefox", "page": {"url": "https://shop.example/b"}},
    }
    (request,) = read("consent.granted", payload, (("user_id", "u"), ("email", "ana@example.com")))[0]
    assert request.place == ("email", "ana@example.com")
    assert request.body == {
        "purpose": "newsletter",
        "state": "given",
        "method": "double_opt_in",
        "notice": "sign-up",
        "notice_version": 3,
        "valid_until": "2027-01-01T00:00:00+00:00",
        "texts": {
            "language": "pt-BR",
            "legal_basis": "lgpd:7:I",
            "jurisdiction": "BR",
        },
        "evidence": {
            "collector": "web form",
            "url": "https://shop.example/a",
            "ip": "203.0.113.9",
            "user_agent": "Firefox",
        },
    }


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2027-01-01T01:00:00+23:59:45", "2026-12-31T01:00:15+00:00"),
        ("2201-01-01T00:59:59+01:00", "2200-12-31T23:59:59+00:00"),
        ("1899-12-31T23:00:00-01:00", "1900-01-01T00:00:00+00:00"),
    ],
)
def test_until_when_consent_is_valid_is_kept_in_utc(told: str, kept: str):
    (request,) = read("consent.granted", granted(valid_until=told), ())[0]
    assert request.body["valid_until"] == kept


def test_an_address_that_is_named_goes_before_the_identifiers():
    payload = granted(address="Other@Example.COM")
    (request,) = read("consent.granted", payload, (("email", "ana@example.com"),))[0]
    assert (request.place, request.original) == (("email", "other@example.com"), "Other@Example.COM")


@pytest.mark.parametrize("claimed", ["staff", "one_click", "api", "carrier pigeon"])
def test_an_event_cannot_claim_a_method_that_is_not_its_own(claimed: str):
    (request,) = read("consent.granted", granted(method=claimed), ())[0]
    assert request.body["method"] == "event"
    assert request.body["evidence"] == {"claimed_method": claimed}


BAD_DETAILS = [
    ({"address": "not an address"}, "not_one_address", "/properties/address"),
    ({"address": 5}, "wrong_type", "/properties/address"),
    ({"notice": "sign-up"}, "wrong_type", "/properties/notice_version"),
    ({"notice": 5, "notice_version": 1}, "wrong_type", "/properties/notice"),
    ({"notice": "sign-up", "notice_version": True}, "wrong_type", "/properties/notice_version"),
    ({"valid_until": "soon"}, "invalid_timestamp", "/properties/valid_until"),
    ({"valid_until": "2027-01-01T00:00:00"}, "timezone_required", "/properties/valid_until"),
    ({"valid_until": "9999-12-31T23:59:59-10:00"}, "invalid_timestamp", "/properties/valid_until"),
    ({"valid_until": "0001-01-01T00:00:00+10:00"}, "invalid_timestamp", "/properties/valid_until"),
    ({"valid_until": "1899-12-31T23:59:59Z"}, "invalid_timestamp", "/properties/valid_until"),
    ({"valid_until": "2200-12-31T23:59:59-01:00"}, "invalid_timestamp", "/properties/valid_until"),
    ({"language": "x" * 21}, "too_long", "/properties/language"),
    ({"ip": 5}, "wrong_type", "/properties/ip"),
    ({"legal_basis": "lgpd:99"}, "unknown_legal_basis", "/properties/legal_basis"),
    ({"legal_basis": "they said so"}, "unknown_legal_basis", "/properties/legal_basis"),
    ({"jurisdiction": "XX"}, "unknown_jurisdiction", "/properties/jurisdiction"),
    ({"jurisdiction": "Brazil"}, "unknown_jurisdiction", "/properties/jurisdiction"),
]


@pytest.mark.parametrize(("details", "code", "pointer"), BAD_DETAILS)
def test_a_grant_with_unreadable_details_is_refused(details: dict[str, Any], code: str, pointer: str):
    assert bodies("consent.granted", granted(**details)) == []
    assert problems("consent.granted", granted(**details)) == [(code, pointer)]


@pytest.mark.parametrize(("details", "_code", "pointer"), BAD_DETAILS)
def test_a_withdrawal_is_never_lost_over_its_details(details: dict[str, Any], _code: str, pointer: str):
    requests, refused = read("consent.withdrawn", granted(**details), ())
    assert ([one.body["state"] for one in requests], refused) == (["withdrawn"], [])
    assert requests[0].body["evidence"]["left_out"] == pointer.rpartition("/")[2]


def test_what_is_no_known_basis_is_kept_as_evidence_of_a_withdrawal():
    (request,) = read("consent.withdrawn", granted(legal_basis="as agreed", jurisdiction="BR"), ())[0]
    assert request.body["texts"] == {"jurisdiction": "BR"}
    assert request.body["evidence"] == {"legal_basis": "as agreed", "left_out": "legal_basis"}


def test_a_basis_that_is_not_known_is_refused_with_those_that_are():
    [problem] = read("consent.granted", granted(legal_basis="lgpd"), ())[1]
    assert problem.detail == (
        "No basis that is known. Name a law and its article, as in lgpd:7:I, gdpr:6:1:a, app:7:3:b or spam-act:16:2."
    )


def test_a_withdrawal_whose_address_cannot_be_read_holds_for_the_person():
    (request,) = read("consent.withdrawn", granted(address="no"), (("email", "ana@example.com"),))[0]
    assert request.place is None


def test_a_refused_grant_does_not_take_the_withdrawal_beside_it_along():
    payload = preferences(newsletter=True, offers=False) | {"properties": {"valid_until": "soon"}}
    assert bodies(PREFERENCES, payload) == [("offers", "withdrawn")]
    assert problems(PREFERENCES, payload) == [("invalid_timestamp", "/properties/valid_until")]


@pytest.mark.parametrize(
    ("name", "payload", "code"),
    [
        ("consent.granted", {"properties": {}}, "required"),
        ("consent.withdrawn", {"properties": {"purpose": 5}}, "required"),
        (PREFERENCES, {}, "required"),
        (PREFERENCES, {"context": {"consent": []}}, "required"),
        (PREFERENCES, preferences(newsletter="yes"), "wrong_type"),
    ],
)
def test_an_event_that_answers_nothing_is_refused(name: str, payload: dict[str, Any], code: str):
    assert bodies(name, payload) == []
    assert [one for one, _pointer in problems(name, payload)] == [code]


@pytest.mark.django_db
def test_consent_is_queued_at_the_address_named_by_the_event(source: Source, profile: Profile):
    address = make_address("ana@example.com")
    consume(Resolved([event(source, profile, granted(), identifiers=(("email", "ana@example.com"),))], [], T0))
    item = ConsentItem.objects.get()
    assert (item.address_id, item.profile_id, item.event_id, item.message_id) == (
        address.pk,
        profile.pk,
        7,
        "m1",
    )
    assert (item.occurred_at, item.received_at, item.request["state"]) == (T0, hours(1), "given")
    assert Address.objects.count() == 1
    assert pending_profiles([profile.pk, some_id()]) == {profile.pk}
    assert pending_profiles([]) == set()


@pytest.mark.django_db
def test_without_an_address_consent_hangs_on_the_person(source: Source, profile: Profile):
    consume(Resolved([event(source, profile, granted(), historical=True)], [], T0))
    consume(Resolved([event(source, profile, granted())], [], T0))
    person = Address.objects.get()
    assert (person.pk, person.channel, person.value) == (profile.pk, "person", str(profile.pk))
    assert list(ConsentItem.objects.values_list("address_id", flat=True)) == [profile.pk] * 2


@pytest.mark.django_db
def test_a_new_address_keeps_the_spelling_it_was_named_with(source: Source, profile: Profile):
    consume(Resolved([event(source, profile, granted(address="Bo@Example.com"))], [], T0))
    address = Address.objects.get()
    assert (address.value, address.original) == ("bo@example.com", "Bo@Example.com")


@pytest.mark.django_db
def test_other_events_are_left_alone(source: Source, profile: Profile):
    consume(Resolved([event(source, profile, granted(), name="Order Completed")], [], T0))
    consume(Resolved([event(source, profile, granted(), kind="identify")], [], T0))
    assert (ConsentItem.objects.count(), Address.objects.count(), QuarantinedEvent.objects.count()) == (
        0,
        0,
        0,
    )


@pytest.mark.django_db
def test_what_is_refused_can_be_found_in_the_quarantine(source: Source, profile: Profile):
    consume(Resolved([event(source, profile, granted(valid_until="soon"))], [], T0))
    kept = QuarantinedEvent.objects.get()
    assert (kept.door, kept.code, kept.pointer) == ("consent", "invalid_timestamp", "/properties/valid_until")
    assert (kept.message_id, kept.source_id, kept.status) == ("m1", source.pk, "open")
    assert ConsentItem.objects.count() == 0


def test_resolve_tells_consent_of_every_batch():
    ConsentConfig.create("consent").ready()
    assert consumers._consumers.count(consume) == 1


def test_no_identifier_of_an_event_is_mistaken_for_an_address():
    (request,) = read("consent.granted", granted(), (("user_id", "ana@example.com"),))[0]
    assert request.place is None
