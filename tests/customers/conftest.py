"""A source with its key, and the door as that source sees it."""

import pytest

from customers import keys
from customers.models import Brand, Source
from tests.customers.segment_door import NOW, Door


@pytest.fixture
def source(db: None) -> Source:
    brand = Brand.objects.create(key="acme", name="Acme")
    return Source.objects.create(brand=brand, key="shop", name="Shop")


@pytest.fixture
def door(source: Source, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The door at NOW."""
    monkeypatch.setattr("customers.clock.utcnow", lambda: NOW)
    return Door(source, keys.issue(source)[1])
