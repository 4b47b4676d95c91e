"""The preference centre as its readers, scanners and finders of forwarded mail use it."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from consent import pausing
from consent.confirming import ask
from consent.confirming.link import make_link as confirm_link
from consent.models import Confirmation, ConsentEntry, Pause, Preference, Purpose, PurposeText
from consent.preferences.link import Link, make_link
from consent.unsubscribe import Token, make_token
from customers import clock
from customers.ids import NIL
from customers.models import Address, AddressProfile, Brand, Customer, Profile
from tests.consent import people
from tests.consent.people import T0, tell, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def offers(brand: Brand) -> Purpose:
    return people.make_purpose(brand, "offers")


@pytest.fixture
def link(address: Address, profile: Profile, brand: Brand) -> str:
    return f"/p/{make_link(Link(address.pk, profile.pk, brand.pk, UUID(int=77)))}"


@pytest.fixture
def granted(address: Address, profile: Profile, newsletter: Purpose) -> int:
    return tell(address, profile, newsletter, "given", T0)


def key(purpose: Purpose, address: Address) -> str:
    return f"{purpose.pk}.{address.pk}"


def entries() -> list[tuple[str, str, UUID | None]]:
    return list(ConsentEntry.objects.order_by("pk").values_list("state", "method", "profile_id"))


def allowed(ana: Customer, address: Address, purpose: Purpose) -> bool:
    return verdict(ana, address, purpose, clock.utcnow()).allowed


def undo_of(page: str) -> str:
    found: str
    [found] = re.findall(r'name="undo" value="([^"]+)"', page)
    return unescape(found)


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_it_changes_nothing(client: Client, link: str, granted: int, method: str) -> None:
    response = getattr(client, method)(link)
    assert response.status_code == 200
    assert (len(entries()), Pause.objects.count(), Preference.objects.count(), Confirmation.objects.count()) == (
        1, 0, 0, 0,
    )  # fmt: skip
    assert not response.cookies


def test_it_is_neither_cached_nor_indexed_nor_passed_on(client: Client, link: str) -> None:
    response = client.get(link)
    assert "no-store" in response["Cache-Control"]
    assert (response["Referrer-Policy"], response["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "<script" not in response.content.decode()


def test_no_address_is_shown_whole(client: Client, link: str, profile: Profile, newsletter: Purpose) -> None:
    people.seen(profile, people.make_address("+5511987654321", "sms"))
    page = client.get(link).content.decode()
    assert "a•••@e•••.com" in page
    assert "•••21" in page
    assert "ana@example.com" not in page
    assert "987654321" not in page


def test_who_shares_the_address_is_told_of_no_other_address(
    client: Client, link: str, profile: Profile, address: Address, newsletter: Purpose
) -> None:
    people.seen(profile, people.make_address("+5511987654321", "sms"))
    people.seen(people.make_profile(people.make_customer()), address)
    assert "•••21" not in client.get(link).content.decode()


@pytest.mark.parametrize("change", [lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"), lambda url: "/p/x"])
def test_a_forged_link_is_not_found(client: Client, link: str, change: object) -> None:
    forged = change(link)  # type: ignore[operator]  # a function
    assert [client.get(forged).status_code, client.post(forged, {"all": "1"}).status_code] == [404, 404]
    assert entries() == []


def test_a_link_to_unsubscribe_opens_no_preferences(client: Client, address: Address, newsletter: Purpose) -> None:
    assert client.get(f"/p/{make_token(Token(address.pk, newsletter.pk, UUID(int=1)))}").status_code == 404


def test_an_old_link_opens_after_the_key_was_changed(client: Client, link: str, settings: Settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "k" * 60, [settings.SECRET_KEY]
    assert client.get(link).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(link).status_code == 404


def test_of_an_address_that_was_erased_it_says_so(client: Client, brand: Brand) -> None:
    gone = f"/p/{make_link(Link(UUID(int=9), UUID(int=8), brand.pk, UUID(int=7)))}"
    assert [client.get(gone).status_code, client.post(gone, {"all": "1"}).status_code] == [410, 410]


def test_a_topic_taken_away_stops_at_once_whoever_uses_the_address(
    ana: Customer, address: Address, link: str, newsletter: Purpose, granted: int
) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(link, {"save_topics": "1", "shown": key(newsletter, address)})
    assert "1 topic was stopped." in response.content.decode()
    assert entries()[1:] == [("withdrawn", "link", None)]
    assert not allowed(ana, address, newsletter)
    client.post(link, {"save_topics": "1", "shown": key(newsletter, address)})
    assert len(entries()) == 2


def test_what_was_not_touched_on_an_old_page_stays_as_it_is(
    ana: Customer, address: Address, profile: Profile, link: str, newsletter: Purpose, offers: Purpose, granted: int
) -> None:
    tell(address, profile, offers, "given", T0)
    # The page was drawn before offers were granted: it shows newsletter alone, and the reader keeps it.
    Client().post(link, {"save_topics": "1", "shown": key(newsletter, address), "topic": key(newsletter, address)})
    assert allowed(ana, address, newsletter)
    assert allowed(ana, address, offers)
    assert len(entries()) == 2


def test_stopping_is_undone_a_moment_later_by_the_same_page(
    ana: Customer, address: Address, link: str, newsletter: Purpose, granted: int
) -> None:
    page = Client().post(link, {"save_topics": "1", "shown": key(newsletter, address)}).content.decode()
    assert not allowed(ana, address, newsletter)
    answer = Client().post(link, {"undo": undo_of(page)}).content.decode()
    assert "Everything is as it was before." in answer
    assert allowed(ana, address, newsletter)
    assert entries()[1:] == [("withdrawn", "link", None), ("unknown", "link", None)]
    again = Client().post(link, {"undo": undo_of(page)}).content.decode()
    assert "can no longer be undone" in again
    assert len(entries()) == 3


def test_undoing_grants_nothing_that_was_not_granted(
    ana: Customer, address: Address, link: str, newsletter: Purpose
) -> None:
    page = Client().post(link, {"all": "1"}).content.decode()
    Client().post(link, {"undo": undo_of(page)})
    assert verdict(ana, address, newsletter, clock.utcnow()).reason == "no_consent"


def test_what_took_the_place_of_an_answer_cannot_be_undone(
    address: Address, profile: Profile, link: str, newsletter: Purpose
) -> None:
    tell(address, None, newsletter, "withdrawn", T0)
    tell(address, profile, newsletter, "given", clock.utcnow(), method="double_opt_in")
    page = Client().post(link, {"save_topics": "1", "shown": key(newsletter, address)}).content.decode()
    assert [state for state, _method, _profile in entries()] == ["withdrawn", "given", "withdrawn"]
    assert 'name="undo"' not in page


@pytest.mark.parametrize("forged", ["x", "e30.x", ""])
def test_a_forged_undo_changes_nothing(
    address: Address, link: str, newsletter: Purpose, granted: int, forged: str
) -> None:
    Client().post(link, {"save_topics": "1", "shown": key(newsletter, address)})
    assert Client().post(link, {"undo": forged}).status_code == 200
    assert len(entries()) == 2


def test_the_undo_of_another_address_changes_nothing(
    ana: Customer, address: Address, brand: Brand, link: str, newsletter: Purpose, granted: int
) -> None:
    page = Client().post(link, {"save_topics": "1", "shown": key(newsletter, address)}).content.decode()
    bia = people.make_profile(people.make_customer())
    other = people.make_address("bia@example.com")
    people.seen(bia, other)
    Client().post(f"/p/{make_link(Link(other.pk, bia.pk, brand.pk, UUID(int=1)))}", {"undo": undo_of(page)})
    assert not allowed(ana, address, newsletter)


def test_an_undo_is_good_for_ten_minutes(
    address: Address, link: str, newsletter: Purpose, granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Client().post(link, {"save_topics": "1", "shown": key(newsletter, address)}).content.decode()
    late = clock.utcnow() + people.HOUR
    monkeypatch.setattr("consent.views.preferences.clock.utcnow", lambda: late)
    assert "can no longer be undone" in Client().post(link, {"undo": undo_of(page)}).content.decode()
    assert len(entries()) == 2


def test_a_topic_that_is_added_waits_for_the_mail_to_be_confirmed(
    ana: Customer, address: Address, profile: Profile, link: str, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    answer = Client().post(link, {"save_topics": "1", "topic": key(newsletter, address)}).content.decode()
    assert "We have sent a mail to a•••@e•••.com" in answer
    assert "Waits for you to confirm it" in answer
    assert entries() == [("requested", "link", profile.pk)]
    assert not allowed(ana, address, newsletter)
    [mail] = mails
    assert (mail.address_id, mail.profile_id, mail.purpose_id) == (address.pk, profile.pk, newsletter.pk)


def test_pressing_again_sends_no_second_mail(
    address: Address, link: str, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    for _time in range(3):
        Client().post(link, {"save_topics": "1", "topic": key(newsletter, address)})
    assert (len(mails), len(entries())) == (1, 1)


def test_the_link_of_one_adds_nothing_for_another(
    address: Address, link: str, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    other = people.make_address("bia@example.com")
    people.seen(people.make_profile(people.make_customer()), other)
    for made_up in (key(newsletter, other), f"{newsletter.pk}.{NIL}", "x", "\0"):
        assert Client().post(link, {"save_topics": "1", "topic": made_up, "shown": made_up}).status_code == 200
    assert (mails, entries()) == ([], [])


def test_without_a_way_to_send_mail_nothing_can_be_added(
    address: Address, link: str, newsletter: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "_senders", [])
    assert "disabled" in Client().get(link).content.decode()
    Client().post(link, {"save_topics": "1", "topic": key(newsletter, address)})
    assert entries() == []


def test_another_channel_is_stopped_for_this_person_alone(
    ana: Customer, profile: Profile, link: str, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    phone = people.make_address("+5511987654321", "sms")
    bia = people.make_customer()
    for one in (profile, people.make_profile(bia)):
        people.seen(one, phone)
        tell(phone, one, newsletter, "given", T0)
    Client().post(link, {"save_topics": "1", "shown": key(newsletter, phone)})
    assert not allowed(ana, phone, newsletter)
    assert allowed(bia, phone, newsletter)
    # And not started again from here: the mail would not prove whose telephone it is.
    Client().post(link, {"save_topics": "1", "topic": key(newsletter, phone)})
    assert mails == []


def test_unsubscribing_from_all_leaves_what_is_owed_by_law(
    ana: Customer, address: Address, profile: Profile, brand: Brand, link: str, newsletter: Purpose, granted: int
) -> None:
    hidden = people.make_purpose(brand, "hidden")
    Purpose.objects.filter(pk=hidden.pk).update(is_offered=False)
    law, receipts = people.make_purpose(brand, "law", "legal"), people.make_purpose(brand, "receipts", "service")
    tell(address, profile, hidden, "given", T0)
    answer = Client().post(link, {"all": "1"})
    assert "You are unsubscribed from everything." in answer.content.decode()
    assert [allowed(ana, address, one) for one in (newsletter, hidden, receipts, law)] == [False, False, False, True]
    before = len(entries())
    Client().post(link, {"all": "1"})
    assert len(entries()) == before


def test_of_an_address_that_several_use_it_says_that_no_other_was_stopped(
    ana: Customer, address: Address, profile: Profile, link: str, newsletter: Purpose, granted: int
) -> None:
    second = people.make_address("ana@work.example")
    people.seen(profile, second)
    tell(second, profile, newsletter, "given", T0)
    people.seen(people.make_profile(people.make_customer()), address)
    page = Client().post(link, {"all": "1"}).content.decode()
    assert "You are unsubscribed from everything." not in page
    assert "a•••@e•••.com is unsubscribed from everything. Whatever goes to other addresses goes on." in page
    assert [allowed(ana, one, newsletter) for one in (address, second)] == [False, True]


def test_what_is_stopped_is_told_beside_what_no_mail_could_be_sent_for(
    address: Address,
    link: str,
    newsletter: Purpose,
    offers: Purpose,
    mails: list[Confirmation],
    settings: Settings,
    granted: int,
) -> None:
    settings.TRILHA_CONFIRMATIONS_A_DAY = 0
    body = {"save_topics": "1", "shown": key(newsletter, address), "topic": key(offers, address)}
    page = Client().post(link, body).content.decode()
    assert "1 topic was stopped. For the rest no mail was sent: this address had as many as it gets in a day." in page
    assert mails == []


def test_everything_is_paused_and_the_pause_ended_by_a_mail(
    ana: Customer,
    address: Address,
    profile: Profile,
    link: str,
    newsletter: Purpose,
    mails: list[Confirmation],
    granted: int,
) -> None:
    phone = people.make_address("+5511987654321", "sms")
    people.seen(profile, phone)
    tell(phone, profile, newsletter, "given", T0)
    answer = Client().post(link, {"pause": "1m"}).content.decode()
    assert "Everything is paused" in answer
    assert [verdict(ana, one, newsletter, clock.utcnow()).reason for one in (address, phone)] == ["paused", "paused"]
    Client().post(link, {"pause": "1m"})
    assert Pause.objects.count() == 2
    answer = Client().post(link, {"resume": "1"}).content.decode()
    assert "We have sent a mail to a•••@e•••.com." in answer
    assert ("Waits for you to confirm it" in answer, 'name="resume"' in answer) == (True, False)
    assert [allowed(ana, one, newsletter) for one in (address, phone)] == [False, False]
    [mail] = mails
    assert (mail.purpose_id, mail.every_days, mail.ends_pause) == (None, None, True)
    confirming = Client().get(f"/c/{confirm_link(mail.pk)}").content.decode()
    assert "Shall the pause end, and <strong>a•••@e•••.com</strong> get again what was chosen?" in confirming
    answer = Client().post(f"/c/{confirm_link(mail.pk)}", {"confirm": "1"}).content.decode()
    assert "The pause is over." in answer
    assert [allowed(ana, one, newsletter) for one in (address, phone)] == [True, True]
    assert {state for state, _method, _profile in entries()} == {"given"}


def test_whoever_was_forwarded_the_link_ends_no_pause(
    ana: Customer, address: Address, link: str, newsletter: Purpose, mails: list[Confirmation], granted: int
) -> None:
    """However often they press the button: the mail goes to the address, once."""
    Client().post(link, {"pause": "1m"})
    for _again in range(3):
        Client().post(link, {"resume": "1"})
    assert [mail.address_id for mail in mails] == [address.pk]
    assert verdict(ana, address, newsletter, clock.utcnow()).reason == "paused"


def test_another_pause_overtakes_the_mail_that_was_to_end_one(
    ana: Customer, address: Address, link: str, newsletter: Purpose, mails: list[Confirmation], granted: int
) -> None:
    Client().post(link, {"pause": "1w"})
    Client().post(link, {"resume": "1"})
    Client().post(link, {"pause": "3m"})
    answer = Client().post(f"/c/{confirm_link(mails[0].pk)}", {"confirm": "1"})
    assert (answer.status_code, "Something else was chosen" in answer.content.decode()) == (410, True)
    assert verdict(ana, address, newsletter, clock.utcnow()).reason == "paused"


def test_a_pause_of_the_staff_is_neither_ended_nor_asked_about(
    address: Address, brand: Brand, link: str, mails: list[Confirmation], granted: int
) -> None:
    now = clock.utcnow()
    pausing.pause(brand.pk, [address.pk], now + timedelta(days=7), now, method="staff")
    assert "Nothing was changed." in Client().post(link, {"resume": "1"}).content.decode()
    assert mails == []


def test_a_pause_and_how_often_are_asked_about_apart(
    address: Address, brand: Brand, link: str, mails: list[Confirmation], granted: int
) -> None:
    Preference.objects.create(brand=brand, address=address, every_days=30, changed_at=T0)
    Client().post(link, {"pause": "1w"})
    Client().post(link, {"resume": "1"})
    Client().post(link, {"save_frequency": "1", "every_days": "0"})
    assert [(mail.ends_pause, mail.every_days) for mail in mails] == [(True, None), (False, 0)]
    assert {mail.outcome for mail in Confirmation.objects.all()} == {"open"}


def test_where_no_mail_can_be_sent_a_pause_ends_by_itself(
    ana: Customer, address: Address, link: str, newsletter: Purpose, granted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "_senders", [])
    Client().post(link, {"pause": "1w"})
    assert 'name="resume"' not in Client().get(link).content.decode()
    Client().post(link, {"resume": "1"})
    assert verdict(ana, address, newsletter, clock.utcnow()).reason == "paused"


def test_who_shares_the_address_pauses_the_address_alone(
    address: Address, profile: Profile, link: str, newsletter: Purpose
) -> None:
    people.seen(people.make_profile(people.make_customer()), address)
    Client().post(link, {"pause": "1w"})
    assert list(Pause.objects.values_list("address_id", flat=True)) == [address.pk]


@pytest.mark.parametrize(
    "body", [{"pause": "10y"}, {"save_language": "1", "language": "xx"}, {"save_frequency": "1", "every_days": "-1"}]
)
def test_what_is_not_offered_changes_nothing(link: str, body: dict[str, str]) -> None:
    response = Client().post(link, body)
    assert "Nothing was changed." in response.content.decode()
    assert (Pause.objects.count(), Preference.objects.count()) == (0, 0)


@pytest.mark.parametrize("body", ["", "other=1", "List-Unsubscribe=One-Click"])
def test_a_post_that_asks_for_nothing_is_refused(link: str, body: str, granted: int) -> None:
    response = Client().post(link, body, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, len(entries())) == (400, 1)


def test_less_often_at_once_and_more_often_by_mail(address: Address, link: str, mails: list[Confirmation]) -> None:
    Client().post(link, {"save_frequency": "1", "every_days": "7"})
    assert Preference.objects.get().every_days == 7
    answer = Client().post(link, {"save_frequency": "1", "every_days": "1"}).content.decode()
    assert "We have sent a mail" in answer
    assert Preference.objects.get().every_days == 7
    assert [(mail.purpose_id, mail.every_days) for mail in mails] == [(None, 1)]
    Client().post(link, {"save_frequency": "1", "every_days": "30"})
    assert Preference.objects.get().every_days == 30
    assert Confirmation.objects.get().outcome == "overtaken"
    assert entries() == []


def test_the_page_speaks_the_persons_language_then_the_browsers_and_has_a_switch(
    ana: Customer, link: str, client: Client
) -> None:
    def spoken(query: str = "", accept: str = "en") -> str:
        return str(client.get(link + query, headers={"Accept-Language": accept})["Content-Language"])

    assert [spoken(), spoken(accept="pt-BR")] == ["en", "pt-br"]
    Customer.objects.filter(pk=ana.pk).update(locale="pt-PT")
    assert [spoken(), spoken("?lang=en"), spoken("?lang=xx")] == ["pt-br", "en", "pt-br"]
    client.post(link, {"save_language": "1", "language": "en"})
    assert Preference.objects.get().language == "en"
    assert spoken(accept="pt-BR") == "en"
    page = client.get(link).content.decode()
    assert '<a href="?lang=pt-br" lang="pt-br"' in page


def test_topics_have_their_public_names_in_the_language_of_the_page(
    client: Client, link: str, newsletter: Purpose
) -> None:
    PurposeText.objects.create(purpose=newsletter, locale="pt", name="Novidades <b>", description="Toda semana")
    page = client.get(f"{link}?lang=pt-br").content.decode()
    assert "Novidades &lt;b&gt;" in page
    assert "Toda semana" in page


def test_what_is_not_offered_or_not_by_this_channel_is_not_there(
    client: Client, link: str, newsletter: Purpose, offers: Purpose
) -> None:
    Purpose.objects.filter(pk=offers.pk).update(channels=["sms"])
    page = client.get(link).content.decode()
    assert "<legend>Newsletter</legend>" in page
    assert "Offers" not in page
    Purpose.objects.update(is_offered=False)
    assert "There is nothing to choose from yet." in client.get(link).content.decode()


@pytest.mark.parametrize("is_erased", [True, False])
def test_an_erasure_or_a_merge_at_the_very_moment_is_answered(
    client: Client, link: str, ana: Customer, profile: Profile, address: Address, newsletter: Purpose,
    monkeypatch: pytest.MonkeyPatch, is_erased: bool,
) -> None:  # fmt: skip
    def beside(*_given: object, **_also: object) -> None:
        if is_erased:
            AddressProfile.objects.all().delete()
            address.delete()
        else:
            Profile.objects.filter(pk=profile.pk).update(customer=people.make_customer())
        raise Customer.DoesNotExist

    monkeypatch.setattr("consent.views.preferences.stopping.stop_all", beside)
    answer = client.post(link, {"all": "1"})
    text = answer.content.decode()
    assert answer.status_code == (410 if is_erased else 200)
    assert ("Nothing was changed." in text, "unsubscribed from everything" in text) == (not is_erased, False)
    assert entries() == []


def test_a_fault_of_our_own_is_not_taken_for_one(
    client: Client, link: str, newsletter: Purpose, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object, **_also: object) -> None:
        raise Customer.DoesNotExist

    monkeypatch.setattr("consent.views.preferences.stopping.stop_all", broken)
    with pytest.raises(Customer.DoesNotExist):
        client.post(link, {"all": "1"})


def test_a_consent_about_to_end_is_renewed_by_a_mail_and_stands_meanwhile(
    client: Client, link: str, ana: Customer, address: Address, profile: Profile, newsletter: Purpose,
    mails: list[Confirmation],
) -> None:  # fmt: skip
    now = clock.utcnow()
    tell(address, profile, newsletter, "given", T0, valid_until=now + timedelta(days=5))
    assert f'name="renew" value="{key(newsletter, address)}"' in client.get(link).content.decode()
    client.post(link, {"renew": key(newsletter, address)})
    [mail] = mails
    assert (mail.purpose_id, mail.address_id, mail.method) == (newsletter.pk, address.pk, "link")
    assert [state for state, _method, _profile in entries()] == ["given", "requested"]
    assert allowed(ana, address, newsletter)
    assert 'name="renew"' not in client.get(link).content.decode()


def test_a_consent_without_an_end_is_not_renewed(
    client: Client, link: str, granted: int, address: Address, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    client.post(link, {"renew": key(newsletter, address)})
    assert mails == []
    assert len(entries()) == 1


def test_a_reader_asks_not_to_be_seen_and_a_link_does_not_undo_it(link: str, address: Address, brand: Brand) -> None:
    Client().post(link, {"save_frequency": "1", "every_days": "7"})
    page = Client().post(link, {"untrack": "1"}).content.decode()
    assert "We no longer see what you open and follow." in page
    assert 'name="untrack"' not in page
    chosen = Preference.objects.get(address=address, brand=brand)
    assert (chosen.is_untracked, chosen.every_days) == (True, 7)
    Client().post(link, {"untrack": "0"})
    Client().post(link, {"save_frequency": "1", "every_days": "30"})
    chosen.refresh_from_db()
    assert (chosen.is_untracked, chosen.every_days) == (True, 30)


def test_looking_at_the_page_changes_nothing_of_what_is_seen(link: str) -> None:
    assert 'name="untrack"' in Client().get(link, {"untrack": "1"}).content.decode()
    assert not Preference.objects.exists()
