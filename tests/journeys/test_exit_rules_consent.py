"""Exits by condition that ask whether somebody may be written to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from channels.conversations.keywords import obey
from consent import expiring, staff, suppression, unsubscribe
from consent.keywords import Heard, Meaning
from consent.models import Method, Purpose, Suppression
from consent.permission import lock_address
from consent.preferences import centre, stopping
from consent.preferences.link import Link
from consent.telling import CHANGED
from consent.unsubscribe import Token, make_token
from customers.models import Address, AddressProfile, Brand, Event, Profile, Source
from customers.pg import raw_cursor
from journeys.definition import InvalidDefinition
from journeys.models import Run
from tests.journeys.stage import Stage
from tests.journeys.test_exit_rules import ENTRY, MAY, document


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("consent.withdrawn", {"properties": {"purpose": "news"}}),
        ("Segment Consent Preference Updated", {"context": {"consent": {"categoryPreferences": {"news": False}}}}),
    ],
)
def test_who_withdraws_leaves_where_a_rule_asks_for_permission(stage: Stage, name: str, said: dict[str, Any]) -> None:
    stage.publish(document({"not": MAY}))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert stage.the_run().status == Run.Status.ACTIVE
    stage.happen(name, **said)
    assert stage.the_run().status == Run.Status.EXITED


@pytest.mark.django_db
def test_whose_consent_expires_leaves_as_that_is_told(stage: Stage) -> None:
    stage.publish(document({"not": MAY}))
    stage.know(granted=False)
    until = (stage.now + timedelta(hours=3)).isoformat()
    stage.happen("consent.granted", properties={"purpose": "news", "valid_until": until})
    stage.happen("customer.signed_up")
    stage.pass_time(hours=4)
    assert stage.the_run().status == Run.Status.ACTIVE
    expiring.tell(stage.now)
    stage.run()
    assert stage.the_run().status == Run.Status.EXITED


def by_the_link(stage: Stage) -> None:
    unsubscribe.withdraw_by_token(make_token(Token(mailbox(), stage.purpose.pk, MAIL)), Method.LINK, stage.now)


def by_the_preference_centre(stage: Stage) -> None:
    link = Link(mailbox(), ana().pk, stage.brand.pk, MAIL)
    known = centre.known(link)
    assert known is not None
    stopping.stop_all(centre.read(known, "en", stage.now), stopping.By("en"), stage.now)


def by_the_staff(stage: Stage) -> None:
    staff.withdraw_for(ana().customer, [stage.purpose], {"said": "by telephone"}, stage.now)


def by_a_list(stage: Stage) -> None:
    said = {"purpose": "news", "method": "import", "channel": "email", "address": "ana@example.com"}
    stage.happen("consent.withdrawn", properties=said, historical=True)


def by_stop(stage: Stage) -> None:
    with transaction.atomic(), raw_cursor() as cursor:
        lock_address(mailbox())
        obey(cursor, Heard(Meaning.STOP), mailbox(), stage.brand.pk, stage.now, stage.now)


def by_a_bounce(stage: Stage) -> None:
    bar(stage, Suppression.Reason.BOUNCE, None)


def by_a_complaint(stage: Stage) -> None:
    bar(stage, Suppression.Reason.COMPLAINT, stage.brand.pk)


def by_hand(stage: Stage) -> None:
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    form = {"address": str(mailbox()), "brand": str(stage.brand.pk)}
    assert root.post(reverse("admin:consent_suppression_add"), form).status_code == 302


def bar(stage: Stage, reason: str, brand_id: UUID | None) -> None:
    with transaction.atomic(), raw_cursor() as cursor:
        lock_address(mailbox())
        suppression.add(cursor, {(mailbox(), brand_id, reason)}, stage.now)


def mailbox() -> UUID:
    return Address.objects.get(channel="email").pk


def ana() -> Profile:
    return Profile.objects.get(identifier__kind="user_id")


MAIL = UUID(int=7)
WAYS = [
    by_the_link,
    by_the_preference_centre,
    by_the_staff,
    by_a_list,
    by_stop,
    by_a_bounce,
    by_a_complaint,
    by_hand,
]


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """Ana waits in a journey that is for those alone who may be written to."""
    stage.publish(document({"not": MAY}))
    stage.know()
    stage.happen("customer.signed_up")
    stage.pass_time(hours=1)
    assert stage.the_run().status == Run.Status.ACTIVE
    return stage


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_whoever_may_not_be_written_to_any_more_leaves_whichever_way_it_came(
    waiting: Stage, way: Callable[[Stage], None]
) -> None:
    way(waiting)
    waiting.run()
    assert waiting.the_run().status == Run.Status.EXITED


@pytest.mark.django_db
def test_whose_suppression_is_lifted_leaves_where_a_rule_asks_for_that(stage: Stage) -> None:
    stage.publish(document(MAY))
    stage.know()
    bar(stage, Suppression.Reason.STOP, stage.brand.pk)
    stage.happen("customer.signed_up")
    assert stage.the_run().status == Run.Status.ACTIVE
    stage.pass_time(hours=1)
    with transaction.atomic(), raw_cursor() as cursor:
        obey(cursor, Heard(Meaning.START), mailbox(), stage.brand.pk, stage.now, stage.now)
    stage.run()
    assert stage.the_run().status == Run.Status.EXITED


@pytest.mark.django_db
def test_peace_for_a_while_is_no_withdrawal(waiting: Stage) -> None:
    before = Event.objects.filter(name=CHANGED).count()
    staff.pause_for(ana().customer, waiting.brand, "1w", waiting.now)
    waiting.run()
    assert waiting.the_run().status == Run.Status.ACTIVE
    assert Event.objects.filter(name=CHANGED).count() == before


@pytest.mark.django_db
def test_what_nobody_asks_about_is_not_told(stage: Stage) -> None:
    stage.publish(document())
    stage.know()
    by_stop(stage)
    assert not Event.objects.filter(name=CHANGED).exists()


@pytest.mark.django_db
def test_many_purposes_at_once_are_told_once_of_each_who_uses_the_mailbox(waiting: Stage) -> None:
    Purpose.objects.create(brand=waiting.brand, key="ads", name="Ads", kind=Purpose.Kind.MARKETING)
    before = Event.objects.filter(name=CHANGED).values_list("pk", flat=True)
    told = Event.objects.filter(name=CHANGED).exclude(pk__in=list(before))
    by_the_preference_centre(waiting)
    users = Profile.objects.filter(customer=ana().customer).values_list("pk", flat=True)
    assert sorted(told.values_list("profile_id", flat=True)) == sorted(users)


@pytest.mark.django_db
def test_no_author_waits_for_it_since_what_a_list_says_would_bring_people_in(stage: Stage) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        stage.publish(document(entry=ENTRY | {"event": CHANGED}))
    [problem] = refused.value.problems
    assert (problem.code, problem.pointer) == ("own_event", "/entry/event")


@pytest.mark.django_db
def test_a_bounce_ends_it_whichever_brand_knows_who_uses_the_mailbox(waiting: Stage) -> None:
    """The mailbox is known of a name that only another brand has for her."""
    other = Brand.objects.create(key="other", name="Other")
    there = replace(waiting, brand=other, source=Source.objects.create(brand=other, key="shop", name="Shop"))
    there.happen("identify", "a-77", email="ana@example.com")
    by_the_other = AddressProfile.objects.get(profile__identifier__value="a-77")
    AddressProfile.objects.exclude(pk=by_the_other.pk).delete()
    before = list(Event.objects.filter(name=CHANGED).values_list("pk", flat=True))
    by_a_bounce(waiting)
    waiting.run()
    told = Event.objects.filter(name=CHANGED).exclude(pk__in=before)
    assert list(told.values_list("brand__key", flat=True)) == ["other"]
    assert waiting.the_run().status == Run.Status.EXITED
