"""Whose an address is when somebody else merely says that it is theirs, as any page can."""

from typing import Any

import pytest

from consent.models import PrivacyRequest, Purpose, Suppression
from consent.permission import Ask, permissions
from consent.preferences.centre import known, read
from consent.preferences.link import Link
from consent.preferences.stopping import By, stop_all
from consent.privacy import erasure, requests
from consent.privacy.requests import Asking
from customers import erased, jobs
from customers.ids import NIL, new_id
from customers.models import (
    Address,
    AddressProfile,
    Customer,
    ErasedAddress,
    ErasedSubject,
    Identifier,
    InboxItem,
    Profile,
)
from customers.privacy.subject import find
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db

EMAIL = "ana@example.com"


@pytest.fixture
def stage() -> Stage:
    return make_stage()


def claim(stage: Stage, user: str) -> None:
    """As a page would: whoever opens it can say so."""
    stage.accept("identify", user, traits={"email": EMAIL}, email=EMAIL)
    InboxItem.objects.update(assurance=1)
    stage.run()


def erase(stage: Stage, user: str) -> None:
    names = requests.naming("user_id", user, [stage.source.namespace], stage.now)
    asking = Asking(brand=stage.brand, kind="erasure", law="lgpd", channel="email", names=names, assurance=4)
    request = requests.take_down(asking, stage.now)
    erasure.ask(request, stage.now, None)
    for _turn in range(9):
        jobs.work_on(lambda: stage.now, 2)
        stage.pass_time(seconds=61)
    assert PrivacyRequest.objects.get().state == "done"


def is_erased(channel: str = "email") -> bool:
    return ErasedAddress.objects.filter(digest=erased.address_digest(channel, EMAIL)).exists()


@pytest.mark.parametrize("order", [("ana", "mal"), ("mal", "ana")])
def test_an_owners_address_is_erased_whoever_claims_it_too(stage: Stage, order: tuple[str, str]) -> None:
    for one in order:
        stage.know("ana") if one == "ana" else claim(stage, "mal")
    assert dict(AddressProfile.objects.filter(address__value=EMAIL).values_list(
        "profile__identifier__value", "assurance")) == {"ana": 2, EMAIL: 2, "mal": 1}  # fmt: skip
    erase(stage, "ana")
    assert not Address.objects.filter(value=EMAIL).exists()
    assert not Identifier.objects.filter(value__in=["ana", EMAIL]).exists()
    assert is_erased()
    assert ErasedSubject.objects.filter(digest=erased.digest(NIL, "email", EMAIL)).exists()
    assert Suppression.objects.get(reason="erasure").address.value.startswith("erased:")
    assert Identifier.objects.get().value == "mal"
    assert Customer.objects.count() == Profile.objects.count() == 1


@pytest.mark.parametrize("order", [("ana", "mal"), ("mal", "ana")])
def test_a_claim_takes_nothing_from_the_owner_when_who_claimed_is_erased(stage: Stage, order: tuple[str, str]) -> None:
    for one in order:
        stage.know("ana") if one == "ana" else claim(stage, "mal")
    erase(stage, "mal")
    address = Address.objects.get(value=EMAIL)
    assert set(address.profiles.values_list("profile__identifier__value", flat=True)) >= {"ana"}
    assert not is_erased()
    assert not ErasedSubject.objects.filter(digest=erased.digest(NIL, "email", EMAIL)).exists()
    assert not Suppression.objects.exists()
    stage.happen("identify", "ana", traits={"email": EMAIL}, email=EMAIL)
    customer = Identifier.objects.get(value="ana").profile.customer_id
    assert Identifier.objects.get(value=EMAIL).profile.customer_id == customer


def test_what_two_people_merely_claim_stays_with_the_other(stage: Stage) -> None:
    claim(stage, "mal")
    claim(stage, "moe")
    erase(stage, "mal")
    assert Address.objects.filter(value=EMAIL).exists()
    assert not is_erased()


def test_what_they_alone_claimed_is_theirs(stage: Stage) -> None:
    claim(stage, "mal")
    erase(stage, "mal")
    assert not Address.objects.filter(value=EMAIL).exists()
    assert is_erased()


def test_a_claim_that_is_told_by_a_server_later_is_more_than_one(stage: Stage) -> None:
    stage.know("ana")
    claim(stage, "mal")
    names = requests.naming("user_id", "ana", [stage.source.namespace], stage.now)
    assert not find(names).shared_addresses
    stage.happen("identify", "mal", traits={"email": EMAIL}, email=EMAIL)
    assert AddressProfile.objects.get(profile__identifier__value="mal").assurance == 2
    assert [value for _id, _channel, value in find(names).reached] == []
    claim(stage, "mal")
    assert AddressProfile.objects.get(profile__identifier__value="mal").assurance == 2


def claims(stage: Stage, user: str = "", **named: Any) -> None:
    stage.accept("identify", user, **named)
    InboxItem.objects.update(assurance=1)
    stage.run()


@pytest.mark.parametrize("told_by_a_server", ["", "of somebody", "of them"])
def test_who_put_their_own_address_to_anothers_on_a_page_stops_nothing_of_them(
    stage: Stage, told_by_a_server: str
) -> None:
    stage.know("ana")
    if told_by_a_server == "of somebody":
        stage.happen("identify", "", email="mal@example.com")
    for email in (EMAIL, "mal@example.com"):
        claims(stage, anonymous_id="browser", email=email)
    if told_by_a_server == "of them":
        stage.happen("identify", "ana", email="mal@example.com")
    own, hers = Address.objects.get(value="mal@example.com"), Address.objects.get(value=EMAIL)
    customer_id = Identifier.objects.get(value="ana").profile.customer_id
    assert stage.customers() == 1
    mal = Identifier.objects.get(value="browser").profile_id
    reader = known(Link(own.pk, mal, stage.brand.pk, new_id()))
    assert reader is not None
    stop_all(read(reader, "en", stage.now), By("en"), stage.now)
    news = Purpose.objects.get(key="news")
    [still] = permissions([Ask(customer_id, hers.pk, news.pk)], stage.now)
    assert still.allowed is (told_by_a_server != "of them"), "an address that is surely of them speaks for them"
    assert not permissions([Ask(customer_id, own.pk, news.pk)], stage.now)[0].allowed


def test_nobody_is_erased_or_handed_out_by_a_name_that_only_a_page_put_to_theirs(stage: Stage) -> None:
    stage.know("ana")
    for email in (EMAIL, "mal@example.com"):
        claims(stage, anonymous_id="browser", email=email)
    assert Customer.objects.count() == 1, "a page told that they are one"
    for name in ("mal@example.com", "Mal@Example.com"):
        with pytest.raises(requests.SeveralMeant):
            requests.name_of_one("email", name, [stage.source.namespace], stage.now)
    assert len(requests.name_of_one("email", EMAIL, [stage.source.namespace], stage.now)) == 1
    assert len(requests.name_of_one("user_id", "ana", [stage.source.namespace], stage.now)) == 1


def means_one(stage: Stage, kind: str, value: str) -> bool:
    try:
        return len(requests.name_of_one(kind, value, [stage.source.namespace], stage.now)) == 1
    except requests.SeveralMeant:
        return False


def test_who_is_known_well_reaches_nobody_by_a_claim_either(stage: Stage) -> None:
    """A server knows both the one who claims and the one whose telephone they claim."""
    stage.know("mal")
    stage.happen("identify", "", phone="+5511987654321")
    claims(stage, "mal", phone="+5511987654321")
    assert stage.customers() == 1
    assert [means_one(stage, *one) for one in (("user_id", "mal"), ("email", "mal@example.com"))] == [False, False]
    assert not means_one(stage, "phone", "+5511987654321")
    stage.happen("identify", "mal", phone="+5511987654321")
    assert [means_one(stage, *one) for one in (("user_id", "mal"), ("phone", "+5511987654321"))] == [True, True]


def test_whom_a_server_knows_by_an_id_alone_is_handed_out_by_no_claimed_address(stage: Stage) -> None:
    stage.happen("order.completed", "ana")
    claims(stage, "ana", email="mal@example.com")
    assert stage.customers() == 1
    assert not means_one(stage, "email", "mal@example.com")
    assert means_one(stage, "user_id", "ana"), "what nobody but a page told of goes with her"


def test_whom_only_pages_told_of_are_one_by_any_of_their_names(stage: Stage) -> None:
    claims(stage, "ana", email=EMAIL, anonymous_id="browser")
    names = (("user_id", "ana"), ("email", EMAIL), ("anonymous_id", "browser"))
    assert [means_one(stage, *one) for one in names] == [True, True, True]


def consent_at(stage: Stage, user: str, *, is_claim: bool = False) -> None:
    """A consent may name an address that its person is known by nowhere else."""
    stage.accept("consent.granted", user, properties={"purpose": "news", "address": EMAIL})
    if is_claim:
        InboxItem.objects.update(assurance=1)
    stage.run()


@pytest.mark.parametrize("is_claimed_too", [False, True])
def test_an_address_that_only_their_consent_named_goes_with_them(stage: Stage, is_claimed_too: bool) -> None:
    consent_at(stage, "ana")
    if is_claimed_too:
        consent_at(stage, "mal", is_claim=True)
    assert not AddressProfile.objects.filter(address__value=EMAIL).exists()
    erase(stage, "ana")
    assert not Address.objects.filter(value=EMAIL).exists()
    assert is_erased()
    assert Suppression.objects.get(reason="erasure").address.value.startswith("erased:")


def test_an_address_that_others_surely_consented_at_stays(stage: Stage) -> None:
    consent_at(stage, "ana")
    consent_at(stage, "mal", is_claim=True)
    erase(stage, "mal")
    assert Address.objects.filter(value=EMAIL).exists()
    consent_at(stage, "bia")
    assert find(requests.naming("user_id", "bia", [stage.source.namespace], stage.now)).addresses == ()
    assert not is_erased()
    assert not Suppression.objects.exists()
