"""The products of a brand at the partner API: told many at once, read, and taken out."""

from collections.abc import Sequence
from typing import Any, Final, get_args

from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from channels.api.product_shapes import ProductsBody, ProductShape, ProductsSaidShape, ProductsShape, ProductsTakenShape
from channels.api.webhook_shapes import NothingBody
from channels.catalogue.take import Fate, Taken, take
from channels.models import Product
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_moment, a_text, one_of
from customers.kept_answers import Answer
from customers.models import Scope
from customers.partner import Partner

MOST: Final = 1_000
_READ, _WRITE = Scope.PRODUCTS_READ.value, Scope.PRODUCTS_WRITE.value
PRODUCTS = Listing(
    "products",
    Order("updated_at", key=uuid_key),
    {
        "category": a_text("Only those of this category."),
        "active": one_of(("true", "false"), "Only those that are, or are not."),
        "updated_since": a_moment("Only those told of from then on."),
    },
)


@extend_schema_view(
    post=extend_schema(
        operation_id="tell_products",
        summary="Tell products",
        tags=["products"],
        request=ProductsSaidShape,
        responses={200: ProductsTakenShape},
        examples=[
            OpenApiExample(
                "A price and a stock",
                {"products": [{"key": "MUG-1", "name": "Mug", "price": 4990, "currency": "BRL", "available": True}]},
                request_only=True,
            )
        ],
    )
)
class Products(Writing):
    """All products of the brand; and telling up to 1,000 of them, each new, changed, or refused with its place."""

    scopes = {"GET": _READ, "POST": _WRITE}
    max_bytes = 1024 * 1024
    at_most = {"products": (MOST, "products")}

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return {} if method == "POST" else PRODUCTS.parameters()

    @extend_schema(operation_id="list_products", summary="Products", tags=["products"], responses={200: ProductsShape})
    def get(self, request: Request) -> HttpResponse:
        rows = Product.objects.visible_to(self.partner)
        if "category" in self.given:
            rows = rows.filter(category=self.given["category"])
        if "active" in self.given:
            rows = rows.filter(is_active=self.given["active"] == "true")
        if "updated_since" in self.given:
            rows = rows.filter(updated_at__gte=self.given["updated_since"])
        return ok(PRODUCTS.page(rows.prefetch_related("texts"), self.given, self.partner, show_all))

    def answer(self, **kwargs: str) -> Answer:
        asked = ProductsBody.read(self.body())
        with transaction.atomic():
            taken = take(self.partner.brand_id, asked["products"], self.now)
        return answer_of(_told(taken))


class ProductPage(PartnerView):
    scopes = {"GET": _READ}

    @extend_schema(operation_id="get_product", summary="A product", tags=["products"], responses={200: ProductShape})
    def get(self, request: Request, product_key: str) -> HttpResponse:
        return ok(show_all([_product(self.partner, product_key)])[0])


@extend_schema_view(
    post=extend_schema(
        operation_id="remove_product",
        summary="Take a product out",
        tags=["products"],
        request=NothingBody,
        responses={200: ProductShape},
        examples=[OpenApiExample("Nothing to say", {}, request_only=True)],
    )
)
class ProductRemove(Writing):
    """No message shows it any more. It stays known, since messages were sent with it; telling it `active` puts it
    back."""

    scopes = {"POST": _WRITE}

    def answer(self, **kwargs: str) -> Answer:
        NothingBody.read(self.body())
        product = _product(self.partner, kwargs["product_key"])
        with transaction.atomic():
            take(self.partner.brand_id, [{"key": product.key, "active": False}], self.now)
        return answer_of(show_all([_product(self.partner, product.key)])[0])


def show_all(products: Sequence[Product]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.pk,
            "key": one.key,
            "name": one.name,
            "description": one.description,
            "price": one.price,
            "currency": one.currency,
            "url": one.url,
            "image": one.image,
            "category": one.category,
            "available": one.is_available,
            "active": one.is_active,
            "attributes": one.attributes,
            "texts": {text.locale: {"name": text.name, "description": text.description} for text in one.texts.all()},
            "created_at": one.created_at,
            "updated_at": one.updated_at,
        }
        for one in products
    ]


def _product(partner: Partner, key: str) -> Product:
    found: Product | None = Product.objects.visible_to(partner).filter(key=key).first()
    if found is None:
        raise not_found()
    return found


def _told(taken: Taken) -> dict[str, Any]:
    refused = [
        {"index": index, "code": one.code, "message": one.message, "hint": one.hint,
         "pointer": f"/products/{index}{one.pointer}"}
        for index, one in sorted(taken.refusals.items())
    ]  # fmt: skip
    return {**{fate: taken.count(fate) for fate in get_args(Fate)}, "refused": refused}
