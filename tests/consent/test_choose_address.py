"""Which of a person's addresses a message goes to."""

import pytest

from consent.decision import Verdict
from consent.models import Purpose
from consent.permission import Choice, Want, choose_addresses
from customers.models import Address, Customer, Profile
from tests.consent.people import T0, hours, make_address, make_customer, make_profile, seen, tell

NOW = hours(100)
pytestmark = pytest.mark.django_db


def chosen(customer: Customer, purpose: Purpose, channel: str = "email") -> list[Choice]:
    return choose_addresses([Want(customer.pk, channel, purpose.pk)], NOW)[0]


def known(profile: Profile, value: str, at: float, *, verified: float | None = None, channel: str = "email") -> Address:
    address = make_address(value, channel)
    seen(profile, address, hours(at), None if verified is None else hours(verified))
    return address


def test_a_person_without_an_address_of_the_channel_gets_a_reason(ana: Customer, address: Address, newsletter: Purpose):
    assert chosen(ana, newsletter, "sms") == [Choice(None, None, Verdict(False, "no_address", None))]


def test_the_permitted_address_last_verified_is_taken_before_one_seen_later(
    ana: Customer, profile: Profile, newsletter: Purpose
):
    known(profile, "seen@example.com", 90)
    old = known(profile, "old@example.com", 1, verified=2)
    new = known(profile, "new@example.com", 1, verified=3)
    for value in Address.objects.all():
        tell(value, profile, newsletter, "given", T0)
    assert [one.address_id for one in chosen(ana, newsletter)] == [new.pk]
    tell(new, profile, newsletter, "withdrawn", hours(4))
    assert [one.address_id for one in chosen(ana, newsletter)] == [old.pk]


def test_without_a_verified_one_the_address_last_seen_is_taken_and_a_tie_goes_to_the_lower_id(
    ana: Customer, profile: Profile, newsletter: Purpose
):
    first, second = known(profile, "a@example.com", 5), known(profile, "b@example.com", 5)
    known(profile, "c@example.com", 4)
    for one in Address.objects.all():
        tell(one, profile, newsletter, "given", T0)
    assert chosen(ana, newsletter)[0].address_id == min(first.pk, second.pk)


def test_when_none_is_permitted_the_best_refusal_is_told(ana: Customer, profile: Profile, newsletter: Purpose):
    known(profile, "a@example.com", 5)
    best = known(profile, "b@example.com", 6)
    withdrawn = tell(best, profile, newsletter, "withdrawn", T0)
    assert chosen(ana, newsletter) == [Choice(best.pk, profile.pk, Verdict(False, "withdrawn", withdrawn))]


def test_push_goes_to_every_permitted_token_and_is_refused_once(ana: Customer, profile: Profile, newsletter: Purpose):
    tokens = [known(profile, f"token-{n}", n, channel="push") for n in range(3)]
    assert len(chosen(ana, newsletter, "push")) == 1
    for token in tokens[:2]:
        tell(token, profile, newsletter, "given", T0)
    choices = chosen(ana, newsletter, "push")
    assert [one.address_id for one in choices] == [tokens[1].pk, tokens[0].pk]
    assert all(one.verdict.allowed for one in choices)


def test_an_address_shared_by_two_profiles_of_the_person_counts_once_by_the_better(
    ana: Customer, profile: Profile, newsletter: Purpose
):
    address = known(profile, "a@example.com", 5)
    other = make_profile(ana)
    seen(other, address, hours(1), hours(2))
    tell(address, profile, newsletter, "given", T0)
    assert [(one.address_id, one.profile_id) for one in chosen(ana, newsletter)] == [(address.pk, other.pk)]


def test_many_wants_are_answered_in_their_order(ana: Customer, profile: Profile, address: Address, newsletter: Purpose):
    tell(address, profile, newsletter, "given", T0)
    bo = make_customer()
    wants = [Want(bo.pk, "email", newsletter.pk), Want(ana.pk, "email", newsletter.pk)] * 2
    assert [choices[0].address_id for choices in choose_addresses(wants, NOW)] == [None, address.pk] * 2
    assert choose_addresses([], NOW) == []
