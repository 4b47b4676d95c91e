"""Refused consent is applied, as of when it was told, once the cause of its refusal is mended."""

from typing import Any

import pytest

from consent import requests
from consent.apps import ConsentConfig
from consent.models import ConsentChain, ConsentEntry, ConsentItem, Purpose
from consent.stage import apply_queued
from customers import bells, quarantine
from customers.models import Address, Profile, QuarantinedEvent, Source
from customers.quarantine import replay
from customers.resolve import resolve_inbox
from tests.consent.people import hours, make_notice, make_purpose, tell, verdict
from tests.consent.test_consent_in_events import granted
from tests.consent.test_consent_stage import queue
from tests.journeys.stage import Stage, make_stage

NOW = hours(10)
LATER = hours(20)

pytestmark = pytest.mark.django_db


def open_rows() -> list[int]:
    return list(QuarantinedEvent.objects.filter(status="open").order_by("id").values_list("id", flat=True))


def refusals() -> list[str]:
    result = replay(open_rows(), LATER)
    assert result.replayed == 0
    return [refusal.code for refusal in result.refusals.values()]


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def told(stage: Stage, name: str, payload: dict[str, Any]) -> None:
    stage.accept(name, **payload)
    resolve_inbox(stage.now)


def test_a_withdrawal_for_an_unknown_purpose_is_applied_once_the_purpose_is_made(
    source: Source, profile: Profile, address: Address
) -> None:
    queue(source, profile, address, "withdrawn", purpose="promo")
    apply_queued(NOW)
    promo = make_purpose(source.brand, "promo")
    tell(address, profile, promo, "given", hours(0))
    assert verdict(profile.customer, address, promo, LATER).allowed
    assert replay(open_rows(), LATER).replayed == 1
    assert apply_queued(LATER) == 1
    entry = ConsentEntry.objects.get(state="withdrawn")
    assert (entry.occurred_at, entry.effective_at, entry.recorded_at) == (hours(1), hours(1), LATER)
    assert (entry.event_id, entry.message_id, entry.source_id) == (5, "m1", source.pk)
    assert verdict(profile.customer, address, promo, LATER).reason == "withdrawn"
    assert (ConsentItem.objects.count(), open_rows()) == (0, [])


def test_it_is_replayed_once_however_often_it_is_asked_for(
    source: Source, profile: Profile, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(bells, "ring", rung.append)
    queue(source, profile, address, purpose="promo")
    apply_queued(NOW)
    make_purpose(source.brand, "promo")
    rows = open_rows()
    assert [replay(rows, LATER).replayed for _n in range(2)] == [1, 0]
    assert (ConsentItem.objects.count(), rung) == (1, ["engine"])
    row = QuarantinedEvent.objects.get()
    assert (row.status, row.settled_at) == ("replayed", LATER)


def test_while_the_purpose_is_unknown_it_stays_and_nothing_is_queued(
    source: Source, profile: Profile, address: Address
) -> None:
    queue(source, profile, address, "withdrawn", purpose="promo")
    apply_queued(NOW)
    assert refusals() == ["unknown_purpose"]
    assert (ConsentItem.objects.count(), len(open_rows())) == (0, 1)


def test_a_later_answer_outlasts_an_earlier_one_that_is_replayed(
    source: Source, profile: Profile, address: Address
) -> None:
    queue(source, profile, address, "withdrawn", purpose="promo")
    apply_queued(NOW)
    promo = make_purpose(source.brand, "promo")
    tell(address, profile, promo, "given", NOW)
    replay(open_rows(), LATER)
    apply_queued(LATER)
    assert verdict(profile.customer, address, promo, LATER).allowed


def test_a_grant_is_applied_once_its_notice_is_made(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
) -> None:
    queue(source, profile, address, notice="sign-up", notice_version=1)
    apply_queued(NOW)
    assert refusals() == ["unknown_notice"]
    version = make_notice(source.brand)
    assert replay(open_rows(), LATER).replayed == 1
    apply_queued(LATER)
    assert ConsentEntry.objects.get().notice_version_id == version.pk


def test_consent_of_an_address_erased_since_stays_refused(source: Source, profile: Profile, address: Address) -> None:
    queue(source, profile, address, purpose="promo")
    apply_queued(NOW)
    make_purpose(source.brand, "promo")
    ConsentChain.objects.all().delete()
    address.delete()
    assert refusals() == ["erased_subject"]
    assert ConsentItem.objects.count() == 0


def test_what_cannot_be_read_stays_with_its_own_reason(stage: Stage) -> None:
    told(stage, "consent.granted", {"properties": {"purpose": "news", "valid_until": "soon", "language": 5}})
    row = QuarantinedEvent.objects.get()
    assert (row.code, row.pointer) == ("invalid_timestamp", "/properties/valid_until")
    assert row.detail.endswith("Also wrong_type at /properties/language.")
    assert refusals() == ["invalid_timestamp"]


def test_what_can_be_read_meanwhile_is_applied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = {**granted(purpose="news", language="x" * 21), "email": "ana@example.com"}
    told(stage, "consent.granted", payload)
    assert ConsentItem.objects.count() == 0
    monkeypatch.setitem(requests._TEXTS, "language", 21)
    assert replay(open_rows(), LATER).replayed == 1
    item = ConsentItem.objects.get()
    assert Address.objects.get(pk=item.address_id).value == "ana@example.com"
    assert (item.request["purpose"], item.occurred_at, item.received_at) == ("news", stage.now, stage.now)
    assert item.brand_id == stage.brand.pk


def test_of_an_event_read_in_part_only_the_other_part_is_queued_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"consent": {"categoryPreferences": {"news": True, "promo": "yes", "gossip": "no"}}}
    told(stage, requests.PREFERENCES, {"context": answers})
    assert [item.request["purpose"] for item in ConsentItem.objects.all()] == ["news"]
    assert len(open_rows()) == 1

    def generous(preferences: dict[str, object]) -> tuple[dict[str, bool], list[requests.Problem]]:
        return {key: value in (True, "yes") for key, value in preferences.items()}, []

    monkeypatch.setattr(requests, "_preferences", generous)
    assert replay(open_rows(), LATER).replayed == 1
    queued = [(item.request["purpose"], item.request["state"]) for item in ConsentItem.objects.order_by("id")]
    assert queued[0] == ("news", "given")
    assert sorted(queued[1:]) == [("gossip", "withdrawn"), ("promo", "given")]


def test_what_was_not_kept_whole_is_not_guessed_at(source: Source) -> None:
    for raw in ("{", "{}", '{"type":"item"}', ""):
        QuarantinedEvent.objects.create(source=source, door="consent", code="x", raw=raw, received_at=NOW)
    assert refusals() == ["unreadable"] * 4


def test_a_door_nobody_registered_for_gets_nothing_replayed(source: Source) -> None:
    QuarantinedEvent.objects.create(source=source, door="carrier pigeon", code="x", raw="{}", received_at=NOW)
    assert refusals() == ["door_unknown"]


def test_every_door_is_registered() -> None:
    ConsentConfig.create("consent").ready()
    assert set(quarantine._replayers) == {"api", "cloudevents", "consent", "csv", "hook", "segment"}
