"""Fixtures of the consent tests: one brand, one purpose, one person with one address; and ledgers to restore."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from consent.anchors.shelf import Shelf
from consent.confirming import ask
from consent.models import Confirmation, Purpose
from customers.models import Address, Brand, Customer, Profile, Source
from tests.consent import backups, people
from tests.consent.ledgers import Ledgers
from tests.consent.restored import Story


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


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.TRILHA_ANCHOR_DIR = str(tmp_path / "anchors")
    return tmp_path / "anchors"


@pytest.fixture
def story(folder: Path) -> Story:
    """Six hours, six anchors."""
    brand = people.make_brand()
    purpose, profile = people.make_purpose(brand), people.make_profile(people.make_customer())
    first, victim, last = [people.make_address(f"p{number}@example.com") for number in range(3)]
    story = Story(Ledgers(brand, purpose, profile, victim, [first, last], Shelf(folder)), folder)
    story.taken[0] = backups.take()
    for number in range(1, 7):
        story.hour(number)
    return story


@pytest.fixture
def restored(story: Story) -> Story:
    """To a quarter past three, at a quarter to seven, and noted at seven: anchors three to six are set aside."""
    story.restore(3)
    story.note(3, 7)
    return story
