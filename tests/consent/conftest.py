"""Fixtures of the consent tests: one brand, one purpose, one person with one address."""

from datetime import datetime
from uuid import UUID

import pytest

from consent.confirming import ask
from consent.models import Confirmation, Purpose
from customers.models import Address, Brand, Customer, Profile, Source
from tests.consent import people


@pytest.fixture
def brand(db: None) -> Brand:
    return people.make_brand()


@pytest.fixture
def source(brand: Brand) -> Source:
    return people.make_source(brand)


@pytest.fixture
def newsletter(brand: Brand) -> Purpose:
    return people.make_purpose(brand)


@pytest.fixture
def ana(db: None) -> Customer:
    return people.make_customer()


@pytest.fixture
def profile(ana: Customer) -> Profile:
    return people.make_profile(ana)


@pytest.fixture
def address(profile: Profile) -> Address:
    address = people.make_address()
    people.seen(profile, address)
    return address


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[Confirmation]:
    """What was to be confirmed by mail, kept by a sender in place of the one that channels register."""
    sent: list[Confirmation] = []

    def send(confirmation: Confirmation, now: datetime) -> None:
        sent.append(confirmation)

    def ready(brand_id: UUID) -> bool:
        return True

    monkeypatch.setattr(ask, "_senders", [(ready, send)])
    return sent
