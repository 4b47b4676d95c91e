"""Consents that are about to expire, or have, told once each to whoever waits, for a journey that asks again."""

from datetime import timedelta

import pytest

from consent import expiring
from consent.models import ConsentEntry, Purpose
from customers.internal import is_reserved
from customers.models import Address, AwaitedName, Event, EventPayload, Profile
from tests.consent import people
from tests.consent.people import T0, tell

DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def wait() -> None:
    for name in (expiring.EXPIRING, expiring.EXPIRED):
        AwaitedName.objects.create(name=name, waiter="journey_version:1")


def told() -> list[tuple[str, object]]:
    return list(Event.objects.order_by("pk").values_list("name", "profile_id"))


@pytest.mark.usefixtures("wait")
def test_it_is_told_some_days_before_and_when_it_has_expired_once_each(
    address: Address, profile: Profile, newsletter: Purpose
) -> None:
    entry = tell(address, profile, newsletter, "given", T0, valid_until=T0 + 20 * DAY)
    counts = [expiring.tell(T0 + n * DAY) for n in (1, 5, 6, 7, 19, 20, 20.1, 25)]
    assert counts == [0, 0, 1, 0, 0, 1, 0, 0]
    assert told() == [("consent.expiring", profile.pk), ("consent.expired", profile.pk)]
    said = EventPayload.objects.order_by("event_id").first()
    assert said is not None
    assert said.payload["properties"] == {
        "purpose": "newsletter", "channel": "email", "valid_until": (T0 + 20 * DAY).isoformat(), "entry": entry,
    }  # fmt: skip
    # The ledger is not written to: that it has expired follows from what it says.
    assert ConsentEntry.objects.count() == 1


@pytest.mark.usefixtures("wait")
def test_renewed_in_time_it_is_told_of_again_before_the_next_end(
    address: Address, profile: Profile, newsletter: Purpose
) -> None:
    tell(address, profile, newsletter, "given", T0, valid_until=T0 + 10 * DAY)
    expiring.tell(T0 + DAY)
    tell(address, profile, newsletter, "renewed", T0 + 2 * DAY, valid_until=T0 + 40 * DAY)
    assert [expiring.tell(T0 + n * DAY) for n in (3, 10, 26)] == [0, 0, 1]
    assert [name for name, _profile in told()] == ["consent.expiring"] * 2


@pytest.mark.usefixtures("wait")
@pytest.mark.parametrize("state", ["withdrawn", "refused", "requested"])
def test_of_what_is_no_grant_nothing_is_told(
    state: str, address: Address, profile: Profile, newsletter: Purpose
) -> None:
    tell(address, profile, newsletter, state, T0, valid_until=T0 + DAY)
    assert expiring.tell(T0) == 0
    assert told() == []


@pytest.mark.usefixtures("wait")
def test_what_bound_the_address_is_told_of_each_who_uses_it(
    address: Address, profile: Profile, newsletter: Purpose
) -> None:
    bia = people.make_profile(people.make_customer())
    people.seen(bia, address)
    tell(address, None, newsletter, "given", T0, valid_until=T0 + DAY)
    assert expiring.tell(T0) == 1
    assert sorted(told()) == sorted([("consent.expiring", profile.pk), ("consent.expiring", bia.pk)])


def test_where_nobody_waits_nothing_is_done_and_whoever_comes_is_told(
    address: Address, profile: Profile, newsletter: Purpose
) -> None:
    tell(address, profile, newsletter, "given", T0, valid_until=T0 + 3 * DAY)
    assert expiring.tell(T0) == 0
    AwaitedName.objects.create(name="consent.expiring", waiter="journey_version:1")
    assert expiring.tell(T0 + DAY) == 1
    # Of what expired long before somebody waited nobody is told.
    AwaitedName.objects.create(name="consent.expired", waiter="journey_version:1")
    assert expiring.tell(T0 + 5 * DAY) == 0


def test_no_door_takes_these_names() -> None:
    assert is_reserved("consent.expiring")
    assert is_reserved("consent.expired")
