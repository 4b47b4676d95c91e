"""Resolve: whose event it is, what it says about them, and what is kept."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import DatabaseError, connection, transaction

from consent.permission import Want, choose_addresses
from customers.models import (
    Address,
    AddressProfile,
    Customer,
    Edge,
    Event,
    EventPayload,
    Identifier,
    InboxItem,
    MatchItem,
    MergeItem,
    ProfileBrand,
    Trait,
)
from tests.journeys.stage import T0, Stage, make_stage, welcome

# When all of a test has happened: what is told of a time after its receipt counts from the receipt.
LATER = T0 + timedelta(days=9)


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


def customer_of(kind: str, value: str) -> Customer:
    return Customer.objects.get(profiles__identifier__kind_id=kind, profiles__identifier__value=value,
                                profiles__identifier__closed_at=None)  # fmt: skip


def test_an_event_is_stored_with_its_payload_and_leaves_the_inbox(stage: Stage) -> None:
    message_id = stage.accept("page.viewed", properties={"url": "/"})
    stage.run()
    event = Event.objects.get()
    assert (event.name, event.message_id, event.received_at, event.brand_id) == (
        "page.viewed",
        message_id,
        T0,
        stage.brand.pk,
    )
    assert EventPayload.objects.get().payload == {"properties": {"url": "/"}}
    assert (InboxItem.objects.count(), MatchItem.objects.count()) == (0, 0)
    assert ProfileBrand.objects.get().profile_id == event.profile_id


def test_an_event_takes_the_profile_of_the_strongest_identifier(stage: Stage) -> None:
    stage.happen("page.viewed", anonymous_id="phone")
    assert Event.objects.get().profile_id == Identifier.objects.get(kind_id="user_id").profile_id


def test_one_message_naming_two_makes_them_one_customer(stage: Stage) -> None:
    stage.happen("page.viewed", "", anonymous_id="phone")
    assert stage.customers() == 1
    stage.happen("page.viewed", "ana")
    assert stage.customers() == 2
    stage.happen("page.viewed", "ana", anonymous_id="phone")
    assert stage.customers() == 1
    assert MergeItem.objects.count() == 0
    assert customer_of("user_id", "ana") == customer_of("anonymous_id", "phone")


def test_two_anonymous_ids_of_one_user_are_one_customer(stage: Stage) -> None:
    stage.happen("page.viewed", "", anonymous_id="phone")
    stage.happen("page.viewed", "", anonymous_id="tablet")
    stage.happen("page.viewed", anonymous_id="phone")
    stage.happen("page.viewed", anonymous_id="tablet")
    assert stage.customers() == 1
    assert Event.objects.filter(profile__customer=customer_of("user_id", "ana")).count() == 4


def test_a_second_log_in_on_a_device_begins_a_profile_of_its_own(stage: Stage) -> None:
    stage.happen("page.viewed", "ana", anonymous_id="shared")
    stage.happen("page.viewed", "bia", anonymous_id="shared")
    assert customer_of("anonymous_id", "shared") == customer_of("user_id", "bia")
    assert customer_of("user_id", "ana") != customer_of("user_id", "bia")
    assert Identifier.objects.filter(kind_id="anonymous_id", closed_at__isnull=False).count() == 1


def test_a_shared_address_never_joins_two_user_ids(stage: Stage) -> None:
    for user in ("ana", "bia"):
        stage.happen("identify", user, email="home@example.com", traits={"name": user})
    assert stage.customers() == 2
    assert Edge.objects.filter(skipped=True).count() == 1
    assert customer_of("email", "home@example.com") == customer_of("user_id", "ana")


def test_a_user_id_of_another_namespace_is_another_person(stage: Stage) -> None:
    stage.happen("page.viewed", "ana")
    stage.source.namespace = stage.purpose.pk
    stage.source.save()
    stage.happen("page.viewed", "ana")
    assert stage.customers() == 2


def test_traits_are_kept_by_time_and_the_latest_wins(stage: Stage) -> None:
    stage.happen("identify", traits={"plan": "pro", "city": "Recife"})
    stage.happen("identify", traits={"plan": "free"}, at=T0 - timedelta(days=1))
    stage.happen("identify", traits={"plan": "pro"}, at=T0 + timedelta(hours=1), received=LATER)
    assert customer_of("user_id", "ana").traits == {"plan": "pro", "city": "Recife"}
    held = Trait.objects.filter(name="plan").order_by("valid_from").values_list("valid_from", "value")
    assert list(held) == [(T0 - timedelta(days=1), "free"), (T0, "pro"), (T0 + timedelta(hours=1), "pro")]


@pytest.mark.parametrize("order", list(permutations((0, 1, 2, 3))))
def test_traits_do_not_depend_on_the_order_of_arrival(stage: Stage, order: tuple[int, ...]) -> None:
    said = ["pro", "free", "pro", "gold"]
    for n in order:
        stage.accept("identify", traits={"plan": said[n]}, at=T0 + timedelta(hours=n), received=LATER)
        if n != 1:
            stage.run()
    stage.run()
    assert customer_of("user_id", "ana").traits == {"plan": "gold"}


def test_a_value_told_again_outlives_a_late_other_one(stage: Stage) -> None:
    for day, plan in ((0, "pro"), (3, "pro"), (1, "free")):
        stage.happen("identify", traits={"plan": plan}, at=T0 + timedelta(days=day), received=LATER)
    assert customer_of("user_id", "ana").traits == {"plan": "pro"}


def test_traits_of_a_merged_customer_are_the_latest_of_its_profiles(stage: Stage) -> None:
    stage.happen("identify", "", anonymous_id="phone", traits={"plan": "pro", "from": "phone"})
    stage.now += timedelta(hours=1)
    stage.happen("identify", "ana", traits={"plan": "free", "locale": "pt-BR", "timezone": "America/Recife"})
    stage.happen("page.viewed", anonymous_id="phone")
    merged = customer_of("user_id", "ana")
    assert merged.traits == {"plan": "free", "from": "phone", "locale": "pt-BR", "timezone": "America/Recife"}
    assert (merged.locale, merged.zone) == ("pt-BR", "America/Recife")


def test_an_email_becomes_an_address_of_its_own_profile_and_of_the_strongest(stage: Stage) -> None:
    stage.happen("identify", email="ana@example.com")
    later = stage.now = T0 + timedelta(days=1)
    stage.happen("identify", email="ana@example.com")
    address = Address.objects.get(channel="email")
    seen = AddressProfile.objects.filter(address=address)
    assert address.value == "ana@example.com"
    assert list(seen.values_list("first_seen_at", "last_seen_at")) == [(T0, later)] * 2
    named = Identifier.objects.filter(kind_id__in=("email", "user_id"))
    assert {one.profile_id for one in seen} == {one.profile_id for one in named}


@pytest.mark.parametrize("at_once", [True, False])
def test_two_people_with_one_address_stay_two_and_can_both_be_reached(stage: Stage, at_once: bool) -> None:
    for user in ("ana", "bia"):
        stage.accept("identify", user, email="home@example.com", traits={"name": user})
        stage.accept("consent.granted", user, properties={"purpose": "news"})
        if not at_once:
            stage.run()
    stage.run()
    home = Address.objects.get(channel="email")
    people = [customer_of("user_id", user) for user in ("ana", "bia")]
    chosen = choose_addresses([Want(one.pk, "email", stage.purpose.pk) for one in people], stage.now)
    assert [[(one.address_id, one.verdict.allowed) for one in choices] for choices in chosen] == [[(home.pk, True)]] * 2
    assert (stage.customers(), MergeItem.objects.count()) == (2, 0)


def test_an_email_without_a_stronger_name_is_an_address_once(stage: Stage) -> None:
    stage.happen("identify", "", anonymous_id="phone", email="ana@example.com")
    assert AddressProfile.objects.get().profile_id == Identifier.objects.get(kind_id="email").profile_id


def test_only_awaited_names_are_queued_for_matching(stage: Stage) -> None:
    stage.publish(welcome())
    from customers.resolve import resolve_inbox

    stage.accept("page.viewed")
    stage.accept("login.succeeded")
    stage.accept("login.succeeded", historical=True)
    assert resolve_inbox(stage.now) == 3
    assert MatchItem.objects.get().name == "login.succeeded"


@pytest.mark.parametrize(
    "statement",
    ["UPDATE customers_event SET name = 'x'", "DELETE FROM customers_event", "TRUNCATE customers_event"],
)
def test_events_cannot_be_changed(stage: Stage, statement: str) -> None:
    stage.happen("page.viewed")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Event.objects.count() == 1
