"""Products on the staff pages: found, told by hand within the same bounds, and how they are looked at."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from channels.catalogue.coviews import count
from channels.models import AlsoViewed, CoView, Product, Recommending
from consent.models import Purpose
from customers.models import AuditEntry, Brand
from tests.channels import catalogue
from tests.channels.catalogue import look, stock, tell
from tests.customers.test_import_pages import client_of, marketer
from tests.journeys.stage import Stage, make_stage

pytestmark = pytest.mark.django_db

LIST = "admin:channels_product_changelist"


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = make_stage()
    monkeypatch.setattr("customers.clock.utcnow", lambda: stage.now)
    return stage


@pytest.fixture
def rita(shop: Stage) -> Client:
    return client_of(marketer("rita", shop.brand, "view_brand", "change_brand"))


def page(product: Product) -> str:
    return reverse("admin:channels_product_change", args=[product.pk])


def form(**changes: Any) -> dict[str, Any]:
    said = {
        "name": "Mug", "description": "", "price": "", "currency": "", "url": "", "image": "", "category": "",
        "attributes": "{}", "is_available": "on", "is_active": "on", "texts-TOTAL_FORMS": "0",
        "texts-INITIAL_FORMS": "0",
    }  # fmt: skip
    return said | changes


def test_an_empty_list_says_how_products_come(rita: Client) -> None:
    html = rita.get(reverse(LIST)).content.decode()
    assert "Nothing is told of yet." in html
    assert f"{reverse('admin:customers_import_add')}?rows=products" in html


def test_the_form_of_files_begins_with_products_where_one_comes_from_there(rita: Client) -> None:
    html = rita.get(reverse("admin:customers_import_add"), {"rows": "products"}).content.decode()
    assert '<option value="products" selected' in html


def test_products_are_found_by_name_key_and_category_with_their_price(rita: Client, shop: Stage) -> None:
    tell(shop.brand, {"key": "MUG-1", "name": "Blue mug", "price": 4990, "currency": "USD", "category": "Kitchen"},
         {"key": "HAT-1", "name": "Hat"})  # fmt: skip
    for asked in ("blue", "MUG", "kitch"):
        html = rita.get(reverse(LIST), {"q": asked}).content.decode()
        assert ("Blue mug" in html, "$49.90" in html, "HAT-1" in html) == (True, True, False)
    Product.objects.filter(key="HAT-1").update(is_active=False)
    html = rita.get(reverse(LIST), {"is_active__exact": "0"}).content.decode()
    assert ("HAT-1" in html, "MUG-1" in html) == (True, False)


def test_what_is_told_by_hand_is_on_the_audit_trail(rita: Client, shop: Stage) -> None:
    product = stock(shop.brand, "MUG-1")["MUG-1"]
    shop.now = shop.now.replace(minute=5)
    answer = rita.post(page(product), form(name="Cup", price="100", currency="BRL"))
    assert answer.status_code == 302
    product.refresh_from_db()
    assert (product.name, product.price, product.updated_at) == ("Cup", 100, shop.now)
    assert AuditEntry.objects.filter(object_type="channels.product", action="change").count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "javascript:alert(1)"}, "This is no address that may be shown."),
        ({"price": "100"}, "A price is in a currency."),
        ({"price": "-1", "currency": "BRL"}, "No such amount."),
        ({"currency": "XYZ"}, "No such currency."),
        ({"attributes": '{"a b": 1}'}, "attribute"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(rita: Client, shop: Stage, change: dict[str, str], said: str) -> None:
    product = stock(shop.brand, "MUG-1")["MUG-1"]
    answer = rita.post(page(product), form(**change))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    product.refresh_from_db()
    assert (product.name, product.url, product.price) == ("Mug-1", "", None)


def test_the_page_tells_how_it_is_looked_at_and_what_with(rita: Client, shop: Stage) -> None:
    products = stock(shop.brand, "mug", "cup")
    catalogue.recommend(shop)
    for user in ("u1", "u2", "u3"):
        shop.know(user)
        look(shop, user, "mug", "cup", hours=2)
    count(shop.brand.pk, shop.now)
    html = rita.get(page(products["mug"])).content.decode()
    assert "<td>3</td><td>3</td><td>3</td>" in html
    assert page(products["cup"]) in html


def test_products_of_another_brand_are_not_shown(rita: Client) -> None:
    theirs = stock(Brand.objects.create(key="rival", name="Rival"), "SECRET")["SECRET"]
    assert "SECRET" not in rita.get(reverse(LIST)).content.decode()
    assert rita.get(page(theirs)).status_code in (302, 403, 404)


def test_a_brand_names_the_purpose_and_has_it_counted_anew(rita: Client, shop: Stage) -> None:
    row = catalogue.recommend(shop)
    count(shop.brand.pk, shop.now)
    row.refresh_from_db()
    assert row.counted_until is not None
    address = reverse("admin:channels_recommending_changelist")
    rita.post(address, {"action": "count_anew", "_selected_action": [str(row.pk)]})
    assert Recommending.objects.get().counted_until is None


def test_another_purpose_has_all_days_counted_anew_and_the_same_does_not(rita: Client, shop: Stage) -> None:
    row = catalogue.recommend(shop)
    other = Purpose.objects.create(brand=shop.brand, key="other", name="Other", kind="service")
    count(shop.brand.pk, shop.now)
    address = reverse("admin:channels_recommending_change", args=[row.pk])
    rita.post(address, {"purpose": str(row.purpose_id)})
    assert Recommending.objects.get().counted_at == shop.now
    assert rita.post(address, {"purpose": str(other.pk)}).status_code == 302
    row.refresh_from_db()
    assert (row.purpose_id, row.counted_until, row.counted_at) == (other.pk, None, None)


@pytest.mark.parametrize("by", ["page", "list"])
def test_recommending_is_switched_off_by_deleting_it_and_its_counts_go(rita: Client, shop: Stage, by: str) -> None:
    stock(shop.brand, "mug", "cup")
    row = catalogue.recommend(shop)
    for user in ("u1", "u2"):
        shop.know(user)
        look(shop, user, "mug", "cup", hours=2)
    count(shop.brand.pk, shop.now)
    assert AlsoViewed.objects.exists()
    if by == "page":
        assert (
            rita.post(reverse("admin:channels_recommending_delete", args=[row.pk]), {"post": "yes"}).status_code == 302
        )
    else:
        chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        rita.post(reverse("admin:channels_recommending_changelist"), chosen)
    for model in (Recommending, AlsoViewed, CoView):
        assert not model.objects.exists()
    assert Product.objects.count() == 2
    assert AuditEntry.objects.filter(object_type="channels.recommending", action="delete").count() == 1


def test_who_does_not_manage_the_brand_switches_nothing_off(shop: Stage) -> None:
    row = catalogue.recommend(shop)
    client = client_of(marketer("zoe", shop.brand, "view_brand"))
    client.post(reverse("admin:channels_recommending_delete", args=[row.pk]), {"post": "yes"})
    assert Recommending.objects.exists()
