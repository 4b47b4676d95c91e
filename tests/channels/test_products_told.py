"""Products told by any door: new, changed, as they were, older than what is known, or refused with their place."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from channels.models import Product, ProductText
from customers.models import Brand
from tests.channels.catalogue import tell
from tests.journeys.stage import T0

pytestmark = pytest.mark.django_db

MUG = {"key": "MUG-1", "name": "Mug", "price": 4990, "currency": "BRL", "url": "https://acme.example/mug"}


@pytest.fixture
def brand(db: None) -> Brand:
    return Brand.objects.create(key="acme", name="Acme", locale="en")


def test_what_is_new_is_made_with_all_that_is_said(brand: Brand) -> None:
    said = MUG | {"attributes": {"colour": "blue"}, "category": "Kitchen", "texts": {"pt": {"name": "Caneca"}}}
    assert tell(brand, said).fates == {0: "created"}
    made = Product.objects.get()
    assert (made.key, made.name, made.price, made.currency, made.category) == ("MUG-1", "Mug", 4990, "BRL", "Kitchen")
    assert (made.attributes, made.is_available, made.is_active, made.updated_at) == ({"colour": "blue"}, True, True, T0)
    assert list(ProductText.objects.values_list("locale", "name", "description")) == [("pt", "Caneca", "")]


def test_what_is_left_out_stays_and_null_takes_away(brand: Brand) -> None:
    tell(brand, MUG | {"texts": {"pt": {"name": "Caneca"}, "es": {"name": "Taza"}}})
    told = tell(brand, {"key": "MUG-1", "available": False, "url": None, "texts": {"es": None}})
    assert told.fates == {0: "updated"}
    made = Product.objects.get()
    assert (made.name, made.price, made.url, made.is_available) == ("Mug", 4990, "", False)
    assert list(ProductText.objects.values_list("locale", flat=True)) == ["pt"]


def test_what_is_as_it_was_changes_nothing(brand: Brand) -> None:
    tell(brand, MUG)
    assert tell(brand, MUG, now=T0 + timedelta(hours=1)).fates == {0: "unchanged"}
    assert Product.objects.get().updated_at == T0 + timedelta(hours=1)


def test_what_is_older_than_what_is_known_changes_nothing(brand: Brand) -> None:
    tell(brand, MUG | {"price": 100, "updated_at": "2026-03-02T11:00:00Z"})
    told = tell(brand, {"key": "MUG-1", "price": 90, "updated_at": "2026-03-02T10:59:59Z"})
    assert told.fates == {0: "stale"}
    assert Product.objects.get().price == 100


def test_a_clock_that_is_ahead_makes_nothing_that_follows_old(brand: Brand) -> None:
    tell(brand, MUG | {"updated_at": "2026-03-02T20:00:00Z"})
    assert tell(brand, {"key": "MUG-1", "price": 1}, now=T0 + timedelta(minutes=1)).fates == {0: "updated"}
    assert Product.objects.get().price == 1


def test_a_key_that_comes_twice_is_said_twice(brand: Brand) -> None:
    told = tell(brand, MUG, {"key": "MUG-1", "price": 1})
    assert told.fates == {0: "created", 1: "updated"}
    assert Product.objects.get().price == 1


def test_each_brand_has_its_own(brand: Brand) -> None:
    other = Brand.objects.create(key="other", name="Other")
    tell(brand, MUG)
    assert tell(other, MUG | {"price": 1}).fates == {0: "created"}
    assert sorted(Product.objects.values_list("brand__key", "price")) == [("acme", 4990), ("other", 1)]


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"key": ""}, "invalid_product_key", "/key"),
        ({"key": "a b"}, "invalid_product_key", "/key"),
        ({"key": "x" * 101}, "invalid_product_key", "/key"),
        ({"key": "a/b"}, "invalid_product_key", "/key"),
        ({"key": 7}, "wrong_type", "/key"),
        ({"name": ""}, "too_long", "/name"),
        ({"name": "x" * 301}, "too_long", "/name"),
        ({"name": None}, "wrong_type", "/name"),
        ({"price": -1}, "out_of_range", "/price"),
        ({"price": 10**16}, "out_of_range", "/price"),
        ({"price": 49.9}, "wrong_type", "/price"),
        ({"price": "4990"}, "wrong_type", "/price"),
        ({"price": True}, "wrong_type", "/price"),
        ({"currency": None}, "price_without_currency", "/currency"),
        ({"currency": "XYZ"}, "unknown_currency", "/currency"),
        ({"currency": "brl"}, "unknown_currency", "/currency"),
        ({"url": "javascript:alert(1)"}, "invalid_address", "/url"),
        ({"url": "http://acme.example"}, "invalid_address", "/url"),
        ({"url": "//evil.example"}, "invalid_address", "/url"),
        ({"url": "https://acme.example@evil.example"}, "invalid_address", "/url"),
        ({"image": "/local.png"}, "invalid_address", "/image"),
        ({"available": "yes"}, "wrong_type", "/available"),
        ({"attributes": {"a b": 1}}, "invalid_name", "/attributes"),
        ({"attributes": {f"n{n}": 1 for n in range(51)}}, "too_many_attributes", "/attributes"),
        ({"attributes": {"n": "x" * 9000}}, "too_many_attributes", "/attributes"),
        ({"texts": {"portuguese please": {"name": "x"}}}, "invalid_locale", "/texts"),
        ({"texts": {"pt": {}}}, "missing_field", "/texts/name"),
        ({"updated_at": "yesterday"}, "invalid_timestamp", "/updated_at"),
        ({"updated_at": "2026-03-02T10:00:00"}, "timezone_required", "/updated_at"),
        ({"colour": "blue"}, "unknown_field", "/colour"),
        ({"name": "M\x00g"}, "nul_character", ""),
    ],
)
def test_what_cannot_be_is_refused_alone(brand: Brand, change: dict[str, Any], code: str, pointer: str) -> None:
    told = tell(brand, MUG | change, {"key": "CUP", "name": "Cup"})
    assert (told.refusals[0].code, told.refusals[0].pointer) == (code, pointer)
    assert told.fates == {1: "created"}
    assert Product.objects.get().key == "CUP"


@pytest.mark.parametrize("item", [None, 1, "MUG-1", [], {}])
def test_what_is_no_product_at_all_is_refused(brand: Brand, item: Any) -> None:
    assert set(tell(brand, item).refusals) == {0}
    assert not Product.objects.exists()


def test_a_new_product_has_a_name(brand: Brand) -> None:
    assert tell(brand, {"key": "MUG-1"}).refusals[0].code == "missing_field"
    assert not Product.objects.exists()


def test_the_database_keeps_no_price_without_its_currency(brand: Brand) -> None:
    with pytest.raises(IntegrityError, match="a_price_is_in_a_currency"):
        Product.objects.create(brand=brand, key="x", name="x", price=1, updated_at=T0)
