"""Identities as the world sends them: recycled phones, shared devices, the erased, and several workers at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from consent.models import Purpose, Suppression
from consent.permission import Ask, permissions
from customers import erased, work
from customers.accept import erased as at_the_door
from customers.ids import NIL
from customers.models import Address, Edge, ErasedSubject, Event, Identifier, InboxItem, Profile, QuarantinedEvent
from customers.resolve import resolve_inbox
from tests.customers.segment_door import NOW, Door, identify, track
from tests.journeys.stage import Stage, make_stage


def people() -> list[set[str]]:
    found: dict[UUID, set[str]] = {}
    for one in Identifier.objects.select_related("profile"):
        found.setdefault(one.profile.customer_id, set()).add(one.value)
    return sorted(found.values(), key=sorted)


@pytest.mark.django_db(transaction=True)
def test_four_workers_that_close_a_circle_make_one_person(transactional_db: None) -> None:
    """A=B, B=C, C=A and D=A, each known to another worker: one graph, no edge lost, and nobody waits for ever."""
    stage = make_stage()
    pairs = (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    for name in "abcd":
        stage.happen("page.viewed", "", device=name)
    for turn in range(5):
        stage.pass_time(minutes=1)
        for one, other in pairs:
            stage.accept("page.viewed", "", device=one, anonymous_id=f"{other}{turn}")
            stage.accept("page.viewed", "", device=other, anonymous_id=f"{other}{turn}")
        start = Barrier(4)

        def turn_of(_number: int, start: Barrier = start) -> None:
            try:
                start.wait()
                while InboxItem.objects.exists():
                    resolve_inbox(stage.now, limit=2)
            finally:
                work.close()
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(turn_of, range(4)))
    assert len(people()) == 1
    assert Edge.objects.filter(skipped=True).count() == 0
    assert Event.objects.count() == 4 + 5 * 8


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def allowed(stage: Stage, user: str, address: str) -> bool:
    home = Profile.objects.get(identifier__value=user).customer_id
    ask = Ask(home, Address.objects.get(value=address, channel="sms").pk, Purpose.objects.get().pk)
    return permissions([ask], stage.now)[0].allowed


def test_a_recycled_phone_brings_its_next_owner_no_consent(stage: Stage) -> None:
    """The grant was the former owner's; what was refused at the address stays refused, whoever has it."""
    phone = "+5511912345678"
    stage.happen("identify", "ana", phone=phone, traits={"phone": phone})
    stage.happen("consent.granted", "ana", properties={"purpose": "news"})
    assert allowed(stage, "ana", phone)
    stage.pass_time(days=400)
    stage.happen("identify", "bia", phone=phone, traits={"phone": phone})
    assert {"bia"} in people()
    assert not allowed(stage, "bia", phone)
    assert not allowed(stage, "ana", phone), "her own grant has ended with the number"
    stage.happen("consent.granted", "bia", properties={"purpose": "news"})
    assert allowed(stage, "bia", phone)
    Suppression.objects.create(
        address=Address.objects.get(value=phone, channel="sms"), reason=Suppression.Reason.STOP, created_at=stage.now
    )
    assert not allowed(stage, "bia", phone)


def test_what_was_done_on_a_shared_device_before_stays_the_first_ones(stage: Stage) -> None:
    stage.happen("page.viewed", "", anonymous_id="tablet")
    stage.happen("page.viewed", "ana", anonymous_id="tablet")
    ana = Identifier.objects.get(value="ana").profile.customer_id
    stage.pass_time(days=1)
    stage.happen("page.viewed", "bia", anonymous_id="tablet")
    stage.happen("page.viewed", "", anonymous_id="tablet")
    bia = Identifier.objects.get(value="bia").profile.customer_id
    assert ana != bia
    homes = dict(Profile.objects.values_list("pk", "customer_id"))
    assert [homes[one] for one in Event.objects.order_by("id").values_list("profile_id", flat=True)] == [
        ana, ana, bia, bia,
    ]  # fmt: skip


# --- the erased ------------------------------------------------------------------------------------


@pytest.fixture
def forgotten(door: Door) -> ErasedSubject:
    """Ana was erased a minute ago."""
    at_the_door.forget()
    digest = erased.digest(NIL, "email", "ana@example.com")
    return ErasedSubject.objects.create(digest=digest, erased_at=NOW - timedelta(minutes=1))


def told(**changes: Any) -> dict[str, Any]:
    return identify(**{"timestamp": (NOW - timedelta(hours=1)).isoformat(), **changes})


def test_what_tells_of_somebody_erased_is_refused_and_counted_and_not_kept(
    door: Door, forgotten: ErasedSubject
) -> None:
    answer = door.batch(told(), track(messageId="m-2"))
    assert [one["code"] for one in answer["rejected"]] == ["erased_subject"]
    assert list(InboxItem.objects.values_list("message_id", flat=True)) == ["m-2"]
    assert not QuarantinedEvent.objects.exists()
    forgotten.refresh_from_db()
    assert forgotten.dropped == 1


def test_what_happened_later_begins_a_new_person(door: Door, forgotten: ErasedSubject) -> None:
    assert door.post("/v1/identify", told(timestamp=NOW.isoformat())).status_code == 200
    resolve_inbox(NOW)
    assert Identifier.objects.filter(value="ana@example.com").exists()
    forgotten.refresh_from_db()
    assert forgotten.dropped == 0


def test_what_was_accepted_before_somebody_was_erased_is_dropped_as_it_is_resolved(door: Door) -> None:
    at_the_door.forget()
    assert door.post("/v1/identify", told()).status_code == 200
    digest = erased.digest(NIL, "email", "ana@example.com")
    subject = ErasedSubject.objects.create(digest=digest, erased_at=NOW)
    resolve_inbox(NOW)
    assert (InboxItem.objects.count(), Event.objects.count(), Identifier.objects.count()) == (0, 0, 0)
    subject.refresh_from_db()
    assert subject.dropped == 1


def test_nobody_is_told_who_was_erased_by_the_hash() -> None:
    one = erased.digest(NIL, "email", "ana@example.com")
    assert one != erased.digest(NIL, "phone", "ana@example.com")
    assert b"ana" not in one
    assert len(one) == 32
