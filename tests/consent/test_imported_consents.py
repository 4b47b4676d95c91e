"""Consent out of a file: a row is an answer with its proof, and a list of those who said no binds their addresses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.imports import ROWS, finish
from consent.models import ConsentEntry, Purpose
from consent.permission import Ask, permissions
from customers import jobs
from customers.imports.limits import FileRefused
from customers.models import Address, Event, Import, Profile, QuarantinedEvent
from tests.consent.people import make_notice
from tests.customers.test_import_pages import client_of, form_of, marketer
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db

FILE = (
    "E-mail,Data,Aceite,Aviso,Versão,Idioma,Base legal,Página\n"
    "ana@example.com,15/02/2026,Sim,sign-up,2,pt-BR,lgpd:7:I,https://shop.example/cadastro\n"
    "bia@example.com,15/02/2026,não,,,,,\n"
    "caio@example.com,15/02/2026,talvez,,,,,\n"
    "dora@example.com,15/02/2026,sim,sign-up,9,,,\n"
)


@pytest.fixture
def stage(db: None, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = make_stage()
    make_notice(made.brand, number=2)
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.now)
    return made


@pytest.fixture
def staff(stage: Stage) -> Client:
    return client_of(marketer("ana", stage.brand, "view_brand", "view_pii"))


def hand_in(staff: Client, stage: Stage, text: str) -> str:
    sent = {"source": str(stage.source.pk), "rows": "consents", "file": SimpleUploadedFile("c.csv", text.encode())}
    return str(staff.post(reverse("admin:customers_import_add"), sent).headers["Location"])


def offered(answer: Any) -> dict[str, Any]:
    said = {one["name"]: one["value"] for one in answer.context["said"]}
    return {**form_of(answer), **said}


def take_in(staff: Client, stage: Stage, address: str, **said: str) -> dict[str, int]:
    form = offered(staff.get(address)) | {f"said-{name}": text for name, text in said.items()}
    begun = staff.post(address, {**form, "do": "begin"}, follow=True)
    assert begun.context.get("problems", []) == []
    jobs.work_on(lambda: stage.now, seconds=60)
    stage.run()
    return dict(staff.get(address).context["numbers"])


def allowed(stage: Stage, email: str, user: str = "") -> tuple[bool, str]:
    """At that address, for whoever is known by it, or for the user."""
    address = Address.objects.get(channel="email", value=email)
    kind, value = ("user_id", user) if user else ("email", email)
    customer = Profile.objects.get(identifier__kind=kind, identifier__value=value).customer_id
    [verdict] = permissions([Ask(customer, address.pk, stage.purpose.pk)], stage.now)
    return verdict.allowed, verdict.reason


def test_the_columns_of_a_file_are_understood(staff: Client, stage: Stage) -> None:
    shown = staff.get(hand_in(staff, stage, FILE))
    columns = [(one.to, one.as_, one.format) for one in shown.context["choices"].columns]
    assert columns == [
        ("identifier:email", "text", "iso"),
        ("occurred_at", "text", "%d/%m/%Y"),
        ("part:answer", "text", "iso"),
        ("part:notice", "text", "iso"),
        ("part:notice_version", "text", "iso"),
        ("part:language", "text", "iso"),
        ("part:legal_basis", "text", "iso"),
        ("part:url", "text", "iso"),
    ]
    assert shown.context["problems"] == ["Say this for all rows, or by a column: purpose."]
    assert "consents" in shown.content.decode()


def test_answers_become_entries_with_their_proof(staff: Client, stage: Stage) -> None:
    numbers = take_in(staff, stage, hand_in(staff, stage, FILE), purpose="news", collector="Old newsletter")
    assert numbers == {"accepted": 3, "duplicates": 0, "rejected": 1}
    ana, bia = ConsentEntry.objects.order_by("id")
    assert (ana.state, ana.method, ana.language, ana.legal_basis, ana.collector) == (
        "given", "import", "pt-BR", "lgpd:7:I", "",
    )  # fmt: skip
    assert (str(ana.notice_version), ana.source) == ("sign-up v2", stage.source)
    assert ana.evidence.fields["collector"] == "Old newsletter"
    assert ana.evidence.fields["url"] == "https://shop.example/cadastro"
    assert (bia.state, bia.method, bia.profile_id) == ("withdrawn", "import", None)
    assert ana.profile_id is not None
    assert allowed(stage, "ana@example.com") == (True, "")
    assert allowed(stage, "bia@example.com") == (False, "withdrawn")
    [refused] = QuarantinedEvent.objects.all()
    assert (refused.door, refused.code) == ("consent", "unknown_notice"), "dora's yes names words nobody showed"
    assert not Event.objects.filter(historical=False).exists()


def test_a_list_of_those_who_said_no_needs_neither_times_nor_proof(staff: Client, stage: Stage) -> None:
    stage.know("ana")
    assert allowed(stage, "ana@example.com") == (True, "")
    address = hand_in(staff, stage, "email\nAna@Example.com\nnobody@example.com\n")
    assert take_in(staff, stage, address, purpose="news", answer="withdrawn") == {
        "accepted": 2, "duplicates": 0, "rejected": 0,
    }  # fmt: skip
    assert allowed(stage, "ana@example.com") == (False, "withdrawn")
    assert allowed(stage, "nobody@example.com") == (False, "withdrawn")
    # Whoever comes by that address later is bound by it as well.
    stage.happen("identify", "zoe", email="ana@example.com")
    stage.happen("consent.granted", "zoe", properties={"purpose": "news"}, email="ana@example.com")
    assert allowed(stage, "ana@example.com", "zoe") == (False, "withdrawn"), "unproven, her yes frees nobody"
    entry = ConsentEntry.objects.filter(address__value="ana@example.com", state="withdrawn").get()
    assert (entry.profile_id, entry.state, entry.occurred_at) == (None, "withdrawn", stage.now)


def test_the_same_file_again_changes_nothing_and_another_purpose_is_another_answer(staff: Client, stage: Stage) -> None:
    Purpose.objects.create(brand=stage.brand, key="offers", name="Offers", kind="marketing")
    text = "email\nana@example.com\n"
    for purpose, numbers in (("news", (1, 0)), ("news", (0, 1)), ("offers", (1, 0))):
        told = take_in(staff, stage, hand_in(staff, stage, text), purpose=purpose, answer="withdrawn")
        assert (told["accepted"], told["duplicates"]) == numbers
    assert list(ConsentEntry.objects.order_by("id").values_list("purpose__key", flat=True)) == ["news", "offers"]


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({}, "purpose, answer, when it occurred"),
        ({"purpose": "news"}, "answer, when it occurred"),
        ({"purpose": "news", "answer": "granted"}, "when it occurred"),
        ({"answer": "withdrawn"}, "purpose"),
        ({"purpose": "news", "answer": "perhaps"}, "answer, when it occurred"),
    ],
)
def test_what_is_not_said_is_asked_for(said: dict[str, str], missing: str) -> None:
    with pytest.raises(FileRefused) as refused:
        finish({"key": "row"}, said)
    assert str(refused.value) == f"Say this for all rows, or by a column: {missing}."


def test_a_file_proves_no_double_opt_in(staff: Client, stage: Stage) -> None:
    assert "method" not in ROWS.parts
    text = "email,data,method\nana@example.com,2026-02-01T10:00:00Z,double_opt_in\n"
    address = hand_in(staff, stage, text)
    assert [one.to for one in staff.get(address).context["choices"].columns][2] == "ignore"
    take_in(staff, stage, address, purpose="news", answer="granted")
    entry = ConsentEntry.objects.get()
    assert (entry.method, entry.effective_at) == ("import", datetime(2026, 2, 1, 10, tzinfo=UTC))
    assert Import.objects.get().rows == "consents"
