"""Words that partners and people write where no name is asked for: in ids, names of files, headings and proofs."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client

from consent.models import ConsentEntry, ConsentEvidence, PrivacyRequest
from consent.privacy import erasure, requests
from consent.privacy.requests import Asking
from consent.verify.consents import first_broken
from customers import jobs, tokens
from customers.accept.message import kept_id
from customers.ids import new_id
from customers.models import (
    Event,
    Hook,
    Import,
    Job,
    MessageKey,
    QuarantinedEvent,
    ReceivedBody,
    RefusedRow,
    Scope,
)
from tests.consent.marked import Marked
from tests.journeys.stage import Stage, make_stage
from tests.promises.dump import search

pytestmark = pytest.mark.django_db

ANA = Marked("mkana7q")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = make_stage()
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    stage.accept("identify", ANA.user, traits={"email": ANA.email}, email=ANA.email)
    stage.know("bia")
    return stage


def erased(stage: Stage, user: str = ANA.user) -> None:
    names = requests.naming("user_id", user, [stage.source.namespace], stage.now)
    asking = Asking(brand=stage.brand, kind="erasure", law="lgpd", channel="email", names=names, assurance=4)
    request = requests.take_down(asking, stage.now)
    erasure.ask(request, stage.now, None)
    for _turn in range(9):
        jobs.work_on(lambda: stage.now, 2)
        stage.now += timedelta(seconds=61)
    assert PrivacyRequest.objects.get().state == "done"


def send(stage: Stage, *items: dict[str, Any]) -> Any:
    _token, text = tokens.issue(
        brand_id=stage.brand.pk, sources=[stage.source], name="t", scopes=[Scope.EVENTS_WRITE.value], now=stage.now,
        expires_at=stage.now + timedelta(days=9), per_minute=99,
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {text}"}
    body = orjson.dumps({"events": items})
    answer = Client().generic("POST", "/api/v1/events/batch", body, content_type="application/json", headers=headers)
    return answer.json()


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("order-17-ana@example.com", ()),
        ("u-123", (("user_id", "u-123", "u-123"),)),
        ("signup:zé7:1", (("user_id", "zé7", "zé7"),)),
        ("sms-11 98765-4321", (("phone", "+5511987654321", "11987654321"),)),
        ("ANA-SILVA-9", (("user_id", "ana-silva-9", "ana-silva-9"),)),
    ],
)
def test_an_id_that_names_somebody_is_veiled(told: str, names: Any) -> None:
    assert kept_id(told, names).startswith("veiled-")
    assert kept_id(told, names) == kept_id(told, names)
    assert kept_id(told, names) != kept_id(f"{told}0@", names)


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("order-17", (("user_id", "u-17", "u-17"),)),
        ("m-1", (("user_id", "1", "1"),)),
        ("banana-7", (("user_id", "ana", "ana"),)),
        ("0198e2b4-77aa-7cc1-8f3e-55d0c1f0a9b2", (("user_id", "user-1", "user-1"),)),
    ],
)
def test_any_other_is_kept_as_it_was_told(told: str, names: Any) -> None:
    assert kept_id(told, names) == told


def test_a_veiled_message_is_known_again(stage: Stage) -> None:
    item = {"name": "Order", "id": f"o-{ANA.email}", "identifiers": {"user_id": ANA.user}}
    assert (send(stage, item)["accepted"], send(stage, item)["duplicates"]) == (1, 1)
    stage.run()
    event = Event.objects.get(name="Order")
    assert event.message_id.startswith("veiled-")
    assert MessageKey.objects.count() == 1
    erased(stage)
    assert search(ANA.stem) == {}


def test_who_collected_a_consent_and_words_that_are_no_code_are_evidence(stage: Stage) -> None:
    about = {
        "purpose": "news", "collector": ANA("form"), "legal_basis": f"see {ANA.email}", "language": "pt-BR",
        "jurisdiction": "BR",
    }  # fmt: skip
    consent = {
        "name": "consent.withdrawn",
        "id": f"c-{ANA.user}",
        "identifiers": {"user_id": ANA.user},
        "properties": about,
    }
    send(stage, consent)
    stage.run()
    entry = ConsentEntry.objects.latest("id")
    assert (entry.collector, entry.legal_basis, entry.language, entry.jurisdiction) == ("", "", "pt-BR", "BR")
    fields = ConsentEvidence.objects.get(entry=entry).fields
    assert (fields["collector"], fields["legal_basis"]) == (ANA("form"), f"see {ANA.email}")
    erased(stage)
    assert search(ANA.stem) == {}
    assert ConsentEntry.objects.filter(pk=entry.pk).exists()
    assert first_broken(entry.address_id) is None


def test_doors_keep_no_id_path_or_name_of_theirs(stage: Stage) -> None:
    for one in (ANA.email, ANA.user, "somebody@example.com"):
        QuarantinedEvent.objects.create(
            received_at=stage.now, source=stage.source, door="api", code="x", raw="{}", message_id=one,
            pointer=f"/properties/{one}", name="Order",
        )  # fmt: skip
    QuarantinedEvent.objects.create(
        received_at=stage.now, source=stage.source, door="api", code="x", raw="{}", name=ANA.email
    )
    hook = Hook.objects.create(source=stage.source, name="Payments")
    for one in (ANA.email, "somebody@example.com"):
        ReceivedBody.objects.create(
            hook=hook, received_at=stage.now, key=new_id(), digest=new_id(), content_type="application/json",
            body=b"{}", delivery_id=f"d-{one}", problems=[{"code": "x", "field": "", "pointer": f"/{one}"}],
            status="failed", reason="mapping_failed",
        )  # fmt: skip
    erased(stage)
    assert search(ANA.stem) == {}
    told = list(QuarantinedEvent.objects.order_by("id").values_list("message_id", "pointer", "name", "status"))
    gone = ("", "", "Order", "discarded")
    kept = ("somebody@example.com", "/properties/somebody@example.com", "Order", "open")
    assert told == [gone, gone, kept, ("", "", "", "discarded")]
    assert list(ReceivedBody.objects.order_by("id").values_list("delivery_id", "reason")) == [
        ("", "mapping_failed"), ("d-somebody@example.com", "mapping_failed"),
    ]  # fmt: skip


def test_a_file_called_after_them_and_headings_that_were_their_row(stage: Stage) -> None:
    about: dict[str, Any] = {
        "source": stage.source, "rows": "customers", "size": 1, "digest": "0" * 64, "encoding": "utf-8",
        "delimiter": ",", "created_at": stage.now, "removed_at": stage.now,
    }  # fmt: skip
    named = Import.objects.create(**about, file_name=f"{ANA.email}.csv", columns=["email", "city"])
    headed = Import.objects.create(
        **about, file_name="people.csv", columns=[ANA.email, "Recife"], mapping={"x": ANA.email}
    )
    other = Import.objects.create(**about, file_name="bia.csv", columns=["bia@example.com"])
    RefusedRow.objects.create(parent=other, row=1, code="x", message=f"'{ANA.email}' was unexpected", cells=["1"])
    RefusedRow.objects.create(parent=other, row=2, code="x", message="Nobody.", cells=["2"])
    Job.objects.create(kind="import", state="done", subject=f"{ANA.email}.csv", created_at=stage.now)
    Job.objects.create(kind="quarantine_replay", state="failed", arguments={"term": ANA.user}, created_at=stage.now)
    erased(stage)
    assert search(ANA.stem) == {}
    for one in (named, headed, other):
        one.refresh_from_db()
    assert (named.file_name, named.columns) == ("…", ["email", "city"])
    assert (headed.file_name, headed.columns, headed.mapping) == ("people.csv", [], {})
    assert (other.file_name, other.columns) == ("bia.csv", ["bia@example.com"])
    assert list(RefusedRow.objects.order_by("row").values_list("message", "cells")) == [("", []), ("Nobody.", ["2"])]


def test_who_is_called_as_a_job_calls_its_arguments_is_erased_all_the_same(stage: Stage) -> None:
    """The erasure waited for its own job to end."""
    stage.know("request")
    erased(stage, "request")
    job = Job.objects.get()
    assert (job.state, list(job.arguments)) == ("done", ["request"])
