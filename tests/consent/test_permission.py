"""Permission asked of the database: which heads and suppressions count for whom."""

from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from consent.decision import Head, Verdict, decide
from consent.models import Purpose, State, Suppression
from consent.permission import Ask, _plainly, permissions
from customers.models import Address, Brand, Customer, DeadLetter, Profile
from tests.consent.people import (
    T0,
    hours,
    make_address,
    make_brand,
    make_customer,
    make_person,
    make_profile,
    make_purpose,
    tell,
    verdict,
)

NOW = hours(100)
pytestmark = pytest.mark.django_db


def test_a_grant_at_the_address_permits_and_names_its_entry(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
):
    assert verdict(ana, address, newsletter, NOW) == Verdict(False, "no_consent", None)
    entry_id = tell(address, profile, newsletter, "given", T0)
    assert verdict(ana, address, newsletter, NOW) == Verdict(True, "", entry_id)


def test_consent_for_one_purpose_or_address_says_nothing_of_another(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, brand: Brand
):
    tell(address, profile, newsletter, "given", T0)
    assert verdict(ana, address, make_purpose(brand, "offers"), NOW).reason == "no_consent"
    assert verdict(ana, make_address("other@example.com"), newsletter, NOW).reason == "no_consent"


def test_consent_of_the_person_counts_at_every_address(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
):
    person = make_person(profile)
    given = tell(person, profile, newsletter, "given", T0)
    assert verdict(ana, address, newsletter, NOW) == Verdict(True, "", given)
    withdrawn = tell(person, profile, newsletter, "withdrawn", hours(2))
    assert verdict(ana, address, newsletter, NOW) == Verdict(False, "withdrawn", withdrawn)


def test_another_customer_of_the_same_address_neither_grants_nor_withdraws(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
):
    bo = make_customer()
    tell(address, make_profile(bo), newsletter, "given", T0)
    assert verdict(ana, address, newsletter, NOW).reason == "no_consent"
    tell(address, profile, newsletter, "withdrawn", T0)
    assert verdict(bo, address, newsletter, NOW).allowed


def test_merging_lets_the_stricter_profile_decide_and_unmerging_undoes_it(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
):
    tell(address, profile, newsletter, "given", hours(5))
    bo = make_customer()
    other = make_profile(bo)
    tell(address, other, newsletter, "withdrawn", hours(1))
    Profile.objects.filter(pk=other.pk).update(customer=ana, customer_since=hours(6))
    assert verdict(ana, address, newsletter, NOW).reason == "withdrawn"
    Profile.objects.filter(pk=other.pk).update(customer=bo, customer_since=hours(7))
    assert verdict(ana, address, newsletter, NOW).allowed


def test_a_grant_after_the_merge_permits_again(ana: Customer, profile: Profile, address: Address, newsletter: Purpose):
    tell(address, make_profile(ana, since=hours(6)), newsletter, "withdrawn", hours(1))
    tell(address, profile, newsletter, "given", hours(7))
    assert verdict(ana, address, newsletter, NOW).allowed


def test_an_address_wide_withdrawal_yields_to_the_profiles_own_proof(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
):
    tell(address, profile, newsletter, "given", T0)
    tell(address, None, newsletter, "withdrawn", hours(1), method="one_click")
    tell(address, profile, newsletter, "given", hours(2))
    assert verdict(ana, address, newsletter, NOW).reason == "withdrawn"
    tell(address, profile, newsletter, "given", hours(3), method="double_opt_in")
    assert verdict(ana, address, newsletter, NOW).allowed


def test_consent_expires(ana: Customer, profile: Profile, address: Address, newsletter: Purpose):
    tell(address, profile, newsletter, "given", T0, valid_until=hours(9))
    assert verdict(ana, address, newsletter, hours(8)).allowed
    assert verdict(ana, address, newsletter, hours(9)).reason == "consent_expired"


def test_suppression_holds_in_its_brand_or_everywhere_until_lifted(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, brand: Brand
):
    tell(address, profile, newsletter, "given", T0)
    elsewhere = Suppression.objects.create(address=address, brand=make_brand("other"), reason="stop", created_at=T0)
    assert verdict(ana, address, newsletter, NOW).allowed
    for where in (brand, None):
        Suppression.objects.filter(pk=elsewhere.pk).update(brand=where)
        assert verdict(ana, address, newsletter, NOW) == Verdict(False, "suppressed", None)
    Suppression.objects.update(lifted_at=T0)
    assert verdict(ana, address, newsletter, NOW).allowed


def test_service_and_legal_purposes_need_no_grant(ana: Customer, address: Address, brand: Brand):
    service = make_purpose(brand, "orders", Purpose.Kind.SERVICE)
    legal = make_purpose(brand, "recalls", Purpose.Kind.LEGAL)
    for purpose in (service, legal):
        assert verdict(ana, address, purpose, NOW) == Verdict(True, "", None)
        tell(address, None, purpose, "withdrawn", T0)
    assert verdict(ana, address, service, NOW).reason == "withdrawn"
    assert verdict(ana, address, legal, NOW).allowed


def test_a_consent_that_was_given_up_closes_the_customer_until_it_is_replayed(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, brand: Brand
):
    tell(address, profile, newsletter, "given", T0)
    row = {"profile_id": str(profile.pk)}
    DeadLetter.objects.create(at=T0, queue="consent", unit_id=1, reason="ValueError", attempts=5, row=row)
    assert verdict(ana, address, newsletter, NOW) == Verdict(False, "consent_unsettled", None)
    assert verdict(make_customer(), address, newsletter, NOW).reason == "no_consent"
    DeadLetter.objects.update(replayed_at=T0)
    assert verdict(ana, address, newsletter, NOW).allowed


def test_what_is_not_known_is_refused(ana: Customer, address: Address, newsletter: Purpose):
    nobody = UUID(int=5)
    asks = [
        Ask(ana.pk, address.pk, nobody),
        Ask(nobody, address.pk, newsletter.pk),
        Ask(ana.pk, nobody, newsletter.pk),
    ]
    assert [one.allowed for one in permissions(asks, NOW)] == [False, False, False]


def test_verdicts_come_in_the_order_of_the_asks(ana: Customer, profile: Profile, address: Address, newsletter: Purpose):
    tell(address, profile, newsletter, "given", T0)
    yes, no = Ask(ana.pk, address.pk, newsletter.pk), Ask(make_customer().pk, address.pk, newsletter.pk)
    assert [one.allowed for one in permissions([no, yes, yes, no], NOW)] == [False, True, True, False]
    assert permissions([], NOW) == []


_FLAGS = list(product((False, True), repeat=4))


@pytest.mark.parametrize("heeds", [True, False])
@pytest.mark.parametrize("kind", Purpose.Kind.values)
def test_one_consent_that_permits_with_nothing_beside_it_is_judged_as_by_the_whole_rule(kind, heeds):
    agreed = 0
    ends = (None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1))
    for (suppressed, unsettled, restricted, paused), state, until in product(_FLAGS, State.values, ends):
        head = Head(7, None, state, NOW - timedelta(days=9), until, None, None)
        row = (1, kind, suppressed, unsettled, restricted, paused, "", *head[:8])

        plain = _plainly([row], NOW, heeds)

        if plain is not None:
            assert plain == decide(
                kind, suppressed, [head], NOW, unsettled=unsettled, restricted=restricted, paused=paused and heeds
            )
            agreed += 1
    permitting = len(State.permitting()) * len((None, "later"))
    assert agreed == permitting * (1 if heeds else 2)


def test_what_a_law_weighs_or_a_second_consent_speaks_to_is_never_judged_at_once():
    row = (1, "marketing", False, False, False, False, "", 7, None, "given", NOW, None, None, None, False)

    assert _plainly([row], NOW, True) == Verdict(True, "", 7)
    assert _plainly([(*row[:6], "lgpd", *row[7:])], NOW, True) is None
    assert _plainly([row, (*row[:7], 8, *row[8:])], NOW, True) is None
    assert _plainly([(*row[:7], *[None] * 8)], NOW, True) is None
    assert _plainly([], NOW, True) is None
