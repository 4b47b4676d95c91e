"""Products for the tests of the catalogue, and people who look at them."""

from datetime import datetime, timedelta
from typing import Any

from channels.catalogue.take import Taken, take
from channels.models import Product, Recommending
from consent.models import Purpose
from customers.models import Brand
from tests.journeys.stage import T0, Stage


def tell(brand: Brand, *items: dict[str, Any], now: datetime = T0) -> Taken:
    return take(brand.pk, items, now)


def stock(brand: Brand, *keys: str, now: datetime = T0) -> dict[str, Product]:
    """Products of these keys, each named by its key."""
    taken = tell(brand, *({"key": key, "name": key.title()} for key in keys), now=now)
    assert taken.refusals == {}
    return {one.key: one for one in Product.objects.filter(brand=brand, key__in=keys)}


def recommend(stage: Stage, kind: str = Purpose.Kind.SERVICE) -> Recommending:
    """Have the brand name a purpose, by default one that is allowed until somebody says no."""
    purpose = Purpose.objects.create(brand=stage.brand, key="personal", name="Personal", kind=kind)
    return Recommending.objects.create(brand=stage.brand, purpose=purpose)


def look(stage: Stage, user: str, *keys: str, name: str = "Product Viewed", hours: float = 0) -> None:
    """Somebody looks at these, one a minute, so many hours ago."""
    for n, key in enumerate(keys):
        at = stage.now - timedelta(hours=hours) + timedelta(minutes=n)
        stage.accept(name, user, properties={"product_id": key}, at=at, received=at)
    stage.run()
