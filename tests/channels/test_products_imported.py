"""Products out of CSV files and out of what other systems post to a webhook: by the machinery that people come by."""

import json
from typing import Any

import pytest

from channels.catalogue.take import take_messages
from channels.models import Product, ProductText
from customers.accept.refusal import Refusal
from customers.hooks.preview import preview
from customers.imports import choices, plan
from customers.imports.file import first_rows
from customers.imports.guess import guess
from customers.imports.limits import FileRefused
from customers.mapping import MappingError, apply, parse
from customers.models import (
    Brand,
    Event,
    Import,
    InboxItem,
    Profile,
    QuarantinedEvent,
    ReceivedBody,
    RefusedRow,
    Source,
)
from tests.customers.hooked import Sender, interpret, make_hook
from tests.customers.importing import NOW, hand_in, run
from tests.customers.segment_door import NOW as SIGNED_AT

pytestmark = pytest.mark.django_db

FILE = (
    "SKU;Nome;Preço;Imagem;Em estoque;Cor\n"
    "MUG-1;Caneca;1.049,90;https://acme.example/m.png;sim;azul\n"
    "CUP-1;Xícara;19,90;;não;\n"
    ";Sem código;1,00;;sim;\n"
    "BAD-1;Ruim;1,00;javascript:alert(1);sim;\n"
)
MAPPING = {
    "events": [
        {
            "key": "product",
            "type": "product",
            "each": "/items",
            "properties": {
                "key": "./sku",
                "name": "./title",
                "price": {"path": "./cents", "steps": [{"do": "number", "whole": True}]},
                "currency": {"constant": "BRL"},
                "colour": "./colour",
            },
        }
    ]
}


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr("customers.clock.utcnow", lambda: SIGNED_AT)
    brand = Brand.objects.create(key="acme", name="Acme", currency="BRL")
    return Source.objects.create(brand=brand, key="shop", name="Shop")


def mapped(parent: Import) -> Import:
    rows = [record.cells for record in first_rows(parent, 50)]
    chosen = guess(parent, rows, ["email", "user_id"], parent.source.brand)
    plan.keep(parent, choices.as_mapping(parent, chosen), NOW)
    return parent


def nobody_came_of_it() -> bool:
    return not any(model.objects.exists() for model in (InboxItem, Event, Profile, QuarantinedEvent))


def test_a_shops_own_file_is_understood_as_it_is(shop: Source) -> None:
    came_to = run(mapped(hand_in(shop, FILE, "products")))
    assert came_to == {"state": "done", "accepted": 2, "duplicates": 0, "rejected": 2}
    found = Product.objects.order_by("key").values_list(
        "key", "name", "price", "currency", "is_available", "attributes"
    )
    assert list(found) == [
        ("CUP-1", "Xícara", 1990, "BRL", False, {}),
        ("MUG-1", "Caneca", 104990, "BRL", True, {"cor": "azul"}),
    ]
    refused = RefusedRow.objects.order_by("row").values_list("row", "code")
    assert list(refused) == [(4, "missing_value"), (5, "invalid_address")]
    assert nobody_came_of_it()


def test_a_price_is_read_in_the_currency_of_its_own_row(shop: Source) -> None:
    rows = ("A,A,1500,JPY", "B,B,1.234,KWD", "C,C,19.90,", "D,D,19.90,USD", "E,E,10.50,JPY", "F,F,10.50,jpy")
    came_to = run(mapped(hand_in(shop, "sku,name,price,currency\n" + "\n".join(rows) + "\n", "products")))
    assert (came_to["accepted"], came_to["rejected"]) == (4, 2)
    found = Product.objects.order_by("key").values_list("key", "price", "currency")
    assert list(found) == [("A", 1500, "JPY"), ("B", 1234, "KWD"), ("C", 1990, "BRL"), ("D", 1990, "USD")]
    assert list(RefusedRow.objects.order_by("row").values_list("row", "code")) == [(6, "not_whole"), (7, "not_whole")]


def test_money_of_an_event_is_read_in_the_currency_that_its_row_tells(shop: Source) -> None:
    parent = hand_in(shop, "email,event,timestamp,total,currency\na@b.example,Order Completed,2026-01-01,1500,JPY\n")
    rows = [record.cells for record in first_rows(parent, 50)]
    mapping = choices.as_mapping(parent, guess(parent, rows, ["email"], shop.brand))
    document = dict(zip(parent.columns, rows[0], strict=True))
    made = apply(parse(mapping), document).events[0].item["properties"]
    assert made == {"total": 1500, "currency": "JPY"}
    made = apply(parse(mapping), document | {"total": "15.00", "currency": " "}).events[0].item["properties"]
    assert made == {"total": 1500, "currency": "BRL"}


def test_the_same_file_again_changes_nothing(shop: Source) -> None:
    run(mapped(hand_in(shop, FILE, "products")))
    again = run(mapped(hand_in(shop, FILE, "products")))
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, 2, 2)


def test_rows_of_a_language_are_words_in_it(shop: Source) -> None:
    run(mapped(hand_in(shop, "sku,name\nMUG-1,Mug\n", "products")))
    run(mapped(hand_in(shop, "sku,nome,idioma\nMUG-1,Caneca,pt-BR\n", "products")))
    assert Product.objects.get().name == "Mug"
    assert ProductText.objects.values_list("locale", "name").get() == ("pt-BR", "Caneca")


def test_a_row_of_a_language_without_a_name_takes_no_words_away(shop: Source) -> None:
    run(mapped(hand_in(shop, "sku,name\nMUG-1,Mug\n", "products")))
    run(mapped(hand_in(shop, "sku,nome,idioma\nMUG-1,Caneca,pt-BR\n", "products")))
    run(mapped(hand_in(shop, "sku,price,idioma\nMUG-1,10.00,pt-BR\n", "products")))
    assert Product.objects.get().price == 1000
    assert ProductText.objects.values_list("locale", "name").get() == ("pt-BR", "Caneca")


@pytest.mark.parametrize(
    ("odd", "place"),
    [
        ({"locale": ["pt"]}, "/locale"),
        ({"texts": "odd", "locale": "pt", "name": "x"}, "/texts"),
        ({"texts": "odd"}, "/texts"),
        ({"attributes": "odd", "colour": "blue"}, "/attributes"),
        ({"attributes": ["odd"], "colour": "blue"}, "/attributes"),
        ({"attributes": "odd"}, "/attributes"),
        ({"big": 10**30}, ""),
        ({"half": "\ud800"}, ""),
        ({"deep": json.loads("[" * 400 + "]" * 400)}, ""),
    ],
)
def test_an_odd_item_is_refused_and_the_others_are_taken(shop: Source, odd: dict[str, Any], place: str) -> None:
    messages = [{"properties": {"key": key, "name": key} | more} for key, more in (("A", {}), ("B", odd), ("C", {}))]
    first, refused, last = take_messages(shop.brand_id, messages, NOW, writes=True)
    assert (first, last) == (True, True)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.pointer) == ("wrong_type", place)
    assert list(Product.objects.order_by("key").values_list("key", "attributes")) == [("A", {}), ("C", {})]


def test_an_odd_row_of_a_file_is_refused_alone(shop: Source) -> None:
    came_to = run(mapped(hand_in(shop, "sku,name,attributes,colour\nMUG-1,Mug,big,blue\nCUP-1,Cup,,red\n", "products")))
    assert (came_to["state"], came_to["accepted"], came_to["rejected"]) == ("done", 1, 1)
    assert RefusedRow.objects.values_list("row", "code").get() == (2, "wrong_type")
    assert Product.objects.get().attributes == {"colour": "red"}


def test_an_odd_item_of_what_is_posted_is_refused_alone(shop: Source) -> None:
    rule = MAPPING["events"][0]
    mapping = {"events": [rule | {"properties": rule["properties"] | {"locale": "./lang"}}]}  # type: ignore[operator]
    hook = make_hook(shop, mapping=mapping)
    Sender(hook).post({"items": [{"sku": "OK", "title": "Fine"}, {"sku": "M", "title": "M", "lang": ["pt"]}]})
    interpret()
    assert ReceivedBody.objects.values_list("status", "accepted", "refused").get() == ("done", 1, 1)
    assert Product.objects.get().key == "OK"


def test_a_file_without_keys_is_refused_before_anything_is_taken(shop: Source) -> None:
    parent = hand_in(shop, "nome,preco\nCaneca,1\n", "products")
    with pytest.raises(FileRefused):
        mapped(parent)
    assert not Product.objects.exists()


def test_a_rule_of_products_names_nobody() -> None:
    rule = MAPPING["events"][0]
    with pytest.raises(MappingError, match="not_for_type"):
        parse({"events": [rule | {"identifiers": {"user_id": "./owner"}}]})
    with pytest.raises(MappingError, match="missing_key"):
        parse({"events": [rule | {"properties": {"name": "./title"}}]})


def posted(source: Source, *items: Any) -> ReceivedBody:
    hook = make_hook(source, mapping=MAPPING)
    assert Sender(hook).post({"items": list(items)}).status_code in (200, 202, 204)
    interpret()
    return ReceivedBody.objects.get()


def test_what_a_partner_posts_signed_becomes_products(shop: Source) -> None:
    body = posted(shop, {"sku": "MUG-1", "title": "Mug", "cents": 4990, "colour": "blue"}, {"sku": "CUP-1"})
    assert (body.status, body.accepted, body.refused) == ("done", 1, 1)
    made = Product.objects.get()
    assert (made.key, made.price, made.currency, made.attributes) == ("MUG-1", 4990, "BRL", {"colour": "blue"})
    assert [(one["code"], one["field"], one["pointer"]) for one in body.problems] == [
        ("thing_refused", "missing_field", "/name")
    ]
    assert nobody_came_of_it()


def test_the_preview_of_a_mapping_tells_the_same_and_writes_nothing(shop: Source) -> None:
    hook = make_hook(shop, mapping=MAPPING)
    sample = json.dumps({"items": [{"sku": "MUG-1", "title": "Mug"}, {"sku": "CUP-1"}]})
    seen = preview(hook, json.dumps(MAPPING), sample, {}, NOW)
    assert [one.refusal.code if one.refusal else "" for one in seen.events] == ["", "missing_field"]
    assert not Product.objects.exists()
