"""Products at the partner API: told many at once, read page by page, taken out; of one's own brand alone."""

from typing import Any

import pytest

from channels.models import Product
from tests.config.partners import Partners, make_partners
from tests.customers.partner_api import code_of, pointer_of

pytestmark = pytest.mark.django_db

MUG = {"key": "MUG-1", "name": "Mug", "price": 4990, "currency": "BRL"}


@pytest.fixture
def partners(monkeypatch: pytest.MonkeyPatch) -> Partners:
    made = make_partners()
    monkeypatch.setattr("customers.clock.utcnow", lambda: made.stage.now)
    return made


def tell(partners: Partners, *products: Any, **headers: str) -> Any:
    answer = partners.shop.post("products", {"products": list(products)}, **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_each_is_taken_or_refused_by_itself(partners: Partners) -> None:
    told = tell(partners, MUG, {"key": "CUP"}, MUG, MUG | {"price": 1.5})
    assert {name: told[name] for name in ("created", "updated", "unchanged", "stale")} == {
        "created": 1, "updated": 0, "unchanged": 1, "stale": 0,
    }  # fmt: skip
    assert [(one["index"], one["code"], one["pointer"]) for one in told["refused"]] == [
        (1, "missing_field", "/products/1/name"),
        (3, "wrong_type", "/products/3/price"),
    ]
    assert Product.objects.get().price == 4990


def test_read_one_and_page_by_page(partners: Partners) -> None:
    tell(partners, *({"key": f"p{n}", "name": f"P{n}", "category": "x" if n else "y"} for n in range(3)))
    first = partners.till.get("products", limit="2").json()
    second = partners.till.get("products", limit="2", cursor=first["next"]).json()
    assert sorted(one["key"] for one in first["items"] + second["items"]) == ["p0", "p1", "p2"]
    assert [one["key"] for one in partners.till.get("products", category="y").json()["items"]] == ["p0"]
    one = partners.till.get("products/p1").json()
    assert (one["name"], one["price"], one["active"], one["texts"]) == ("P1", None, True, {})


def test_what_is_taken_out_stays_known_and_comes_back_when_told(partners: Partners) -> None:
    tell(partners, MUG)
    assert partners.shop.post("products/MUG-1/remove", {}).json()["active"] is False
    assert partners.shop.get("products", active="true").json()["items"] == []
    assert tell(partners, {"key": "MUG-1", "active": True})["updated"] == 1
    assert partners.shop.get("products", active="true").json()["items"][0]["key"] == "MUG-1"


def test_another_brand_neither_sees_nor_changes_them(partners: Partners) -> None:
    tell(partners, MUG)
    assert partners.rival.get("products").json()["items"] == []
    assert code_of(partners.rival.get("products/MUG-1"), 404) == "not_found"
    assert code_of(partners.rival.post("products/MUG-1/remove", {}), 404) == "not_found"
    partners.rival.post("products", {"products": [MUG | {"name": "Theirs"}]})
    assert sorted(Product.objects.values_list("name", flat=True)) == ["Mug", "Theirs"]


def test_a_named_call_is_done_once(partners: Partners) -> None:
    named = {"Idempotency-Key": "a-key-of-mine-1"}
    assert tell(partners, MUG, **named)["created"] == 1
    assert tell(partners, MUG, **named)["created"] == 1
    assert Product.objects.count() == 1


def test_too_many_at_once_are_refused_and_none_is_taken(partners: Partners) -> None:
    answer = partners.shop.post("products", {"products": [{"key": f"p{n}", "name": "P"} for n in range(1001)]})
    assert code_of(answer, 413) == "batch_too_large"
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "missing_field", "/products"),
        ({"products": []}, "too_short", "/products"),
        ({"products": {}}, "wrong_type", "/products"),
        ({"products": [MUG], "mode": "replace"}, "unknown_field", "/mode"),
    ],
)
def test_what_is_no_batch_is_refused(partners: Partners, body: Any, code: str, pointer: str) -> None:
    answer = partners.shop.post("products", body)
    assert code_of(answer, 422) == code
    assert pointer_of(answer) == pointer
    assert not Product.objects.exists()


def test_a_thousand_are_taken_by_a_few_statements(partners: Partners, django_assert_max_num_queries: Any) -> None:
    many = [{"key": f"p{n}", "name": f"P{n}", "texts": {"pt": {"name": "x"}}} for n in range(1000)]
    tell(partners, *many[:1])
    with django_assert_max_num_queries(16):
        assert tell(partners, *many)["created"] == 999
