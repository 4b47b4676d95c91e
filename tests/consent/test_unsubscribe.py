"""Unsubscribing by a token: signed, opaque, idempotent, and address-wide."""

from base64 import urlsafe_b64decode
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from pytest_django import Settings

from consent.models import ConsentEntry, ConsentHead, Purpose
from consent.unsubscribe import (
    BadToken,
    Token,
    make_token,
    masked,
    read_token,
    unsubscribe_url,
    withdraw_by_token,
)
from customers.models import Address, Customer, Profile
from tests.consent.people import T0, hours, make_person, make_profile, tell, verdict

MESSAGE = UUID(int=77)
TOKEN = Token(UUID(int=1), UUID(int=2), MESSAGE)


def token_for(address: Address, purpose: Purpose) -> str:
    return make_token(Token(address.pk, purpose.pk, MESSAGE))


def test_a_token_reads_back_and_holds_only_keys():
    text = make_token(TOKEN)
    assert read_token(text) == TOKEN
    packed = urlsafe_b64decode(text.partition(".")[0])
    assert packed == TOKEN.address_id.bytes + TOKEN.purpose_id.bytes + TOKEN.message_id.bytes


def test_a_link_stands_on_the_public_address(settings: Settings):
    settings.TRILHA_PUBLIC_URL = "https://mail.example/"
    url = urlsplit(unsubscribe_url(TOKEN.address_id, TOKEN.purpose_id, TOKEN.message_id))
    assert (url.scheme, url.netloc, url.query) == ("https", "mail.example", "")
    assert url.path == f"/u/{make_token(TOKEN)}"


@pytest.mark.parametrize("text", ["", ".", "x", "é", make_token(TOKEN)[:-1], "B" + make_token(TOKEN)[1:], "A" * 5000])
def test_a_forged_or_broken_token_is_refused(text: str):
    with pytest.raises(BadToken):
        read_token(text)


def test_a_token_outlives_the_rotation_of_its_key_but_not_its_removal(settings: Settings):
    settings.SECRET_KEY = "the-old-key"
    text = make_token(TOKEN)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the-new-key", ["the-old-key"]
    assert read_token(text) == TOKEN
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadToken):
        read_token(text)


@pytest.mark.django_db
def test_withdrawing_appends_one_address_wide_entry(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose
):
    tell(address, profile, newsletter, "given", T0)
    withdraw_by_token(token_for(address, newsletter), "link", hours(1), {"user_agent": "Firefox"})
    entry = ConsentEntry.objects.order_by("id").last()
    assert entry is not None
    assert (entry.profile_id, entry.state, entry.method, entry.occurred_at) == (
        None,
        "withdrawn",
        "link",
        hours(1),
    )
    assert (entry.message_id, entry.evidence.fields) == (str(MESSAGE), {"user_agent": "Firefox"})
    assert verdict(ana, address, newsletter, hours(1)).reason == "withdrawn"


@pytest.mark.django_db
def test_withdrawing_twice_is_withdrawing_once(address: Address, newsletter: Purpose):
    for n in range(3):
        withdraw_by_token(token_for(address, newsletter), "one_click", hours(n))
    assert ConsentEntry.objects.count() == 1
    assert ConsentHead.objects.get().effective_at == T0


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["address", "person", "other profile"])
def test_a_link_works_again_after_a_proven_grant(
    ana: Customer, profile: Profile, address: Address, newsletter: Purpose, where: str
):
    granting = make_profile(ana) if where == "other profile" else profile
    place = address if where == "address" else make_person(granting)
    withdraw_by_token(token_for(address, newsletter), "link", hours(1))
    tell(place, granting, newsletter, "given", hours(2), method="login")
    assert verdict(ana, address, newsletter, hours(3)).allowed
    withdraw_by_token(token_for(address, newsletter), "link", hours(4))
    assert verdict(ana, address, newsletter, hours(5)).reason == "withdrawn"
    assert ConsentEntry.objects.count() == 3


@pytest.mark.django_db
def test_an_unproven_grant_needs_no_second_withdrawal(profile: Profile, address: Address, newsletter: Purpose):
    withdraw_by_token(token_for(address, newsletter), "link", hours(1))
    tell(address, profile, newsletter, "given", hours(2))
    withdraw_by_token(token_for(address, newsletter), "link", hours(3))
    assert ConsentEntry.objects.count() == 2


@pytest.mark.django_db
def test_after_erasure_there_is_nothing_left_to_withdraw(newsletter: Purpose):
    token = make_token(Token(UUID(int=9), newsletter.pk, MESSAGE))
    assert withdraw_by_token(token, "link", T0).address_id == UUID(int=9)
    assert ConsentEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ana@example.com", "a•••@e•••.com"),
        ("a@b.co.uk", "a•••@b•••.uk"),
        ("a@localhost", "a•••@l•••"),
        ("+5511998765432", "•••32"),
    ],
)
def test_an_address_is_shown_only_to_who_knows_it(value: str, shown: str):
    assert masked(Address(value=value)) == shown


@pytest.mark.parametrize("channel", ["in_app", "web"])
def test_a_persons_own_screen_is_named_and_not_numbered(channel: str) -> None:
    assert masked(Address(channel=channel, value="0195577f-7400-7000-8000-000000000000")) == "our pages and apps"
