"""The consent stage: queued consent becomes entries, in order, past busy addresses, losing nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from django.db import connection, transaction

from consent.confirming import answer
from consent.models import Confirmation, ConsentChain, ConsentEntry, ConsentHead, ConsentItem, Purpose
from consent.permission import lock_address, prepare_locks
from consent.stage import apply_queued
from consent.verify.consents import first_broken
from customers import work
from customers.models import (
    Address,
    BatchClaim,
    Brand,
    DeadLetter,
    Profile,
    QuarantinedEvent,
    Source,
    UnitAttempt,
)
from tests.consent.people import hours, make_address, make_notice, verdict

NOW = hours(10)


def queue(
    source: Source, profile: Profile, address: Address, state: str = "given", at: float = 1, **request: Any
) -> ConsentItem:
    body: dict[str, Any] = {
        "purpose": "newsletter",
        "state": state,
        "method": "event",
        "notice": "",
        "notice_version": None,
        "valid_until": None,
        "texts": {},
        "evidence": {},
    }
    return ConsentItem.objects.create(
        address_id=address.pk,
        profile_id=profile.pk,
        brand_id=source.brand_id,
        source_id=source.pk,
        event_id=5,
        message_id="m1",
        occurred_at=hours(at),
        received_at=hours(at + 1),
        request=body | request,
    )


@pytest.mark.django_db
def test_queued_consent_becomes_an_entry_that_names_its_event(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
):
    version = make_notice(newsletter.brand)
    queue(
        source, profile, address, notice="sign-up", notice_version=1, valid_until="2027-01-01T00:00:00+00:00",
        texts={"language": "pt-BR"}, evidence={"ip": "203.0.113.9"}, method="login",
    )  # fmt: skip
    assert apply_queued(NOW) == 1
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.method, entry.effective_at, entry.recorded_at) == (
        "given",
        "login",
        hours(1),
        NOW,
    )
    assert (entry.event_id, entry.message_id, entry.source_id) == (5, "m1", source.pk)
    assert (entry.notice_version_id, entry.language) == (version.pk, "pt-BR")
    assert entry.valid_until is not None
    assert entry.evidence.fields == {"ip": "203.0.113.9"}
    assert (ConsentItem.objects.count(), QuarantinedEvent.objects.count()) == (0, 0)
    assert verdict(profile.customer, address, newsletter, NOW).entry_id == entry.pk
    assert apply_queued(NOW) == 0


@pytest.mark.django_db
def test_items_of_one_address_are_applied_in_their_order(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
):
    other = make_address("bo@example.com")
    for n, state in enumerate(["given", "withdrawn", "given"]):
        queue(source, profile, address, state, n)
        queue(source, profile, other, "withdrawn", n)
    assert apply_queued(NOW) == 6
    entries = ConsentEntry.objects.filter(address=address).order_by("position")
    assert list(entries.values_list("state", flat=True)) == ["given", "withdrawn", "given"]
    assert (first_broken(address.pk), first_broken(other.pk)) == (None, None)


@pytest.mark.django_db
def test_no_more_than_the_limit_is_taken(source: Source, profile: Profile, address: Address, newsletter: Purpose):
    for n in range(3):
        queue(source, profile, address, at=n)
    assert apply_queued(NOW, limit=2) == 2
    assert ConsentItem.objects.count() == 1


@pytest.mark.django_db
def test_an_unknown_purpose_is_kept_in_the_quarantine(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
):
    queue(source, profile, address, purpose="horoscope")
    queue(source, profile, address)
    assert apply_queued(NOW) == 2
    kept = QuarantinedEvent.objects.get()
    assert (kept.door, kept.code, kept.pointer) == ("consent", "unknown_purpose", "/properties/purpose")
    assert (kept.message_id, kept.received_at) == ("m1", hours(2))
    assert orjson.loads(kept.raw)["request"]["purpose"] == "horoscope"
    assert (ConsentEntry.objects.count(), ConsentItem.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_a_grant_under_an_unknown_notice_is_refused_and_a_withdrawal_applied(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
):
    make_notice(newsletter.brand)
    queue(source, profile, address, notice="sign-up", notice_version=2)
    queue(source, profile, address, "withdrawn", notice="sign-up", notice_version=2)
    apply_queued(NOW)
    assert list(QuarantinedEvent.objects.values_list("code", flat=True)) == ["unknown_notice"] * 2
    entry = ConsentEntry.objects.get()
    assert (entry.state, entry.notice_version_id) == ("withdrawn", None)


@pytest.mark.django_db
def test_a_purpose_of_another_brand_is_unknown(source: Source, profile: Profile, address: Address):
    other = Brand.objects.create(key="other", name="Other")
    Purpose.objects.create(brand=other, key="newsletter", name="N", kind="marketing")
    queue(source, profile, address)
    apply_queued(NOW)
    assert QuarantinedEvent.objects.get().code == "unknown_purpose"
    assert ConsentEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_poison_item_ends_as_a_dead_letter_and_permission_fails_closed(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
):
    other = make_address("bo@example.com")
    poison = queue(source, profile, address, valid_until="broken")
    for _n in range(3):
        queue(source, profile, other)
    for n in range(8):
        apply_queued(hours(10 + n))
    assert (ConsentEntry.objects.count(), ConsentItem.objects.count()) == (3, 0)
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.unit_id, letter.attempts) == ("consent", poison.pk, 5)
    assert (UnitAttempt.objects.count(), BatchClaim.objects.count()) == (0, 0)
    assert verdict(profile.customer, other, newsletter, NOW).reason == "consent_unsettled"


@pytest.mark.django_db(transaction=True)
def test_a_busy_address_waits_for_the_next_pass_and_the_others_go_on(
    source: Source, profile: Profile, address: Address, newsletter: Purpose
):
    free = make_address("bo@example.com")
    prepare_locks([address.pk])
    queue(source, profile, address)
    queue(source, profile, free)

    def elsewhere() -> int:
        try:
            return apply_queued(NOW)
        finally:
            work.close()
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        lock_address(address.pk)
        assert pool.submit(elsewhere).result(timeout=10) == 1
    assert list(ConsentItem.objects.values_list("address_id", flat=True)) == [address.pk]
    assert apply_queued(NOW) == 1
    assert ConsentHead.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_apply_every_item_once(source: Source, profile: Profile, newsletter: Purpose):
    addresses = [make_address(f"a{n}@example.com") for n in range(10)]
    for n in range(200):
        queue(source, profile, addresses[n % 10], at=n)

    def drain(_n: int) -> None:
        try:
            while ConsentItem.objects.exists():
                apply_queued(hours(999), limit=20)
        finally:
            work.close()
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(drain, range(4)))
    assert ConsentEntry.objects.count() == 200
    assert set(ConsentChain.objects.values_list("length", flat=True)) == {20}
    assert [first_broken(one.pk) for one in addresses] == [None] * 10
    assert (QuarantinedEvent.objects.count(), DeadLetter.objects.count()) == (0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("is_asked_first", [True, False])
def test_a_request_and_a_no_that_come_together_keep_their_order(
    source: Source,
    profile: Profile,
    address: Address,
    newsletter: Purpose,
    mails: list[Confirmation],
    is_asked_first: bool,
):
    states = ["requested", "withdrawn"] if is_asked_first else ["withdrawn", "requested"]
    for n, state in enumerate(states):
        queue(source, profile, address, state, n)
    assert apply_queued(NOW) == 2
    assert list(ConsentEntry.objects.order_by("position").values_list("state", flat=True)) == states
    outcome = answer.confirm(mails[0], hours(11))
    assert outcome == (Confirmation.Outcome.OVERTAKEN if is_asked_first else Confirmation.Outcome.CONFIRMED)
    assert verdict(profile.customer, address, newsletter, hours(11)).allowed == (not is_asked_first)
