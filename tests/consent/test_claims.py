"""What a page tells of somebody's consent: anybody may have named anybody, so it is asked about and outweighs no no."""

from typing import Any

import orjson
import pytest
from django.test import Client

from consent.as_of import permissions_as_of
from consent.confirming import answer
from consent.decision import Head, decide
from consent.models import Confirmation, ConsentEntry, Purpose
from consent.permission import Ask, permissions
from consent.stage import apply_queued
from customers import clock, keys
from customers.models import Address, Customer, Identifier, Profile, QuarantinedEvent, Source
from customers.resolve.stage import resolve_inbox
from tests.consent import people
from tests.consent.people import T0, hours, tell, verdict
from tests.consent.test_consent_stage import queue
from tests.customers.segment_door import identify, track

pytestmark = pytest.mark.django_db

NOW = hours(10)
SHOP = "https://shop.example"
ONE, OTHER = people.some_id(), people.some_id()


def claim(source: Source, profile: Profile, address: Address, at: float = 1, state: str = "given") -> None:
    queue(source, profile, address, state, at, method="claim")
    apply_queued(hours(at + 1))


def entries() -> list[tuple[str, str]]:
    return list(ConsentEntry.objects.order_by("pk").values_list("state", "method"))


def trust(purpose: Purpose) -> None:
    """As a brand does that takes a page's word for it."""
    Purpose.objects.filter(pk=purpose.pk).update(needs_confirmation=False)


def post(source: Source, *items: dict[str, Any]) -> None:
    """As a page does with the key that stands in it, and then all that is worked on."""
    body = orjson.dumps({"writeKey": keys.issue_browser(source, [SHOP]).public, "batch": items})
    told = Client().generic("POST", "/v1/batch", body, content_type="text/plain", headers={"Origin": SHOP})
    assert told.json()["accepted"] == len(items)
    resolve_inbox(clock.utcnow())
    apply_queued(clock.utcnow())


def named(user: str) -> dict[str, Any]:
    """Anybody may say that this address is theirs."""
    return identify(messageId=f"named-{user}", userId=None, anonymousId=user, timestamp=clock.utcnow().isoformat())


def granted(user: str) -> dict[str, Any]:
    said = {"purpose": "newsletter", "address": "ana@example.com"}
    who = {"userId": None, "anonymousId": user, "timestamp": clock.utcnow().isoformat()}
    return track(messageId=f"granted-{user}", event="consent.granted", properties=said, **who)


def profile_of(user: str) -> Profile:
    return Profile.objects.get(pk=Identifier.objects.get(value=user).profile_id)


@pytest.mark.parametrize("is_trusting", [False, True])
def test_a_stranger_who_names_an_address_on_a_page_cannot_grant_for_it(
    source: Source, newsletter: Purpose, mails: list[Confirmation], is_trusting: bool
) -> None:
    if is_trusting:
        trust(newsletter)
    post(source, named("ana"))
    address = Address.objects.get(value="ana@example.com")
    no = tell(address, profile_of("ana"), newsletter, "withdrawn", clock.utcnow())
    post(source, named("stranger"), granted("stranger"))
    ana, stranger = profile_of("ana").customer, profile_of("stranger").customer
    assert ana == stranger, "by the address they named they are taken for one"
    now = clock.utcnow()
    asked = [Ask(ana.pk, address.pk, newsletter.pk)]
    assert permissions(asked, now) == permissions_as_of(asked, now) == [(False, "withdrawn", no)]
    assert entries() == [("withdrawn", "event"), ("given" if is_trusting else "requested", "claim")]
    assert len(mails) == (0 if is_trusting else 1)


def test_a_page_s_grant_is_asked_about_once_and_takes_effect_by_the_mail(
    ana: Customer, source: Source, newsletter: Purpose, profile: Profile, address: Address, mails: list[Confirmation]
) -> None:
    for n in range(3):
        claim(source, profile, address, at=n)
    assert (entries(), len(mails)) == ([("requested", "claim")], 1)
    assert verdict(ana, address, newsletter, NOW).reason == "no_consent"
    assert answer.confirm(mails[0], hours(5)) == "confirmed"
    claim(source, profile, address, at=6)
    assert (entries(), len(mails)) == ([("requested", "claim"), ("given", "double_opt_in")], 1)
    assert verdict(ana, address, newsletter, NOW).allowed


def test_a_source_with_a_secret_key_is_believed_as_before(
    ana: Customer, source: Source, newsletter: Purpose, profile: Profile, address: Address, mails: list[Confirmation]
) -> None:
    queue(source, profile, address)
    apply_queued(NOW)
    assert (entries(), mails) == ([("given", "event")], [])
    assert verdict(ana, address, newsletter, NOW).allowed


@pytest.mark.parametrize("where", ["no connector", "a person"])
def test_where_nobody_can_be_asked_it_is_kept_with_the_reason_and_not_in_force(
    ana: Customer,
    source: Source,
    newsletter: Purpose,
    profile: Profile,
    address: Address,
    request: pytest.FixtureRequest,
    where: str,
) -> None:
    place, reason = address, "no_connector_for_mail"
    if where == "a person":
        request.getfixturevalue("mails")
        place, reason = people.make_person(profile), "no_mail_address"
    for n in range(2):
        claim(source, profile, place, at=n)
    assert entries() == [("deferred", "claim")]
    assert ConsentEntry.objects.get().evidence.fields["not_asked"] == reason
    assert verdict(ana, address, newsletter, NOW).reason == "no_consent"
    assert QuarantinedEvent.objects.count() == 0


def test_a_brand_may_take_a_page_s_word_where_nobody_said_no(
    ana: Customer, source: Source, newsletter: Purpose, profile: Profile, address: Address, mails: list[Confirmation]
) -> None:
    trust(newsletter)
    claim(source, profile, address)
    assert (entries(), mails) == ([("given", "claim")], [])
    assert verdict(ana, address, newsletter, NOW).allowed
    claim(source, profile, address, 2, "withdrawn")
    assert not verdict(ana, address, newsletter, NOW).allowed
    claim(source, profile, address, 3)
    assert verdict(ana, address, newsletter, NOW).allowed, "on its own page one changes one's mind"


def test_a_sure_no_is_taken_back_by_no_claim_even_where_a_page_is_believed(
    ana: Customer, source: Source, newsletter: Purpose, profile: Profile, address: Address, mails: list[Confirmation]
) -> None:
    trust(newsletter)
    for n, (state, method) in enumerate([("withdrawn", "event"), ("withdrawn", "claim"), ("given", "claim")]):
        queue(source, profile, address, state, n, method=method)
    apply_queued(NOW)
    assert entries() == [("withdrawn", "event"), ("withdrawn", "claim"), ("requested", "claim")]
    assert (verdict(ana, address, newsletter, NOW).reason, len(mails)) == ("withdrawn", 1)


def test_a_claimed_no_counts_as_any(
    ana: Customer, source: Source, newsletter: Purpose, profile: Profile, address: Address
) -> None:
    tell(address, profile, newsletter, "given", T0)
    claim(source, profile, address, state="withdrawn")
    assert verdict(ana, address, newsletter, NOW).reason == "withdrawn"


@pytest.mark.parametrize("kind", [Purpose.Kind.SERVICE, Purpose.Kind.LEGAL])
def test_only_marketing_is_asked_about(
    source: Source, newsletter: Purpose, profile: Profile, address: Address, mails: list[Confirmation], kind: str
) -> None:
    Purpose.objects.filter(pk=newsletter.pk).update(kind=kind)
    claim(source, profile, address)
    assert (entries(), mails) == ([("given", "claim")], [])


def test_a_claim_asks_nobody_while_another_profile_s_mail_waits(
    source: Source, newsletter: Purpose, profile: Profile, address: Address, mails: list[Confirmation]
) -> None:
    claim(source, profile, address)
    claim(source, people.make_profile(people.make_customer()), address, at=2)
    assert (entries(), len(mails)) == ([("requested", "claim"), ("deferred", "claim")], 1)
    assert answer.confirm(mails[0], NOW) == "confirmed"


def head(state: str, at: float, profile: Any = ONE, *, since: float = 0, claim: bool = False) -> Head:
    return Head(1, profile, state, hours(at), None, None, None if profile is None else hours(since), claim)


@pytest.mark.parametrize(
    ("heads", "reason"),
    [
        ([head("given", 1, claim=True)], ""),
        ([head("withdrawn", 1), head("given", 6, OTHER, since=5)], ""),
        ([head("withdrawn", 1), head("given", 6, OTHER, since=5, claim=True)], "withdrawn"),
        ([head("withdrawn", 1, claim=True), head("given", 6, OTHER, since=5, claim=True)], "withdrawn"),
        ([head("withdrawn", 1, None), head("given", 6, claim=True)], "withdrawn"),
        # Of one profile, at an address and at the person as such.
        ([head("withdrawn", 1), head("given", 2, claim=True)], "withdrawn"),
        ([head("withdrawn", 1, claim=True), head("given", 2, claim=True)], ""),
        ([head("given", 1), head("given", 2, claim=True)], ""),
    ],
)
def test_a_claimed_grant_outweighs_no_sure_no(heads: list[Head], reason: str) -> None:
    assert decide("marketing", False, heads, NOW).reason == reason
    assert decide("marketing", False, heads[::-1], NOW).reason == reason


def test_who_unsubscribed_by_a_link_and_signs_up_again_on_a_page_is_asked(
    ana: Customer, source: Source, profile: Profile, address: Address, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    tell(address, profile, newsletter, "given", hours(1), method="double_opt_in")
    tell(address, None, newsletter, "withdrawn", hours(2), method="one_click")
    claim(source, profile, address, at=3)
    assert [one.profile_id for one in mails] == [profile.pk], "what was granted once is not in force any more"
    answer.confirm(mails[0], hours(5))
    assert verdict(ana, address, newsletter, NOW).allowed


def test_who_stopped_everything_as_a_person_and_signs_up_again_on_a_page_is_asked(
    ana: Customer, source: Source, profile: Profile, address: Address, newsletter: Purpose, mails: list[Confirmation]
) -> None:
    tell(address, profile, newsletter, "given", hours(1))
    tell(people.make_person(profile), profile, newsletter, "withdrawn", hours(2))
    claim(source, profile, address, at=3)
    assert len(mails) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_claim_outweighs_no_sure_no_in_whichever_order_they_are_heard(
    source: Source,
    profile: Profile,
    ana: Customer,
    address: Address,
    newsletter: Purpose,
    order: tuple[int, ...],
    is_one_batch: bool,
) -> None:
    trust(newsletter)
    said = [("given", 1, "event"), ("withdrawn", 2, "event"), ("given", 3, "claim")]
    for n in order:
        state, at, method = said[n]
        queue(source, profile, address, state, at, method=method)
        if not is_one_batch:
            apply_queued(hours(9))
    apply_queued(hours(9))
    assert verdict(ana, address, newsletter, NOW).reason == "withdrawn"
    assert permissions_as_of([Ask(ana.pk, address.pk, newsletter.pk)], NOW)[0].reason == "withdrawn"


def test_a_claim_that_repeats_what_was_surely_granted_takes_nothing_from_it(
    source: Source, profile: Profile, ana: Customer, address: Address, newsletter: Purpose
) -> None:
    trust(newsletter)
    tell(people.make_person(profile), profile, newsletter, "withdrawn", hours(1))
    sure = tell(address, profile, newsletter, "given", hours(2))
    claim(source, profile, address, at=3)
    assert verdict(ana, address, newsletter, NOW) == (True, "", sure)
