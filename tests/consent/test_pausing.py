"""Peace for a while: what is refused meanwhile and with what reason, what is not, and how it ends."""

from datetime import UTC, datetime

import pytest

from consent import pausing
from consent.models import ConsentEntry, Pause, Purpose
from consent.permission import Ask, Want, choose_addresses, permissions
from customers.models import Address, Brand, Customer, Profile
from tests.consent import people
from tests.consent.people import HOUR, T0, tell, verdict

NOW = T0 + HOUR
UNTIL = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def granted(address: Address, profile: Profile, newsletter: Purpose) -> int:
    return tell(address, profile, newsletter, "given", T0)


def pause(brand: Brand, *addresses: Address, until: datetime = UNTIL) -> None:
    pausing.pause(brand.pk, [one.pk for one in addresses], until, NOW, method="link")


def test_a_paused_address_gets_nothing_until_the_day(
    ana: Customer, address: Address, newsletter: Purpose, brand: Brand, granted: int
) -> None:
    pause(brand, address)
    assert verdict(ana, address, newsletter, NOW) == (False, "paused", granted)
    assert verdict(ana, address, newsletter, UNTIL) == (True, "", granted)


def test_a_pause_grants_nothing_and_hides_no_refusal(
    ana: Customer, address: Address, profile: Profile, newsletter: Purpose, brand: Brand
) -> None:
    pause(brand, address)
    assert verdict(ana, address, newsletter, NOW).reason == "no_consent"
    tell(address, profile, newsletter, "withdrawn", T0)
    assert verdict(ana, address, newsletter, NOW).reason == "withdrawn"


@pytest.mark.parametrize(("kind", "reason"), [("marketing", "paused"), ("service", "paused"), ("legal", "")])
def test_what_is_owed_by_law_goes_on(
    kind: str, reason: str, ana: Customer, address: Address, profile: Profile, brand: Brand
) -> None:
    purpose = people.make_purpose(brand, "p", kind)
    tell(address, profile, purpose, "given", T0)
    pause(brand, address)
    assert verdict(ana, address, purpose, NOW).reason == reason


def test_another_brand_and_another_address_are_not_paused(
    ana: Customer, address: Address, profile: Profile, newsletter: Purpose, brand: Brand, granted: int
) -> None:
    other = people.make_purpose(people.make_brand("other"), "news")
    second = people.make_address("ana@work.example")
    people.seen(profile, second)
    tell(address, profile, other, "given", T0)
    tell(second, profile, newsletter, "given", T0)
    pause(brand, address)
    assert verdict(ana, address, other, NOW).allowed
    assert verdict(ana, second, newsletter, NOW).allowed


def test_paused_on_the_person_every_address_is(
    ana: Customer, address: Address, profile: Profile, newsletter: Purpose, brand: Brand
) -> None:
    phone = people.make_address("+5511987654321", "sms")
    people.seen(profile, phone)
    tell(phone, profile, newsletter, "given", T0)
    pausing.pause(brand.pk, [pausing.person_address(profile.pk, NOW)], UNTIL, NOW, method="link")
    assert verdict(ana, phone, newsletter, NOW).reason == "paused"
    [[choice]] = choose_addresses([Want(ana.pk, "sms", newsletter.pk)], NOW)
    assert choice.verdict.reason == "paused"


def test_asked_for_twice_it_is_one_pause_and_a_longer_one_takes_its_place(address: Address, brand: Brand) -> None:
    pause(brand, address)
    pause(brand, address)
    assert Pause.objects.count() == 1
    later = datetime(2026, 4, 2, tzinfo=UTC)
    pause(brand, address, until=later)
    assert list(Pause.objects.order_by("pk").values_list("until", "ended_at")) == [(UNTIL, NOW), (later, None)]
    assert pausing.paused_until(brand.pk, [address.pk], NOW) == later


def test_it_is_ended_early_without_being_a_consent(
    ana: Customer, address: Address, newsletter: Purpose, brand: Brand, granted: int
) -> None:
    pause(brand, address)
    assert pausing.resume(brand.pk, [address.pk], NOW + HOUR)
    assert not pausing.resume(brand.pk, [address.pk], NOW + HOUR)
    assert verdict(ana, address, newsletter, NOW + HOUR) == (True, "", granted)
    assert ConsentEntry.objects.count() == 1
    assert Pause.objects.get().ended_at == NOW + HOUR


def test_what_holds_after_it_can_be_asked(ana: Customer, address: Address, newsletter: Purpose, brand: Brand) -> None:
    tell(address, None, newsletter, "given", T0)
    pause(brand, address)
    assert permissions([Ask(ana.pk, address.pk, newsletter.pk)], NOW, heed_pauses=False)[0].allowed


@pytest.mark.parametrize(
    ("span", "zone", "now", "end"),
    [
        ("1w", "UTC", datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)),
        # The day is the brand's: it is still the first of March in São Paulo.
        ("1w", "America/Sao_Paulo", datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 3, 8, 3, tzinfo=UTC)),
        ("1m", "UTC", datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        ("3m", "UTC", datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
    ],
)
def test_a_span_ends_at_midnight_of_the_brands_zone(span: str, zone: str, now: datetime, end: datetime) -> None:
    assert pausing.end_of(span, zone, now) == end
