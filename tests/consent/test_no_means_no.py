"""A no holds whatever was said before it, who said it where, and what still waits to be confirmed or taken back."""

import threading
import time
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client

from consent import pausing, staff
from consent.confirming import answer, ask
from consent.models import Confirmation, ConsentEntry, Pause, Purpose
from consent.permission import lock_address
from consent.preferences.link import Link, make_link
from consent.unsubscribe import Token, make_token
from consent.withdrawing import lock_people
from customers import clock
from customers.models import Address, Brand, Customer, Profile
from tests.consent import people
from tests.consent.people import HOUR, T0, tell, verdict
from tests.consent.test_confirming import asking
from tests.consent.test_preferences_page import undo_of

pytestmark = pytest.mark.django_db
MAIL = UUID(int=77)


def centre(address: Address, profile: Profile, brand: Brand) -> str:
    return f"/p/{make_link(Link(address.pk, profile.pk, brand.pk, MAIL))}"


def one_click(address: Address, purpose: Purpose) -> None:
    told = Client().post(f"/u/{make_token(Token(address.pk, purpose.pk, MAIL))}", {"List-Unsubscribe": "One-Click"})
    assert told.content == b"unsubscribed\n"


def may(customer: Customer, address: Address, purpose: Purpose) -> bool:
    return verdict(customer, address, purpose, clock.utcnow()).allowed


def test_staff_withdraw_again_what_was_granted_since(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
) -> None:
    tell(address, profile, newsletter, "given", T0)
    assert len(staff.withdraw_for(ana, [newsletter], {}, T0 + HOUR)) == 1
    assert staff.withdraw_for(ana, [newsletter], {}, T0 + HOUR) == [], "the same word twice is once"
    tell(address, profile, newsletter, "given", T0 + 2 * HOUR)
    assert may(ana, address, newsletter)
    assert len(staff.withdraw_for(ana, [newsletter], {}, T0 + 3 * HOUR)) == 1
    assert not may(ana, address, newsletter)


def test_everything_is_stopped_where_an_old_no_was_outweighed(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    phone = people.make_address("+5511987654321", "sms")
    people.seen(profile, phone)
    tell(phone, profile, newsletter, "withdrawn", T0)
    tell(people.make_person(profile), profile, newsletter, "given", T0 + HOUR)
    assert may(ana, phone, newsletter)
    Client().post(centre(address, profile, brand), {"all": "1"})
    assert not may(ana, phone, newsletter)


def test_a_topic_is_stopped_that_another_of_the_persons_profiles_had_granted(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    phone, other = people.make_address("+5511987654321", "sms"), people.make_profile(ana, T0 + HOUR)
    for one in (profile, other):
        people.seen(one, phone)
    tell(phone, profile, newsletter, "withdrawn", T0)
    tell(phone, other, newsletter, "given", T0 + 2 * HOUR)
    shown = f"{newsletter.pk}.{phone.pk}"
    page = Client().post(centre(address, profile, brand), {"save_topics": "1", "shown": shown}).content.decode()
    assert "1 topic was stopped." in page
    assert not may(ana, phone, newsletter)


def test_what_another_stopped_meanwhile_is_not_undone(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    tell(address, profile, newsletter, "given", T0)
    url, shown = centre(address, profile, brand), f"{newsletter.pk}.{address.pk}"
    page = Client().post(url, {"save_topics": "1", "shown": shown}).content.decode()
    one_click(address, newsletter)
    one_click(address, newsletter)
    Client().post(url, {"undo": undo_of(page)})
    assert not may(ana, address, newsletter)
    assert list(ConsentEntry.objects.order_by("id").values_list("state", "method")) == [
        ("given", "event"), ("withdrawn", "link"), ("withdrawn", "one_click"),
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["one click", "staff", "another profile of the person"])
def test_what_was_asked_for_before_a_no_cannot_be_confirmed(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, mails: list[Confirmation], who: str
) -> None:
    other = people.make_profile(ana, T0)
    people.seen(other, address)
    if who != "another profile of the person":
        # A no that was in force already, so that nothing new is to be written.
        tell(address, None, newsletter, "withdrawn", T0)
        staff.withdraw_for(ana, [newsletter], {}, T0 + HOUR)
    ask.ask(asking(address, profile, newsletter), clock.utcnow())
    if who == "one click":
        one_click(address, newsletter)
    elif who == "staff":
        staff.withdraw_for(ana, [newsletter], {}, clock.utcnow())
    else:
        tell(address, other, newsletter, "withdrawn", clock.utcnow())
    assert answer.confirm(mails[0], clock.utcnow()) == Confirmation.Outcome.OVERTAKEN
    assert not may(ana, address, newsletter)


def test_a_forwarded_link_makes_no_pause_shorter(
    profile: Profile, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    url = centre(address, profile, brand)
    Client().post(url, {"pause": "3m"})
    until = Pause.objects.filter(address=address, ended_at=None).get().until
    Client().post(url, {"pause": "1w"})
    assert Pause.objects.filter(address=address, ended_at=None).get().until == until
    Client().post(url, {"resume": "1"})
    assert pausing.paused_until(brand.pk, [address.pk], clock.utcnow()) is None


def test_a_pause_that_the_staff_set_is_not_ended_by_a_link(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    until = staff.pause_for(ana, brand, "1m", clock.utcnow())
    page = Client().post(centre(address, profile, brand), {"resume": "1"}).content.decode()
    assert "Nothing was changed." in page
    assert pausing.paused_until(brand.pk, [profile.pk], clock.utcnow()) == until


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["staff", "pause", "everybody is locked"])
def test_a_no_of_a_person_waits_for_a_letter_to_any_of_their_addresses(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose, how: str
) -> None:
    second = people.make_address("ana2@example.com")
    people.seen(profile, second)
    begun, ends = threading.Event(), threading.Event()

    def letter() -> None:
        with transaction.atomic():
            lock_address(second.pk)
            begun.set()
            ends.wait(10)
        connection.close()

    sender = threading.Thread(target=letter)
    sender.start()
    begun.wait()
    threading.Timer(1, ends.set).start()
    began = time.monotonic()
    if how == "staff":
        staff.withdraw_for(ana, [newsletter], {}, clock.utcnow())
    elif how == "pause":
        Client().post(centre(address, profile, brand), {"pause": "1w"})
    else:
        with transaction.atomic():
            lock_people([profile.pk])
    assert timedelta(seconds=time.monotonic() - began) >= timedelta(seconds=0.9)
    sender.join()
