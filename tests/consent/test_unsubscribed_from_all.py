"""Unsubscribed from everything means every channel, address and profile of theirs, until they themselves grant anew."""

from uuid import UUID

import pytest
from django.test import Client

from consent.confirming import answer, ask
from consent.models import Confirmation, ConsentEntry, Preference, Purpose, Suppression
from consent.preferences import change
from consent.preferences.centre import known, read
from consent.preferences.link import Link, make_link
from consent.preferences.stopping import By
from customers import clock
from customers.models import Address, Brand, Customer, Profile
from tests.consent import people
from tests.consent.people import HOUR, T0, tell, verdict
from tests.consent.test_confirming import asking
from tests.consent.test_preferences_page import undo_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(address: Address, profile: Profile, brand: Brand) -> str:
    return f"/p/{make_link(Link(address.pk, profile.pk, brand.pk, UUID(int=77)))}"


@pytest.fixture
def other(ana: Customer) -> Profile:
    """Another profile of hers, with a mailbox that the page does not show."""
    profile = people.make_profile(ana)
    people.seen(profile, people.make_address("ana2@example.com"))
    return profile


def all_off(link: str, said: str = "You are unsubscribed from everything.") -> str:
    page = Client().post(link, {"all": "1"}).content.decode()
    assert said in page
    return page


def may(customer: Customer, address: Address, purpose: Purpose) -> bool:
    return verdict(customer, address, purpose, clock.utcnow()).allowed


def test_a_suppressed_phone_a_second_mailbox_and_what_hangs_on_another_profile(
    ana: Customer, profile: Profile, other: Profile, newsletter: Purpose, link: str
) -> None:
    phone, second = people.make_address("+5511987654321", "sms"), Address.objects.get(value="ana2@example.com")
    people.seen(profile, phone)
    held = Suppression.objects.create(address=phone, reason="bounce", created_at=T0)
    tell(phone, profile, newsletter, "given", T0)
    tell(second, other, newsletter, "given", T0)
    tell(people.make_person(other), other, newsletter, "given", T0)
    assert may(ana, second, newsletter)
    all_off(link)
    held.lifted_at = clock.utcnow()
    held.save()
    late = people.make_address("ana3@example.com")
    people.seen(other, late)
    assert [may(ana, one, newsletter) for one in (phone, second, late)] == [False] * 3


def test_a_purpose_that_the_page_offers_by_another_channel_or_not_at_all(
    ana: Customer, profile: Profile, brand: Brand, link: str
) -> None:
    phone = people.make_address("+5511987654321", "sms")
    people.seen(profile, phone)
    hidden, by_mail = people.make_purpose(brand, "hidden"), people.make_purpose(brand, "by-mail")
    receipts, law = people.make_purpose(brand, "receipts", "service"), people.make_purpose(brand, "law", "legal")
    Purpose.objects.filter(pk__in=[hidden.pk, receipts.pk]).update(is_offered=False)
    Purpose.objects.filter(pk=by_mail.pk).update(channels=["email"])
    for one in (hidden, by_mail):
        tell(phone, profile, one, "given", T0)
    all_off(link)
    assert [may(ana, phone, one) for one in (hidden, by_mail, receipts, law)] == [False, False, True, True]


def test_another_brand_and_who_shares_the_telephone_go_on(
    ana: Customer, profile: Profile, newsletter: Purpose, link: str
) -> None:
    phone, bia = people.make_address("+5511987654321", "sms"), people.make_customer()
    hers = people.make_profile(bia)
    elsewhere = people.make_purpose(people.make_brand("other"))
    for one in (profile, hers):
        people.seen(one, phone)
        tell(phone, one, newsletter, "given", T0)
    tell(phone, profile, elsewhere, "given", T0)
    all_off(link)
    assert [may(ana, phone, newsletter), may(bia, phone, newsletter), may(ana, phone, elsewhere)] == [False, True, True]


def test_nothing_that_was_asked_for_before_can_be_confirmed(
    ana: Customer, profile: Profile, other: Profile, address: Address, newsletter: Purpose, mails: list[Confirmation],
    link: str,
) -> None:  # fmt: skip
    second = Address.objects.get(value="ana2@example.com")
    Preference.objects.create(brand=newsletter.brand, address=address, every_days=30, changed_at=T0)
    Client().post(link, {"save_frequency": "1", "every_days": "1"})
    ask.ask(asking(address, profile, newsletter), clock.utcnow())
    ask.ask(asking(second, other, newsletter), clock.utcnow())
    all_off(link)
    assert len(mails) == 3
    assert {answer.confirm(mail, clock.utcnow()) for mail in mails} == {"overtaken"}
    assert Preference.objects.get().every_days == 30
    assert [may(ana, one, newsletter) for one in (address, second)] == [False, False]


def test_they_themselves_grant_anew(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, mails: list[Confirmation], link: str
) -> None:
    all_off(link)
    ask.ask(asking(address, profile, newsletter), clock.utcnow())
    assert answer.confirm(mails[0], clock.utcnow()) == "confirmed"
    assert may(ana, address, newsletter)


def test_it_is_taken_back_a_moment_later_as_a_whole(
    ana: Customer, profile: Profile, other: Profile, address: Address, newsletter: Purpose, link: str
) -> None:
    second = Address.objects.get(value="ana2@example.com")
    tell(address, profile, newsletter, "given", T0)
    tell(second, other, newsletter, "given", T0)
    page = all_off(link)
    assert [may(ana, one, newsletter) for one in (address, second)] == [False, False]
    assert "Everything is as it was before." in Client().post(link, {"undo": undo_of(page)}).content.decode()
    assert [may(ana, one, newsletter) for one in (address, second)] == [True, True]


def test_half_of_it_cannot_be_taken_back(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, link: str
) -> None:
    tell(people.make_person(profile), profile, newsletter, "given", T0)
    assert 'name="undo"' not in all_off(link)


def test_who_shares_the_mailbox_stops_the_mailbox_alone(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, link: str
) -> None:
    people.seen(people.make_profile(people.make_customer()), address)
    phone = people.make_address("+5511987654321", "sms")
    people.seen(profile, phone)
    tell(phone, profile, newsletter, "given", T0)
    all_off(link, "Whatever goes to other addresses goes on.")
    assert may(ana, phone, newsletter), "nobody knows which of them pressed the button"
    assert list(ConsentEntry.objects.filter(state="withdrawn").values_list("profile_id", flat=True)) == [None]


def test_how_often_is_decided_by_what_holds_when_it_is_pressed(
    profile: Profile, address: Address, brand: Brand, mails: list[Confirmation]
) -> None:
    reader = known(Link(address.pk, profile.pk, brand.pk, UUID(int=77)))
    assert reader is not None
    drawn = read(reader, "en", T0)
    Preference.objects.create(brand=brand, address=address, every_days=30, changed_at=T0)
    changed = change.limit(drawn, 7, By("en"), T0 + HOUR)
    assert (changed.stopped, changed.asked, len(mails)) == (0, 1, 1), "a week is more often than they chose meanwhile"
    assert Preference.objects.get().every_days == 30
