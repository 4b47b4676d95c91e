"""Consent that names a device: a token or a browser's endpoint instead of a mailbox."""

from typing import Any

import pytest

from consent.models import ConsentEntry, ConsentHead, Purpose
from consent.requests import GRANTED, REQUESTED, WITHDRAWN, read
from consent.stage import apply_queued
from customers import clock, keys
from customers.models import Address, Source
from customers.resolve.stage import resolve_inbox
from tests.consent import people
from tests.consent.test_claims import post
from tests.customers.segment_door import Door, track

ENDPOINT = "https://fcm.googleapis.com/fcm/send/cJ8x:APA91b"
ANA = (("user_id", "ana"), ("email", "ana@example.com"))


def said(**properties: Any) -> dict[str, Any]:
    return {"properties": {"purpose": "offers", "channel": "push", "address": ENDPOINT, **properties}}


def places(name: str, payload: dict[str, Any]) -> list[tuple[str, str] | None]:
    requests, _problems = read(name, payload, ANA)
    return [tuple(one.place) if one.place else None for one in requests]  # type: ignore[misc]  # it is a pair


@pytest.mark.parametrize("address", [ENDPOINT, "cJ8x:APA91b", "a" * 1_000])
@pytest.mark.parametrize("name", [GRANTED, WITHDRAWN])
def test_it_hangs_on_the_device_and_on_no_mailbox(name: str, address: str) -> None:
    assert places(name, said(address=address)) == [("push", address)]


def test_without_an_address_the_channel_says_nothing() -> None:
    assert places(GRANTED, said(address=None)) == [("email", "ana@example.com")]
    assert places(GRANTED, said(channel="sms", address="ana@example.com")) == [("email", "ana@example.com")]


@pytest.mark.parametrize("address", ["", " ", "a b", "ana@example.com", "ä", "a" * 1_001, "a\n", 5, [], {"a": 1}])
def test_what_is_no_device_grants_nothing_and_loses_no_withdrawal(address: Any) -> None:
    requests, problems = read(GRANTED, said(address=address), ANA)
    assert (requests, [(one.code, one.pointer) for one in problems]) == ([], [("wrong_type", "/properties/address")])
    [withdrawal] = read(WITHDRAWN, said(address=address), ANA)[0]
    assert withdrawal.body["evidence"]["left_out"] == "address"


def test_nobody_is_asked_by_mail_about_a_device() -> None:
    requests, problems = read(REQUESTED, said(), ANA)
    assert (requests, [one.code for one in problems]) == ([], ["required"])


@pytest.fixture
def source(db: None) -> Source:
    source = people.make_source(people.make_brand())
    people.make_purpose(source.brand, "offers")
    return source


def claimed(source: Source, event: str, id_: str, **properties: Any) -> None:
    told = said(**properties)["properties"]
    when = clock.utcnow().isoformat()
    post(source, track(messageId=id_, event=event, userId=None, anonymousId="a-1", timestamp=when, properties=told))


def test_a_page_s_claim_about_a_device_is_in_force_and_asks_nobody(source: Source) -> None:
    assert Purpose.objects.get().needs_confirmation
    claimed(source, "consent.granted", "m-1")
    assert list(ConsentEntry.objects.values_list("state", "method", "address__value")) == [("given", "claim", ENDPOINT)]


def test_a_page_s_claim_about_a_mailbox_is_still_no_more_than_a_request(source: Source) -> None:
    claimed(source, "consent.granted", "m-1", channel="email", address="ana@example.com")
    assert list(ConsentEntry.objects.values_list("state", flat=True)) == ["deferred"]


def test_a_page_s_claim_takes_back_no_no_that_was_surely_said(source: Source) -> None:
    claimed(source, "consent.granted", "m-1")
    address = Address.objects.get(channel="push")
    head = ConsentHead.objects.get()
    assert head.profile is not None
    people.tell(address, head.profile, Purpose.objects.get(), "withdrawn", clock.utcnow())
    claimed(source, "consent.granted", "m-2")
    assert ConsentHead.objects.get().state == "withdrawn"
    assert list(ConsentEntry.objects.order_by("pk").values_list("state", flat=True))[:2] == ["given", "withdrawn"]


def test_a_server_s_word_about_a_device_is_taken_as_any(source: Source) -> None:
    door = Door(source, keys.issue(source)[1])
    told = said(address="cJ8x:APA91b")["properties"]
    door.batch(track(event="consent.granted", timestamp=clock.utcnow().isoformat(), properties=told))
    resolve_inbox(clock.utcnow())
    apply_queued(clock.utcnow())
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.method, entry.address.value) == ("given", "event", "cJ8x:APA91b")
