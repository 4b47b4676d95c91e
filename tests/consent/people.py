"""The cast of the consent tests: plain functions with sensible defaults."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from consent.decision import Verdict
from consent.ledger import NewEntry, append
from consent.models import Notice, NoticeText, NoticeVersion, Purpose
from consent.notices import publish
from consent.permission import Ask, permissions
from customers.ids import new_id
from customers.models import Address, AddressProfile, Brand, Customer, Profile, Source

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(n: float) -> datetime:
    return T0 + n * HOUR


def make_brand(key: str = "acme") -> Brand:
    return Brand.objects.create(key=key, name=key.title())


def make_source(brand: Brand) -> Source:
    return Source.objects.create(brand=brand, key="shop", name="Shop")


def make_purpose(brand: Brand, key: str = "newsletter", kind: str = Purpose.Kind.MARKETING) -> Purpose:
    return Purpose.objects.create(brand=brand, key=key, name=key.title(), kind=kind)


def make_notice(brand: Brand, key: str = "sign-up", number: int = 1) -> NoticeVersion:
    """A published version."""
    notice, _made = Notice.objects.get_or_create(brand=brand, key=key, defaults={"name": key})
    version = NoticeVersion.objects.create(notice=notice, number=number)
    NoticeText.objects.create(version=version, locale="en", text="May we write to you?")
    publish(version, T0)
    return version


def make_customer() -> Customer:
    return Customer.objects.create(created_at=T0)


def make_profile(customer: Customer, since: datetime = T0) -> Profile:
    return Profile.objects.create(customer=customer, customer_since=since, created_at=T0)


def make_address(value: str = "ana@example.com", channel: str = "email") -> Address:
    return Address.objects.create(channel=channel, value=value, original=value, created_at=T0)


def make_person(profile: Profile) -> Address:
    """The pseudo-address of a profile."""
    return Address.objects.create(
        id=profile.pk, channel="person", value=str(profile.pk), original=str(profile.pk), created_at=T0
    )


def seen(profile: Profile, address: Address, at: datetime = T0, verified: datetime | None = None) -> AddressProfile:
    return AddressProfile.objects.create(
        profile=profile, address=address, first_seen_at=at, last_seen_at=at, verified_at=verified
    )


def tell(
    address: Address,
    profile: Profile | None,
    purpose: Purpose,
    state: str,
    at: datetime,
    *,
    method: str = "event",
    valid_until: datetime | None = None,
) -> int:
    """Append one entry that occurred and was heard of `at`."""
    return append([new_entry(address, profile, purpose, state, at, method, valid_until)], at)[0]


def new_entry(
    address: Address,
    profile: Profile | None,
    purpose: Purpose,
    state: str,
    at: datetime,
    method: str = "event",
    valid_until: datetime | None = None,
) -> NewEntry:
    return NewEntry(
        address_id=address.pk,
        profile_id=profile.pk if profile else None,
        brand_id=purpose.brand_id,
        purpose_id=purpose.pk,
        state=state,
        method=method,
        occurred_at=at,
        valid_until=valid_until,
        evidence={"url": "https://shop.example/sign-up", "ip": "203.0.113.9"},
    )


def verdict(customer: Customer, address: Address, purpose: Purpose, now: datetime) -> Verdict:
    return permissions([Ask(customer.pk, address.pk, purpose.pk)], now)[0]


def some_id() -> UUID:
    return new_id()
