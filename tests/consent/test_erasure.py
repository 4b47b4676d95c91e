"""Erasure: nothing of the person stays, everything of others does, and nothing brings them back."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from channels.models import Message, RecentSend
from consent.models import (
    ConsentChain,
    ConsentEntry,
    ConsentEvidence,
    ErasedEvidence,
    Erasure,
    PrivacyRequest,
    PrivacyStep,
    Suppression,
)
from consent.permission import Ask, permissions
from consent.privacy import erasure, requests
from consent.privacy.requests import Asking, NotNow, NotSure
from consent.verify.consents import first_broken
from customers import audit, jobs
from customers.accept import erased as at_the_door
from customers.hooks.documents import FORM
from customers.ids import new_id
from customers.models import (
    Address,
    Customer,
    ErasedSubject,
    Event,
    EventPayload,
    Hook,
    Identifier,
    Import,
    ImportChunk,
    Profile,
    QuarantinedEvent,
    ReceivedBody,
    RefusedRow,
    Trait,
)
from customers.privacy import erase
from journeys.models import Cause, Run, Transition
from tests.consent.marked import Marked, leave_waiting, lie_about, live_through
from tests.journeys.stage import Stage, make_stage, welcome
from tests.promises.dump import search

pytestmark = pytest.mark.django_db

ANA, BIA = Marked("mkana7q"), Marked("mkbia7q")


@pytest.fixture
def stage() -> Stage:
    at_the_door.forget()
    stage = make_stage()
    stage.publish(welcome(entry={"event": "customer.signed_up", "key": "cart"}, steps=_keyed()))
    for one in (ANA, BIA):
        live_through(stage, one)
    for one in (ANA, BIA):
        lie_about(stage, one)
        leave_waiting(stage, one)
    return stage


def profiles_of(one: Marked) -> list[UUID]:
    return list(Identifier.objects.filter(value__startswith=one.stem).values_list("profile_id", flat=True))


def _keyed() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = welcome()["steps"]
    return [
        {**step, "branches": [{**branch, "key": "any"} for branch in step["branches"]]} if "branches" in step else step
        for step in steps
    ]


def asked(stage: Stage, one: Marked = ANA, kind: str = "erasure", assurance: int = 4) -> PrivacyRequest:
    names = requests.naming("user_id", one.user, [stage.source.namespace], stage.now)
    asking = Asking(
        brand=stage.brand, kind=kind, law="lgpd", channel="email", names=names, assurance=assurance, note=one("note")
    )
    return requests.take_down(asking, stage.now)


def carry_out(stage: Stage, request: PrivacyRequest, by: User | None = None) -> Erasure:
    """As the slow worker would: slice after slice, with a rest before the second look."""
    erasure.ask(request, stage.now, by)
    for _turn in range(50):
        jobs.work_on(lambda: stage.now, 2)
        request.refresh_from_db()
        if request.is_over:
            break
        stage.now += timedelta(seconds=61)
    assert request.state == "done", request.job and request.job.reason
    return Erasure.objects.get(request=request)


def test_nothing_of_the_person_stays_anywhere(stage: Stage) -> None:
    assert sum(search(ANA.stem).values()) > 20
    done = carry_out(stage, asked(stage))
    assert search(ANA.stem) == {}
    assert done.finished_at is not None
    assert bytes(done.subject) == b""
    assert (done.identifiers, done.addresses) == (2, 1)


def test_everything_of_others_stays(stage: Stage) -> None:
    before = search(BIA.stem)
    carry_out(stage, asked(stage))
    assert search(BIA.stem) == before
    assert Customer.objects.count() == 1


def test_facts_stay_without_what_they_told(stage: Stage) -> None:
    [profile] = Identifier.objects.filter(value=ANA.user).values_list("profile_id", flat=True)
    events = set(Event.objects.filter(profile_id=profile).values_list("id", flat=True))
    entries = set(ConsentEntry.objects.filter(profile_id=profile).values_list("id", flat=True))
    assert len(events) == 3
    assert len(entries) == 1
    carry_out(stage, asked(stage))
    assert set(Event.objects.filter(profile_id=profile).values_list("id", flat=True)) == events
    assert not EventPayload.objects.filter(event_id__in=events).exists()
    assert set(ConsentEntry.objects.filter(profile_id=profile).values_list("id", flat=True)) == entries
    assert not Profile.objects.filter(pk=profile).exists()
    assert not Trait.objects.filter(profile_id=profile).exists()
    assert ReceivedBody.objects.count() == 2
    assert QuarantinedEvent.objects.count() == 2
    settled = QuarantinedEvent.objects.get(reason="erased")
    assert (settled.raw, settled.detail, settled.status, settled.naming) == ("", "", "discarded", [])


def test_runs_end_and_letters_that_wait_are_cancelled_as_erased(stage: Stage) -> None:
    profiles = profiles_of(ANA)
    assert list(Run.objects.filter(profile_id__in=profiles).values_list("status", flat=True)) == [Run.Status.ACTIVE]
    carry_out(stage, asked(stage))
    run = Run.objects.get(profile_id__in=profiles)
    assert (run.status, run.entry_key, run.due_at) == (Run.Status.EXITED, "", None)
    assert Transition.objects.filter(run_id=run.pk).latest("seq").cause == Cause.ERASED
    assert list(Message.objects.filter(profile_id__in=profiles).values_list("state", "reason")) == [
        ("cancelled", "erased")
    ]
    assert list(Message.objects.exclude(profile_id__in=profiles).values_list("state", "reason")) == [("queued", "")]
    stage.pass_time(days=2)
    assert Message.objects.filter(profile_id__in=profiles).count() == 1
    assert Message.objects.exclude(profile_id__in=profiles).count() == 2


def test_chains_and_the_audit_trail_still_verify(stage: Stage) -> None:
    carry_out(stage, asked(stage))
    assert [first_broken(chain) for chain in ConsentChain.objects.values_list("pk", flat=True)] == [None, None]
    [erased] = ErasedEvidence.objects.all()
    assert not ConsentEvidence.objects.filter(pk=erased.entry_id).exists()
    assert ConsentEvidence.objects.count() == ConsentEntry.objects.count() - 1
    assert audit.verify(stage.now.date()) is None


def test_what_occurred_before_and_comes_late_creates_nothing_and_is_counted(stage: Stage) -> None:
    before = stage.now
    carry_out(stage, asked(stage))
    stage.run()
    people, events = Customer.objects.count(), Event.objects.count()
    stage.happen("cart.viewed", ANA.user, at=before)
    stage.happen("identify", "", at=before, email=ANA.email, traits={"email": ANA.email})
    assert (Customer.objects.count(), Event.objects.count()) == (people, events)
    assert sorted(ErasedSubject.objects.values_list("dropped", flat=True)) == [1, 1]
    assert search(ANA.stem) == {}


def test_a_later_event_begins_somebody_new_without_history_or_permission(stage: Stage) -> None:
    carry_out(stage, asked(stage))
    stage.now += timedelta(hours=1)
    stage.accept("identify", ANA.user, traits={"email": ANA.email}, email=ANA.email)
    stage.accept("consent.granted", ANA.user, properties={"purpose": "news"})
    stage.run()
    fresh = Identifier.objects.get(value=ANA.user).profile
    assert Event.objects.filter(profile_id=fresh.pk).count() == 2
    address = Address.objects.get(value=ANA.email)
    asks = [Ask(fresh.customer_id, address.pk, stage.purpose.pk)]
    assert permissions(asks, stage.now)[0][:2] == (False, "suppressed")
    stage.now += timedelta(hours=1)
    proven = {"purpose": "news", "method": "double_opt_in", "address": ANA.email}
    stage.happen("consent.granted", ANA.user, properties=proven)
    assert permissions(asks, stage.now)[0].allowed
    assert Suppression.objects.get(address=address).lifted_at == stage.now


def test_an_old_proof_of_consent_does_not_lift_the_suppression(stage: Stage) -> None:
    before = stage.now
    carry_out(stage, asked(stage))
    stage.now += timedelta(hours=1)
    stage.happen("identify", "other", email=ANA.email)
    stage.happen(
        "consent.granted", "other", at=before, properties={"purpose": "news", "method": "login", "address": ANA.email}
    )
    assert Suppression.objects.filter(address__value=ANA.email, lifted_at=None, reason="erasure").count() == 1


def test_a_bounce_before_the_erasure_comes_back_with_the_address(stage: Stage) -> None:
    Suppression.objects.create(address=Address.objects.get(value=ANA.email), reason="bounce", created_at=stage.now)
    carry_out(stage, asked(stage))
    stage.now += timedelta(hours=1)
    stage.happen("identify", "somebody", traits={"email": ANA.email}, email=ANA.email)
    reasons = Suppression.objects.filter(address__value=ANA.email).values_list("reason", flat=True)
    assert sorted(reasons) == ["bounce", "erasure"]


def test_an_address_that_another_uses_stays_with_them(stage: Stage) -> None:
    stage.happen("identify", BIA.user, traits={"email": BIA.email}, email=ANA.email)
    assert (
        Identifier.objects.get(value=ANA.user).profile.customer_id
        != Identifier.objects.get(value=BIA.user).profile.customer_id
    )
    carry_out(stage, asked(stage))
    shared = Address.objects.get(value=ANA.email)
    assert list(shared.profiles.values_list("profile__identifier__value", flat=True)) == [BIA.user]
    assert not Suppression.objects.filter(address=shared).exists()


def test_it_is_gone_on_with_where_a_dead_worker_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(stage)
    erasure.ask(request, stage.now, None)
    take, calls = erase.take, []

    def dies(*args: Any) -> Any:
        calls.append(args[0])
        if len(calls) == 20:
            raise KeyboardInterrupt
        return take(*args)

    monkeypatch.setattr(erase, "take", dies)
    with pytest.raises(KeyboardInterrupt):
        jobs.work_on(lambda: stage.now, 2)
    for _turn in range(9):
        stage.now += timedelta(seconds=61)
        jobs.work_on(lambda: stage.now, 2)
    request.refresh_from_db()
    assert request.state == "done"
    assert search(ANA.stem) == {}


def test_it_waits_for_a_body_that_is_not_interpreted_yet(stage: Stage) -> None:
    ReceivedBody.objects.update(status="waiting")
    request = asked(stage)
    erasure.ask(request, stage.now, None)
    for _turn in range(5):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)
    request.refresh_from_db()
    assert request.state == "working"
    assert set(search(ANA.stem)) == {"customers_receivedbody", "consent_privacyrequest", "consent_privacystep"} & set(
        search(ANA.stem)
    )
    ReceivedBody.objects.update(status="done")
    for _turn in range(5):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)
    request.refresh_from_db()
    assert request.state == "done"
    assert search(ANA.stem) == {}


def test_a_letter_that_a_provider_may_have_is_not_told_as_cancelled(stage: Stage) -> None:
    letter = Message.objects.get(profile_id__in=profiles_of(ANA))
    assert letter.address_id is not None
    RecentSend.objects.create(
        address_id=letter.address_id, copy_key=letter.copy_key, sent_at=letter.created_at, message_id=letter.pk
    )
    carry_out(stage, asked(stage))
    letter.refresh_from_db()
    assert (letter.state, letter.reason) == ("unknown", "interrupted")


def test_who_was_not_checked_is_not_erased(stage: Stage) -> None:
    request = asked(stage, assurance=2)
    assert request.state == "open"
    with pytest.raises(NotNow):
        erasure.ask(request, stage.now, None)
    PrivacyRequest.objects.filter(pk=request.pk).update(state="ready")
    with pytest.raises(NotSure):
        erasure.ask(request, stage.now, None)
    assert not Erasure.objects.exists()


def test_other_requests_of_the_same_person_are_emptied_as_well(stage: Stage) -> None:
    other = asked(stage, kind="access")
    carry_out(stage, asked(stage))
    other.refresh_from_db()
    assert (other.subject, other.state) == ([], "ready")
    assert not PrivacyStep.objects.exclude(note="").exists()


def test_whoever_is_called_almost_the_same_keeps_what_was_said_of_them(stage: Stage) -> None:
    longer = Marked(f"x{ANA.stem}")
    raw = [{"userId": ANA.user + "0"}, {"traits": {"email": longer.email}}, {"traits": {"email": ANA.email + ".br"}}]
    others = [
        QuarantinedEvent.objects.create(
            received_at=stage.now, source=stage.source, door="segment", code="wrong_type", raw=json.dumps(one)
        )
        for one in raw
    ]
    hook = Hook.objects.get()
    body = ReceivedBody.objects.create(
        hook=hook, received_at=stage.now, key=new_id(), digest=new_id(), content_type=FORM,
        body=urlencode({"payer": longer.email}).encode(), status="done",
    )  # fmt: skip
    file = Import.objects.get(pk=Import.objects.earliest("pk").pk)
    ImportChunk.objects.filter(parent=file).delete()
    ImportChunk.objects.create(parent=file, number=0, data=f"email\n{'y' * 400}x".encode())
    ImportChunk.objects.create(parent=file, number=1, data=f"{ANA.email}\n".encode())
    row = RefusedRow.objects.create(parent=file, row=9, code="x", message="No.", cells=[longer.email, ANA.user + "0"])
    carry_out(stage, asked(stage))
    for one, said in zip(others, raw, strict=True):
        one.refresh_from_db()
        assert (json.loads(one.raw), one.status) == (said, "open")
    body.refresh_from_db()
    assert longer.email.partition("@")[0] in bytes(body.body).decode()
    row.refresh_from_db()
    assert row.cells == [longer.email, ANA.user + "0"]
    assert ImportChunk.objects.filter(parent=file).count() == 2


def test_a_person_is_found_by_number_and_short_id_however_they_are_written(stage: Stage) -> None:
    stage.happen("identify", ANA.user, phone="+5511987654321", crm_id="an7")
    for raw in ("tel=%2B55+(11)+98765-4321&x=1", "a=1&crm=an7", "crm=an7&a=1", '{"crm": "an7"}'):
        QuarantinedEvent.objects.create(
            received_at=stage.now, source=stage.source, door="segment", code="wrong_type", raw=raw
        )
    kept = QuarantinedEvent.objects.create(
        received_at=stage.now, source=stage.source, door="segment", code="wrong_type", raw='{"said": "an an7 an8"}'
    )
    carry_out(stage, asked(stage))
    assert QuarantinedEvent.objects.filter(raw="", reason="erased").count() == 5
    kept.refresh_from_db()
    assert kept.raw == '{"said": "an an7 an8"}'
