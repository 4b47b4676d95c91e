"""What goes on beside an erasure: others' events, exports under way, and requests of those who share an address."""

from datetime import timedelta
from typing import Any

import pytest

from consent.models import Erasure, PrivacyArchive, PrivacyRequest
from consent.privacy import carry_out, erasure, export, requests
from consent.privacy.requests import Asking
from customers import jobs
from customers.accept import erased as at_the_door
from customers.models import DeadLetter, DuplicatePair, Edge, Identifier, InboxItem, Trait
from customers.privacy import erase
from customers.privacy.subject import find
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    """Ana, whose address Bia gives as well; the edge between them is skipped, since Bia has one already."""
    at_the_door.forget()
    stage = make_stage()
    stage.know("ana")
    stage.happen("identify", "bia", traits={"email": "bia@example.com"}, email="bia@example.com")
    stage.happen("identify", "bia", traits={"x": 1}, email="ana@example.com")
    return stage


def asked(stage: Stage, kind: str, by: str, value: str, note: str = "") -> PrivacyRequest:
    names = requests.naming(by, value, requests.namespaces_of(stage.brand), stage.now)
    asking = Asking(brand=stage.brand, kind=kind, law="lgpd", channel="email", names=names, assurance=4, note=note)
    return requests.take_down(asking, stage.now)


def erased(stage: Stage, request: PrivacyRequest) -> Erasure:
    erasure.ask(request, stage.now, None)
    for _turn in range(12):
        jobs.work_on(lambda: stage.now, 2)
        request.refresh_from_db()
        if request.is_over:
            break
        stage.now += timedelta(seconds=61)
    assert request.state == "done"
    return Erasure.objects.get(request=request)


def test_whoever_an_edge_links_to_the_erased_is_heard_in_between(stage: Stage) -> None:
    assert list(Edge.objects.filter(skipped=True).values_list("kind", flat=True)) == ["join"]
    low, high = sorted(Identifier.objects.filter(value__in=["ana", "bia"]).values_list("profile_id", flat=True))
    DuplicatePair.objects.create(low_id=low, high_id=high, probability=0.9, evidence=[], found_at=stage.now)
    erase.begin(find(requests.naming("user_id", "ana", [stage.source.namespace], stage.now)), stage.now)
    assert Edge.objects.filter(skipped=True).count() == 0
    assert Edge.objects.count() == 1
    assert not DuplicatePair.objects.exists()
    stage.now += timedelta(seconds=5)
    stage.happen("identify", "bia", traits={"y": 2}, phone="+5511987654321")
    assert (InboxItem.objects.count(), DeadLetter.objects.count()) == (0, 0)
    assert Trait.objects.get(name="y").value == 2


def test_an_edge_that_came_in_at_the_same_time_stops_nobody(stage: Stage) -> None:
    ana = find(requests.naming("user_id", "ana", [stage.source.namespace], stage.now))
    told = Edge.objects.filter(skipped=True).values().get()
    erase.begin(ana, stage.now)
    Edge.objects.create(**told)
    stage.now += timedelta(seconds=5)
    stage.happen("identify", "bia", traits={"y": 2}, phone="+5511987654321")
    assert (InboxItem.objects.count(), DeadLetter.objects.count()) == (0, 0)
    assert Trait.objects.get(name="y").value == 2
    assert Edge.objects.get(pk=told["id"]).skipped


@pytest.mark.parametrize(("by", "value"), [("user_id", "ana"), ("email", "ana@example.com")])
def test_no_file_outlives_an_erasure_that_was_done_while_it_was_made(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, by: str, value: str
) -> None:
    wanted = asked(stage, "access", by, value)
    other = asked(stage, "erasure", "user_id", "ana")
    export.ask(wanted, stage.now, None)
    pack = export.pack
    packed: list[bytes] = []

    def slow(*args: Any) -> bytes:
        if not packed:
            packed.append(pack(*args))
            erased(stage, other)
            return packed[0]
        packed.append(pack(*args))
        return packed[-1]

    monkeypatch.setattr(export, "pack", slow)
    jobs.work_on(lambda: stage.now, 30)
    other.refresh_from_db()
    wanted.refresh_from_db()
    assert other.state == "done"
    if by == "user_id":
        assert (wanted.state, wanted.subject) == ("ready", [])
        assert not PrivacyArchive.objects.exists()
    else:
        # Under an address of two, it is made anew of what is left.
        archive = PrivacyArchive.objects.get(request=wanted)
        assert export.opened(archive, stage.now) == packed[1] != packed[0]
        assert archive.counts["people"] < 2


def test_a_file_made_under_a_shared_address_goes_with_whom_it_told_of(stage: Stage) -> None:
    wanted = asked(stage, "access", "email", "ana@example.com")
    export.ask(wanted, stage.now, None)
    jobs.work_on(lambda: stage.now, 2)
    erased(stage, asked(stage, "erasure", "user_id", "ana"))
    archive = PrivacyArchive.objects.get(request=wanted)
    assert (bytes(archive.data), archive.removed_at is not None) == (b"", True)


def test_a_request_under_a_shared_address_stays_whole_and_untold(stage: Stage) -> None:
    bias = asked(stage, "access", "email", "ana@example.com", note="Bia’s own words")
    subject = bias.subject
    sections = export.gather(find(requests.naming("user_id", "ana", [stage.source.namespace], stage.now)))
    assert b"own words" not in str(sections).encode()
    erased(stage, asked(stage, "erasure", "user_id", "ana"))
    bias.refresh_from_db()
    assert (bias.subject, bias.state) == (subject, "ready")
    assert bias.steps.get().note == "Bia’s own words"


@pytest.mark.parametrize("kind", ["access", "portability", "correction", "erasure", "objection", "restriction"])
def test_a_request_that_names_nobody_any_more_is_not_carried_out(stage: Stage, kind: str) -> None:
    request = asked(stage, kind, "user_id", "ana")
    erased(stage, asked(stage, "erasure", "user_id", "ana"))
    request.refresh_from_db()
    assert request.subject == []
    with pytest.raises(requests.NobodyKnown):
        carry_out.carry_out(request, stage.now, None)
    request.refresh_from_db()
    assert request.state == "ready"
    assert Erasure.objects.count() == 1


def test_an_erasure_that_was_given_up_half_way_can_be_gone_on_with(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(stage, "erasure", "user_id", "ana")
    take = erase.take

    def fails(step: erase.Step, *args: Any) -> int:
        if step.store.key == "people":
            raise ValueError
        return take(step, *args)

    erasure.ask(request, stage.now, None)
    with monkeypatch.context() as patch:
        patch.setattr(erase, "take", fails)
        jobs.work_on(lambda: stage.now, 2)
    request.refresh_from_db()
    assert (request.state, request.subject) == ("ready", [])
    erased(stage, request)
    assert not Identifier.objects.filter(value="ana").exists()
