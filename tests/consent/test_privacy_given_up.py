"""What carries a request out may fail: it is carried out again, never refused half done; and whose word is enough."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from guardian.shortcuts import assign_perm

from consent.models import Erasure, PrivacyArchive, PrivacyRequest
from consent.privacy import carry_out, erasure, export, requests
from consent.privacy.due import days_left, today_there
from consent.privacy.requests import Asking, NotNow
from customers import jobs
from customers.models import Brand, Customer, Identifier, Job, ProfileBrand
from customers.privacy import erase
from tests.consent.test_privacy_requests import asked, merge_with_bia, officer, page
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = make_stage()
    stage.know("ana")
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    return stage


def work(stage: Stage) -> None:
    for _turn in range(4):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)


def test_an_erasure_that_failed_is_gone_on_with(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(stage, "erasure")
    carry_out.carry_out(request, stage.now, None)
    with monkeypatch.context() as broken:
        broken.setattr(erase, "take", lambda *_args: 1 / 0)
        work(stage)
    request.refresh_from_db()
    assert (request.state, Job.objects.get().state) == ("ready", "failed")
    assert not Identifier.objects.filter(value="ana").exists(), "it had begun"
    with pytest.raises(NotNow):
        requests.refuse(request, "legal_duty" if request.law == "lgpd" else "legal_claims", stage.now, None)
    carry_out.carry_out(request, stage.now, None)
    work(stage)
    request.refresh_from_db()
    assert request.state == "done"
    assert Erasure.objects.get().finished_at is not None
    assert not Customer.objects.exists()


def failed_with_both(stage: Stage, monkeypatch: pytest.MonkeyPatch, what: Any, name: str) -> PrivacyRequest:
    """Confirmed for Ana and Bia, and failed."""
    stage.know("bia")
    request = asked(stage, "erasure", assurance=4)
    erasure.ask(request, stage.now, None, shown=[*shown_of(request), profile_of("bia")])
    with monkeypatch.context() as broken:
        broken.setattr(what, name, lambda *_args: 1 / 0)
        work(stage)
    request.refresh_from_db()
    assert (request.state, Job.objects.get().state, Erasure.objects.count()) == ("ready", "failed", 1)
    return request


def shown_of(request: PrivacyRequest) -> list[UUID]:
    return list(requests.subject_of(request).profiles)


def profile_of(name: str) -> UUID:
    return Identifier.objects.get(value=name).profile_id


def test_an_erasure_confirmed_again_takes_nobody_who_was_shown_only_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = failed_with_both(stage, monkeypatch, erasure, "seal")
    shown = shown_of(request)
    erasure.ask(request, stage.now, None, shown=shown)
    begun = Erasure.objects.get()
    assert (begun.shown, begun.begun_at, bytes(begun.subject)) == (shown, stage.now, b"")
    stage.now += timedelta(seconds=1)
    merge_with_bia(stage)
    work(stage)
    request.refresh_from_db()
    assert request.job is not None
    assert (request.state, request.job.report) == ("ready", {"more_people": True})
    assert Identifier.objects.filter(value__in=["ana", "bia"], closed_at=None).count() == 2


def test_an_erasure_that_knows_whom_it_takes_goes_on_with_them(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    request = failed_with_both(stage, monkeypatch, erase, "take")
    before = Erasure.objects.get()
    erasure.ask(request, stage.now, None, shown=[])
    after = Erasure.objects.get()
    assert bytes(after.subject) == bytes(before.subject) != b""
    assert (after.shown, after.begun_at) == (before.shown, before.begun_at)


@pytest.mark.parametrize("how", ["fails", "is stopped"])
def test_an_export_that_did_not_come_about_is_asked_for_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    request = asked(stage, "access")
    carry_out.carry_out(request, stage.now, None)
    with monkeypatch.context() as broken:
        broken.setattr(export, "pack", lambda *_args: 1 / 0)
        if how == "is stopped":
            assert jobs.cancel(Job.objects.get().pk, stage.now)
        work(stage)
    request.refresh_from_db()
    assert (request.state, PrivacyArchive.objects.count()) == ("ready", 0)
    assert "carry it out again" in request.steps.latest("id").note
    carry_out.carry_out(request, stage.now, None)
    work(stage)
    assert PrivacyArchive.objects.count() == 1


@pytest.mark.parametrize(("kind", "is_done"), [("access", False), ("restriction", False), ("objection", True)])
def test_who_does_not_read_all_brands_hands_out_nothing_of_them(stage: Stage, kind: str, is_done: bool) -> None:
    rival = Brand.objects.create(key="rival", name="Rival")
    profile = Identifier.objects.get(value="ana").profile
    ProfileBrand.objects.create(profile=profile, brand=rival, first_seen_at=stage.now)
    client = officer(stage, "view_pii")
    request = asked(stage, kind)
    told = client.post(page("act", request), {"choice": "carry_out"}, follow=True).content.decode()
    request.refresh_from_db()
    refused = "the person is known in brands whose personal data you do not read"
    assert (refused in told, request.state == "done") == (not is_done, is_done)
    if is_done:
        return
    assert (request.state, request.restrictions.count(), Job.objects.count()) == ("ready", 0, 0)
    for right in ("view_brand", "view_pii"):
        assign_perm(right, User.objects.get(username="officer"), rival)
    client.post(page("act", request), {"choice": "carry_out"})
    request.refresh_from_db()
    assert request.state in ("working", "done")


def test_a_file_of_all_brands_is_not_downloaded_by_who_reads_one(stage: Stage) -> None:
    request = asked(stage, "access")
    carry_out.carry_out(request, stage.now, None)
    work(stage)
    client = officer(stage, "view_pii")
    assert client.get(page("file", request)).status_code == 200
    profile = Identifier.objects.get(value="ana").profile
    rival = Brand.objects.create(key="rival", name="Rival")
    ProfileBrand.objects.create(profile=profile, brand=rival, first_seen_at=stage.now)
    assert client.get(page("file", request)).status_code == 403
    assert PrivacyArchive.objects.get().downloads == 1


@pytest.mark.parametrize(
    ("zone", "now", "left"),
    [
        # The last day, 17 March there, begins and ends by the brand's clock.
        ("Australia/Sydney", datetime(2026, 3, 17, 12, 59, tzinfo=UTC), 0),
        ("Australia/Sydney", datetime(2026, 3, 17, 13, 0, tzinfo=UTC), -1),
        ("America/Sao_Paulo", datetime(2026, 3, 18, 2, 59, tzinfo=UTC), 0),
        ("America/Sao_Paulo", datetime(2026, 3, 18, 3, 0, tzinfo=UTC), -1),
        ("UTC", datetime(2026, 3, 12, 0, 0, tzinfo=UTC), 5),
    ],
)
def test_it_is_overdue_by_the_brands_clock(stage: Stage, zone: str, now: datetime, left: int) -> None:
    Brand.objects.update(zone=zone)
    request = PrivacyRequest.objects.create(
        brand=Brand.objects.get(), kind="access", law="lgpd", channel="email", opened_at=stage.now,
        due_on=datetime(2026, 3, 17, tzinfo=UTC).date(),
    )  # fmt: skip
    assert days_left(request, now) == left
    overdue: Any = PrivacyRequest.objects.filter(due_on__lt=today_there(now))
    soon: Any = PrivacyRequest.objects.filter(due_on__lte=today_there(now + timedelta(days=5)))
    assert (overdue.exists(), soon.exists()) == (left < 0, left <= 5)


def test_a_request_of_another_person_is_not_held_up(stage: Stage) -> None:
    names = requests.naming("email", "bia@example.com", [], stage.now)
    asking = Asking(brand=stage.brand, kind="access", law="gdpr", channel="form", names=names, assurance=3)
    other = requests.take_down(asking, stage.now)
    requests.refuse(other, "identity", stage.now, None)
    assert other.state == "refused"
