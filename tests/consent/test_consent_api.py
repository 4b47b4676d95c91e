"""Consent by API: what stands, and grants and withdrawals recorded at once with their proof."""

from typing import Any

import pytest

from consent.confirming import ask
from consent.models import Confirmation, ConsentEntry, ConsentEvidence
from consent.verify.consents import first_broken
from customers.models import Address
from tests.config.partners import Partners, make_partners
from tests.consent.people import make_notice
from tests.customers.partner_api import code_of, pointer_of

pytestmark = pytest.mark.django_db

ANA = {"identifier": {"kind": "email", "value": "Ana@example.com"}}


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    made.know(made.shop, granted=False)
    return made


def grant(partners: Partners, **said: Any) -> Any:
    return partners.shop.post("consents/grant", {**ANA, "purpose": "news", **said})


def withdraw(partners: Partners, **said: Any) -> Any:
    return partners.shop.post("consents/withdraw", {**ANA, "purpose": "news", **said})


def standing(partners: Partners) -> list[tuple[str, str, bool, str | None]]:
    items = partners.shop.get("consents", customer=partners.customer(partners.shop)).json()["items"]
    return [(one["channel"], one["state"], one["permission"]["allowed"], one["permission"]["reason"]) for one in items]


def test_a_grant_stands_at_once_with_its_proof(partners: Partners) -> None:
    make_notice(partners.stage.brand, "sign-up", 3)
    answer = grant(
        partners, method="double_opt_in", notice="sign-up", notice_version=3, language="pt-BR",
        legal_basis="lgpd:7:I", jurisdiction="BR", collector="web form", url="https://shop.example/join",
        ip="203.0.113.9",
    )  # fmt: skip
    assert answer.status_code == 201
    told = answer.json()
    assert (told["channel"], told["permission"], told["left_out"]) == ("email", {"allowed": True, "reason": None}, [])
    entry = ConsentEntry.objects.get(pk=told["entry"])
    assert (entry.state, entry.method, entry.source, entry.effective_at) == (
        "given", "double_opt_in", partners.stage.source, partners.stage.now,
    )  # fmt: skip
    assert (entry.language, entry.legal_basis, entry.jurisdiction, entry.collector) == (
        "pt-BR", "lgpd:7:I", "BR", "",
    )  # fmt: skip
    evidence = ConsentEvidence.objects.get(entry=entry).fields
    assert evidence["collector"] == "web form"
    assert (evidence["url"], evidence["ip"]) == ("https://shop.example/join", "203.0.113.9")
    assert evidence["token"] == partners.tokens["shop"].prefix
    assert first_broken(entry.address_id) is None
    shown = partners.shop.get("consents", customer=partners.customer(partners.shop)).json()["items"][0]
    assert (shown["purpose"], shown["address"], shown["state"]) == ("news", "ana@example.com", "given")
    proof = shown["proof"]
    assert (proof["entry"], proof["notice"], proof["notice_version"]) == (entry.pk, "sign-up", 3)
    assert (proof["source"], proof["position"], proof["digest"]) == ("shop", 1, bytes(entry.digest).hex())


def test_a_withdrawal_stands_at_once(partners: Partners) -> None:
    grant(partners)
    answer = withdraw(partners)
    assert answer.status_code == 201
    assert answer.json()["permission"] == {"allowed": False, "reason": "withdrawn"}
    assert standing(partners) == [("email", "withdrawn", False, "withdrawn")]
    assert list(ConsentEntry.objects.order_by("id").values_list("state", "method")) == [
        ("given", "api"), ("withdrawn", "api"),
    ]  # fmt: skip


def test_of_a_customer_named_by_id_it_hangs_on_the_person(partners: Partners) -> None:
    customer = partners.customer(partners.shop)
    answer = partners.shop.post("consents/grant", {"customer": customer, "purpose": "news"})
    assert (answer.status_code, answer.json()["channel"]) == (201, "person")
    assert standing(partners) == [("person", "given", True, None)]
    assert partners.shop.get("consents", customer=customer).json()["items"][0]["address"] is None


def test_a_withdrawal_for_the_person_binds_every_address(partners: Partners) -> None:
    grant(partners)
    customer = partners.customer(partners.shop)
    partners.shop.post("consents/withdraw", {"customer": customer, "purpose": "news"})
    assert sorted(standing(partners)) == [
        ("email", "given", False, "withdrawn"),
        ("person", "withdrawn", False, "withdrawn"),
    ]


def test_a_partner_cannot_claim_any_method(partners: Partners) -> None:
    entry = ConsentEntry.objects.get(pk=grant(partners, method="staff").json()["entry"])
    assert entry.method == "api"
    assert ConsentEvidence.objects.get(entry=entry).fields["claimed_method"] == "staff"


@pytest.mark.parametrize(
    ("said", "code", "where"),
    [
        ({"purpose": "nothing"}, "unknown_purpose", "/purpose"),
        ({"purpose": 5}, "wrong_type", "/purpose"),
        ({"purpose": ""}, "missing_field", "/purpose"),
        ({"notice": "x", "notice_version": 1}, "unknown_notice", "/notice"),
        ({"notice": "x"}, "wrong_type", "/notice_version"),
        ({"address": "x@localhost"}, "invalid_email", "/address"),
        ({"valid_until": "tomorrow"}, "invalid_timestamp", "/valid_until"),
        ({"valid_until": "2030-01-01T00:00:00"}, "timezone_required", "/valid_until"),
        ({"occurred_at": "2026-03-04T12:00:00Z"}, "timestamp_in_future", "/occurred_at"),
        ({"customer": "019a1f6e-8a51-7cc3-9d53-0a3c1f2b4d5e"}, "missing_identifier", ""),
        ({"identifier": {"kind": "shoe_size", "value": "1"}}, "unknown_identifier_kind", "/identifier/kind"),
        ({"identifier": {"kind": "phone", "value": "11 91234-5678"}}, "phone_without_country", "/identifier/value"),
        ({"identifier": {"kind": "email", "value": "ana"}}, "invalid_email", "/identifier/value"),
        ({"legal_basis": "x" * 65}, "too_long", "/legal_basis"),
        ({"legal_basis": "gdpr:6:1:z"}, "unknown_legal_basis", "/legal_basis"),
        ({"jurisdiction": "UK"}, "unknown_jurisdiction", "/jurisdiction"),
    ],
)
def test_a_grant_that_cannot_be_read_is_refused(
    partners: Partners, said: dict[str, Any], code: str, where: str
) -> None:
    addresses = Address.objects.count()
    answer = grant(partners, **said)
    assert (code_of(answer, 422), pointer_of(answer)) == (code, where)
    assert not ConsentEntry.objects.exists()
    assert Address.objects.count() == addresses


def test_a_withdrawal_counts_whatever_of_its_details_cannot_be_read(partners: Partners) -> None:
    grant(partners)
    answer = withdraw(partners, notice="no-such", notice_version=9, address=" ana@example.com ")
    assert answer.status_code == 201
    assert [(one["code"], one["pointer"]) for one in answer.json()["left_out"]] == [("unknown_notice", "/notice")]
    assert standing(partners) == [("email", "withdrawn", False, "withdrawn")]


def test_a_person_nobody_named_is_unknown(partners: Partners) -> None:
    body = {"identifier": {"kind": "email", "value": "nobody@example.com"}, "purpose": "news"}
    answer = partners.shop.post("consents/grant", body)
    assert (code_of(answer, 404), pointer_of(answer)) == ("unknown_customer", "/identifier")
    assert not ConsentEntry.objects.exists()


def test_everything_wrong_is_told_at_once(partners: Partners) -> None:
    answer = grant(partners, purpose=5, language=7)
    assert {(one["pointer"], one["code"]) for one in answer.json()["errors"]} == {
        ("/purpose", "wrong_type"), ("/language", "wrong_type"),
    }  # fmt: skip


def ask_by_mail(partners: Partners, **said: Any) -> Any:
    return partners.shop.post("consents/request", {**ANA, "purpose": "news", **said}, **{"Idempotency-Key": "one"})


def test_a_consent_is_asked_for_by_mail_once_and_grants_nothing_yet(
    partners: Partners, mails: list[Confirmation]
) -> None:
    answer, again = (ask_by_mail(partners, language="pt-BR") for _time in range(2))
    told = answer.json()
    assert (answer.status_code, again.json()) == (201, told)
    assert (told["channel"], told["permission"]) == ("email", {"allowed": False, "reason": "no_consent"})
    entry = ConsentEntry.objects.get()
    assert (entry.pk, entry.state, entry.source) == (told["entry"], "requested", partners.stage.source)
    [mail] = mails
    assert (mail.address.value, mail.language, mail.outcome) == ("ana@example.com", "pt-BR", "open")


def test_nothing_is_asked_for_where_no_mail_can_go(partners: Partners, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "_senders", [])
    assert code_of(ask_by_mail(partners), 422) == "cannot_ask"
    assert code_of(partners.shop.post("consents/request", {**ANA, "purpose": "shoes"}), 422) == "unknown_purpose"
    assert not ConsentEntry.objects.exists()
    assert not Confirmation.objects.exists()
