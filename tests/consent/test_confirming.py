"""Double opt-in: what was asked for takes effect from the mailbox itself, once, in time, unless withdrawn since."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from consent.confirming import answer, ask
from consent.confirming.link import make_link
from consent.models import Confirmation, ConsentEntry, Preference, Purpose
from customers import clock
from customers.models import Address, Customer, Profile
from tests.consent import people
from tests.consent.people import HOUR, T0, tell, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(address: Address, profile: Profile, newsletter: Purpose, mails: list[Confirmation]) -> Confirmation:
    ask.ask(asking(address, profile, newsletter), T0)
    [mail] = mails
    return mail


def asking(address: Address, profile: Profile, purpose: Purpose, language: str = "pt-br") -> ask.Asking:
    return ask.Asking(
        brand_id=purpose.brand_id,
        address_id=address.pk,
        profile_id=profile.pk,
        purpose_id=purpose.pk,
        language=language,
        method="link",
        evidence={"user_agent": "Firefox"},
    )


def states() -> list[str]:
    return list(ConsentEntry.objects.order_by("pk").values_list("state", flat=True))


def test_confirmed_it_is_a_consent_with_its_proof(
    ana: Customer, address: Address, newsletter: Purpose, profile: Profile, asked: Confirmation
) -> None:
    assert verdict(ana, address, newsletter, T0).reason == "no_consent"
    assert answer.confirm(asked, T0 + HOUR, evidence={"user_agent": "Phone"}) == "confirmed"
    entry = ConsentEntry.objects.latest("pk")
    assert (entry.state, entry.method, entry.profile_id, entry.language) == (
        "given", "double_opt_in", profile.pk, "pt-br",
    )  # fmt: skip
    assert entry.evidence.fields == {
        "user_agent": "Phone",
        "request_entry": str(asked.requested_entry_id),
        "asked_at": T0.isoformat(),
    }
    assert verdict(ana, address, newsletter, T0 + HOUR) == (True, "", entry.pk)


def test_it_outweighs_a_withdrawal_from_before_it_was_asked(
    ana: Customer,
    address: Address,
    newsletter: Purpose,
    profile: Profile,
    mails: list[Confirmation],
) -> None:
    tell(address, None, newsletter, "withdrawn", T0 - HOUR)
    ask.ask(asking(address, profile, newsletter), T0)
    answer.confirm(mails[0], T0 + HOUR)
    assert verdict(ana, address, newsletter, T0 + HOUR).allowed


def test_twice_is_once(asked: Confirmation) -> None:
    assert [answer.confirm(asked, T0 + n * HOUR) for n in (1, 2)] == ["confirmed", "confirmed"]
    assert states() == ["requested", "given"]


def test_twice_is_once_also_after_a_withdrawal(
    ana: Customer, address: Address, newsletter: Purpose, asked: Confirmation
) -> None:
    answer.confirm(asked, T0 + HOUR)
    tell(address, None, newsletter, "withdrawn", T0 + 2 * HOUR)
    answer.confirm(asked, T0 + 3 * HOUR)
    assert states() == ["requested", "given", "withdrawn"]
    assert verdict(ana, address, newsletter, T0 + 3 * HOUR).reason == "withdrawn"


def test_too_late_it_changes_nothing(asked: Confirmation) -> None:
    assert answer.confirm(asked, asked.expires_at) == "expired"
    assert answer.confirm(asked, T0 + HOUR) == "expired"
    assert states() == ["requested"]


@pytest.mark.parametrize("whose", ["address", "own", "person"])
def test_withdrawn_meanwhile_it_is_refused(
    whose: str, address: Address, profile: Profile, newsletter: Purpose, asked: Confirmation
) -> None:
    place = people.make_person(profile) if whose == "person" else address
    tell(place, None if whose == "address" else profile, newsletter, "withdrawn", T0 + HOUR)
    assert answer.confirm(asked, T0 + 2 * HOUR) == "overtaken"
    assert states() == ["requested", "withdrawn"]


def test_what_another_user_of_the_address_withdrew_does_not_matter(
    address: Address, newsletter: Purpose, asked: Confirmation
) -> None:
    bia = people.make_profile(people.make_customer())
    tell(address, bia, newsletter, "withdrawn", T0 + HOUR)
    assert answer.confirm(asked, T0 + 2 * HOUR) == "confirmed"


def test_asked_again_after_a_while_the_newest_mail_counts(
    address: Address,
    profile: Profile,
    newsletter: Purpose,
    asked: Confirmation,
    mails: list[Confirmation],
) -> None:
    assert not ask.ask(asking(address, profile, newsletter), T0 + timedelta(minutes=14))
    assert ask.ask(asking(address, profile, newsletter), T0 + timedelta(minutes=15))
    assert answer.confirm(asked, T0 + HOUR) == "overtaken"
    assert answer.confirm(mails[1], T0 + HOUR) == "confirmed"
    assert states() == ["requested", "requested", "given"]


def test_an_address_is_asked_about_one_thing_once_for_whichever_profile(
    address: Address, profile: Profile, newsletter: Purpose, asked: Confirmation, mails: list[Confirmation]
) -> None:
    bia = people.make_profile(people.make_customer())
    assert ask.ask(asking(address, bia, newsletter), T0 + timedelta(minutes=1))
    assert list(Confirmation.objects.order_by("asked_at").values_list("profile_id", "outcome")) == [
        (profile.pk, "overtaken"), (bia.pk, "open"),
    ]  # fmt: skip
    assert [answer.confirm(mail, T0 + HOUR) for mail in mails] == ["overtaken", "confirmed"]


def test_an_address_gets_so_many_mails_a_day_and_the_others_are_noted(
    address: Address, newsletter: Purpose, mails: list[Confirmation], settings: Settings
) -> None:
    settings.TRILHA_CONFIRMATIONS_A_DAY = 3
    other = people.make_purpose(people.make_brand("other"))
    flood = [people.make_profile(people.make_customer()) for _number in range(5)]
    sent = [ask.ask(asking(address, one, newsletter if n % 2 else other), T0) for n, one in enumerate(flood)]
    assert (sent, len(mails)) == ([True] * 3 + [False] * 2, 3)
    assert states() == ["requested"] * 3 + ["deferred"] * 2
    entry = ConsentEntry.objects.latest("pk")
    assert (entry.profile_id, entry.evidence.fields["not_asked"]) == (flood[4].pk, "too_many_mails")
    assert Confirmation.objects.filter(outcome="held_back").count() == 2
    assert not ask.ask(asking(address, flood[4], other), T0 + HOUR), "noted once"
    assert (len(states()), Confirmation.objects.filter(outcome="held_back").count()) == (5, 2)
    assert answer.confirm(mails[1], T0 + HOUR) == "confirmed", "what was sent is good still"
    assert ask.ask(asking(people.make_address("bia@example.com"), flood[0], newsletter), T0 + HOUR)
    assert ask.ask(asking(address, flood[4], other), T0 + timedelta(days=1)), "the next day they are asked again"


def test_more_often_takes_effect_when_confirmed(
    address: Address,
    profile: Profile,
    newsletter: Purpose,
    mails: list[Confirmation],
) -> None:
    Preference.objects.create(brand=newsletter.brand, address=address, every_days=30, changed_at=T0)
    asking_ = ask.Asking(
        brand_id=newsletter.brand_id, address_id=address.pk, profile_id=profile.pk, every_days=0, language="en",
        method="link",
    )  # fmt: skip
    ask.ask(asking_, T0)
    assert answer.confirm(mails[0], T0 + HOUR) == "confirmed"
    assert Preference.objects.get().every_days == 0
    assert states() == []


@pytest.fixture
def url(address: Address, profile: Profile, newsletter: Purpose, mails: list[Confirmation]) -> str:
    ask.ask(asking(address, profile, newsletter, "en"), clock.utcnow())
    return f"/c/{make_link(mails[0].pk)}"


def test_opening_the_link_shows_a_button_and_changes_nothing(client: Client, url: str) -> None:
    responses = [client.get(url), client.head(url)]
    assert [one.status_code for one in responses] == [200, 200]
    page = responses[0].content.decode()
    assert '<button type="submit" name="confirm"' in page
    assert "a•••@e•••.com" in page
    assert "ana@example.com" not in page
    assert states() == ["requested"]
    assert responses[0]["Referrer-Policy"] == "no-referrer"


def test_the_button_confirms_and_the_page_says_so_again(url: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for _time in range(2):
        response = client.post(url, {"confirm": "1"}, headers={"User-Agent": "Phone"})
        assert (response.status_code, "Thank you." in response.content.decode()) == (200, True)
    assert states() == ["requested", "given"]


def test_an_empty_post_confirms_nothing(client: Client, url: str) -> None:
    assert client.post(url, {}).status_code == 400
    assert states() == ["requested"]


def test_a_link_that_is_over_says_why(client: Client, url: str, address: Address, newsletter: Purpose) -> None:
    tell(address, None, newsletter, "withdrawn", clock.utcnow())
    response = client.post(url, {"confirm": "1"})
    assert (response.status_code, "Something else was chosen" in response.content.decode()) == (410, True)
    assert states() == ["requested", "withdrawn"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_forged_link_is_not_found(client: Client, url: str, method: str) -> None:
    forged = url[:-1] + ("A" if url[-1] != "A" else "B")
    unknown = f"/c/{make_link(UUID(int=5))}"
    assert [getattr(client, method)(one, {"confirm": "1"}).status_code for one in (forged, unknown)] == [404, 404]


def test_what_was_erased_at_this_very_moment_is_not_found(
    client: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def erased(_address: UUID) -> None:
        Confirmation.objects.all().delete()

    monkeypatch.setattr(answer, "lock_address", erased)
    assert client.post(url, {"confirm": "1"}).status_code == 404
    assert states() == ["requested"]
