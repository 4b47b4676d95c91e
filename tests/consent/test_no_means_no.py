"""A no holds whatever was said before it, who said it where, and what still waits to be confirmed or taken back."""

import threading
import time
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django import Settings

from consent import pausing, staff
from consent.confirming import answer, ask
from consent.confirming.link import make_link as confirm_link
from consent.models import Confirmation, ConsentEntry, Pause, Preference, Purpose
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
    assert pausing.paused_until(brand.pk, [address.pk], clock.utcnow()) == until, "a link alone ends none"


def test_a_pause_that_the_staff_set_is_not_ended_by_a_link(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose
) -> None:
    until = staff.pause_for(ana, brand, "1m", clock.utcnow())
    page = Client().post(centre(address, profile, brand), {"resume": "1"}).content.decode()
    assert "Nothing was changed." in page
    assert pausing.paused_until(brand.pk, [profile.pk], clock.utcnow()) == until


@pytest.mark.parametrize("first", ["staff", "link"])
@pytest.mark.parametrize(("by_staff", "by_link"), [("1w", "3m"), ("3m", "1w"), ("1m", "1m")])
def test_the_end_of_the_pause_by_link_leaves_that_of_the_staff(
    ana: Customer,
    profile: Profile,
    address: Address,
    brand: Brand,
    mails: list[Confirmation],
    first: str,
    by_staff: str,
    by_link: str,
) -> None:
    url = centre(address, profile, brand)
    if first == "link":
        Client().post(url, {"pause": by_link})
    until = staff.pause_for(ana, brand, by_staff, clock.utcnow())
    if first == "staff":
        Client().post(url, {"pause": by_link})
    own = pausing.end_of(by_link, brand.zone, clock.utcnow())
    assert pausing.paused_until(brand.pk, [address.pk], clock.utcnow()) == own, "the link's own is as long as asked"
    Client().post(url, {"resume": "1"})
    page = Client().post(f"/c/{confirm_link(mails[0].pk)}", {"confirm": "1"}).content.decode()
    assert pausing.paused_until(brand.pk, [address.pk], clock.utcnow()) is None
    assert pausing.paused_until(brand.pk, [profile.pk], clock.utcnow()) == until
    assert ("The pause is over." in page, "but another one holds until" in page) == (False, True)


def test_of_a_pause_by_the_staff_alone_no_end_is_offered(
    ana: Customer, profile: Profile, address: Address, brand: Brand, mails: list[Confirmation]
) -> None:
    staff.pause_for(ana, brand, "1m", clock.utcnow())
    url = centre(address, profile, brand)
    page = Client().get(url).content.decode()
    assert ("Everything is paused" in page, 'name="resume"' in page) == (True, False)
    Client().post(url, {"pause": "1w"})
    assert 'name="resume"' in Client().get(url).content.decode()


def test_a_pause_by_another_mailbox_overtakes_the_mail_that_was_to_end_one(
    ana: Customer, profile: Profile, address: Address, brand: Brand, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    tell(address, profile, newsletter, "given", T0)
    other, second = people.make_profile(ana), people.make_address("ana@work.example")
    people.seen(other, second)
    Client().post(centre(address, profile, brand), {"pause": "1w"})
    Client().post(centre(address, profile, brand), {"resume": "1"})
    Client().post(centre(second, other, brand), {"pause": "1w"})
    stranger, theirs = people.make_profile(people.make_customer()), people.make_address("bia@example.com")
    people.seen(stranger, theirs)
    Client().post(centre(theirs, stranger, brand), {"pause": "1w"})
    Client().post(centre(theirs, stranger, brand), {"resume": "1"})
    assert answer.confirm(mails[0], clock.utcnow()) == Confirmation.Outcome.OVERTAKEN
    assert verdict(ana, address, newsletter, clock.utcnow()).reason == "paused"
    Client().post(centre(address, profile, brand), {"pause": "3m"})
    assert answer.confirm(mails[1], clock.utcnow()) == Confirmation.Outcome.CONFIRMED, "another's is not overtaken"


def test_who_joins_while_the_end_is_confirmed_stays_paused(
    ana: Customer,
    profile: Profile,
    address: Address,
    brand: Brand,
    mails: list[Confirmation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their place was not locked with the others: taken now, it would be out of order."""
    joining = people.make_profile(people.make_customer())
    place, until = people.make_person(joining), clock.utcnow() + timedelta(days=7)
    pausing.pause(brand.pk, [place.pk], until, clock.utcnow(), method="link")
    Client().post(centre(address, profile, brand), {"pause": "1w"})
    Client().post(centre(address, profile, brand), {"resume": "1"})

    def lock_late(address_id: UUID) -> None:
        Profile.objects.filter(pk=joining.pk).update(customer=ana)
        lock_address(address_id)

    monkeypatch.setattr(answer, "lock_address", lock_late)
    assert answer.confirm(mails[0], clock.utcnow()) == Confirmation.Outcome.CONFIRMED
    assert pausing.paused_until(brand.pk, [address.pk, profile.pk], clock.utcnow()) is None
    assert pausing.paused_until(brand.pk, [joining.pk], clock.utcnow()) == until


@pytest.mark.parametrize("body", [{"resume": "1"}, {"save_frequency": "1", "every_days": "0"}, {"topic": "newsletter"}])
def test_where_a_days_mails_are_used_up_the_page_says_so(
    profile: Profile,
    address: Address,
    brand: Brand,
    newsletter: Purpose,
    mails: list[Confirmation],
    settings: Settings,
    body: dict[str, str],
) -> None:
    Preference.objects.create(brand=brand, address=address, every_days=30, changed_at=T0)
    url = centre(address, profile, brand)
    Client().post(url, {"pause": "1w"})
    settings.TRILHA_CONFIRMATIONS_A_DAY = 0
    if "topic" in body:
        body = {"save_topics": "1", "topic": f"{newsletter.pk}.{address.pk}"}
    page = Client().post(url, body).content.decode()
    assert "Nothing was changed: this address had as many mails that ask as it gets in a day. Try again later." in page
    assert mails == []


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
