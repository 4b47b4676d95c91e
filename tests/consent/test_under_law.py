"""Permission where a purpose weighs the law: each consent under the law of whom it is of, now and at any time past."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from consent.as_of import permissions_as_of, permissions_at
from consent.decision import Verdict
from consent.ledger import append
from consent.models import Purpose
from consent.permission import Ask, permissions
from customers.models import Address, Brand, Customer, Profile
from tests.consent.people import T0, hours, make_notice, make_profile, make_purpose, new_entry, tell

NOW = hours(100)
pytestmark = pytest.mark.django_db


@pytest.fixture
def weighed(newsletter: Purpose) -> Purpose:
    newsletter.law = "gdpr"
    newsletter.save()
    return newsletter


def grant(address: Address, profile: Profile | None, purpose: Purpose, at: datetime = T0, **more: Any) -> int:
    entry = new_entry(address, profile, purpose, "given", at)
    return append([replace(entry, **more)], at)[0]


def live(customer: Customer, country: str = "", **traits: Any) -> None:
    Customer.objects.filter(pk=customer.pk).update(country=country, traits=traits)


def verdicts(customer: Customer, address: Address, purpose: Purpose) -> set[Verdict]:
    """Now, as it stood by the entries, and by whoever asks for many moments."""
    ask = Ask(customer.pk, address.pk, purpose.pk)
    return {
        permissions([ask], NOW)[0],
        permissions_as_of([ask], NOW)[0],
        permissions_as_of([ask], NOW, heard_by=NOW)[0],
        permissions_at([(ask, NOW)])[0],
    }


def test_a_consent_of_unknown_notice_does_not_do(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, brand: Brand
) -> None:
    entry = grant(address, profile, weighed)
    assert verdicts(ana, address, weighed) == {Verdict(False, "not_informed", entry)}
    shown = grant(address, profile, weighed, hours(1), notice_version_id=make_notice(brand).pk)
    assert verdicts(ana, address, weighed) == {Verdict(True, "", shown)}


def test_a_repetition_without_proof_takes_nothing_from_what_was_shown(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, brand: Brand
) -> None:
    notice = make_notice(brand).pk
    grant(address, profile, weighed, notice_version_id=notice)
    repeated = grant(address, profile, weighed, hours(1))
    assert verdicts(ana, address, weighed) == {Verdict(True, "", repeated)}
    tell(address, profile, weighed, "withdrawn", hours(2))
    again = grant(address, profile, weighed, hours(3))
    assert verdicts(ana, address, weighed) == {Verdict(False, "not_informed", again)}


def test_what_was_shown_once_and_ran_out_proves_nothing_now(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, brand: Brand
) -> None:
    grant(address, profile, weighed, notice_version_id=make_notice(brand).pk, valid_until=hours(5))
    repeated = grant(address, profile, weighed, hours(1))
    assert verdicts(ana, address, weighed) == {Verdict(False, "not_informed", repeated)}
    [then] = permissions_as_of([Ask(ana.pk, address.pk, weighed.pk)], hours(2))
    assert then == Verdict(True, "", repeated)


@pytest.mark.parametrize(
    ("country", "reason"), [("", ""), ("PT", ""), ("US", ""), ("BR", "basis_elsewhere"), ("AU", "basis_elsewhere")]
)
def test_an_interest_recorded_under_one_law_is_no_basis_under_another(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, country: str, reason: str
) -> None:
    live(ana, country)
    entry = grant(address, profile, weighed, legal_basis="gdpr:6:1:f")
    assert verdicts(ana, address, weighed) == {Verdict(not reason, reason, entry)}


@pytest.mark.parametrize("name", ["birth_date", "birthday", "date_of_birth"])
def test_a_child_does_not_agree_for_itself(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, brand: Brand, name: str
) -> None:
    live(ana, "BR", **{name: "2015-05-01"})
    notice = make_notice(brand).pk
    entry = grant(address, profile, weighed, notice_version_id=notice)
    assert verdicts(ana, address, weighed) == {Verdict(False, "too_young", entry)}
    parent = grant(address, profile, weighed, hours(1), notice_version_id=notice, legal_basis="lgpd:14:1")
    assert verdicts(ana, address, weighed) == {Verdict(True, "", parent)}


@pytest.mark.parametrize("born", ["", "soon", "2015-99-99", 20150501, None, ["2015-05-01"]])
def test_what_is_no_date_tells_no_age(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, brand: Brand, born: Any
) -> None:
    live(ana, "BR", birth_date=born)
    grant(address, profile, weighed, notice_version_id=make_notice(brand).pk)
    if born == 20150501:
        assert {one.reason for one in verdicts(ana, address, weighed)} == {"too_young"}
    else:
        assert {one.allowed for one in verdicts(ana, address, weighed)} == {True}


def test_what_is_no_consent_says_nothing_against_one_that_is(
    ana: Customer, profile: Profile, address: Address, weighed: Purpose, brand: Brand
) -> None:
    entry = grant(address, profile, weighed, notice_version_id=make_notice(brand).pk)
    grant(address, make_profile(ana), weighed, hours(1))
    assert verdicts(ana, address, weighed) == {Verdict(True, "", entry)}


def test_a_no_stays_a_no(ana: Customer, profile: Profile, address: Address, weighed: Purpose) -> None:
    grant(address, profile, weighed)
    withdrawn = tell(address, profile, weighed, "withdrawn", hours(1))
    assert verdicts(ana, address, weighed) == {Verdict(False, "withdrawn", withdrawn)}


@pytest.mark.parametrize("kind", ["service", "legal"])
def test_what_needs_no_consent_is_not_weighed(
    ana: Customer, profile: Profile, address: Address, brand: Brand, kind: str
) -> None:
    purpose = make_purpose(brand, kind, kind)
    purpose.law = "gdpr"
    purpose.save()
    grant(address, profile, purpose, legal_basis="lgpd:7:IX")
    assert {one.allowed for one in verdicts(ana, address, purpose)} == {True}


def test_without_a_law_everything_is_as_it_was_and_nothing_more_is_asked(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr("consent.permission.object_to", lambda *given: asked.append(given))
    live(ana, "BR", birth_date="2015-05-01")
    entry = grant(address, profile, newsletter, legal_basis="gdpr:6:1:f")
    assert verdicts(ana, address, newsletter) == {Verdict(True, "", entry)}
    assert not asked
