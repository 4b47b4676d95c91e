"""The demo company's shop window: one public page that tells by trilha.js what its visitor does."""

from typing import Any, Final

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.demo.brands import BRANDS, MARKETING, NOTICE, BrandPlan, Product
from config.demo.company import SLOT
from consent.models import NoticeText
from customers.models import WriteKey

_PRODUCTS: Final = 3
# Only what the page itself is made of, and the door of this very installation.
_CONTENT_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@never_cache
@require_safe
def page(request: HttpRequest, brand: str) -> HttpResponse:
    """The shop of a brand, where there is a demo and a key to tell by."""
    plan = next((plan for plan in BRANDS if plan.key == brand), None)
    key = _key(plan) if settings.TRILHA_DEMO and plan is not None else None
    if plan is None or key is None:
        raise Http404
    response = render(request, "demo/shop.html", _shown(plan, key))
    response["Content-Security-Policy"] = _CONTENT_POLICY
    return response


def _key(plan: BrandPlan) -> WriteKey | None:
    keys = WriteKey.objects.filter(kind=WriteKey.Kind.BROWSER, revoked_at=None, source__key="shop")
    return keys.filter(source__brand__key=plan.key).order_by("-created_at").first()


def _shown(plan: BrandPlan, key: WriteKey) -> dict[str, Any]:
    products = plan.products[:_PRODUCTS]
    return {
        "plan": plan,
        "key": key.public,
        "slot": SLOT,
        "language": get_language() or "en",
        "purpose": MARKETING,
        "notice": NOTICE,
        "wording": _wording(plan),
        "products": [_offered(plan, one) for one in products],
        "events": reverse("admin:customers_event_changelist"),
        "others": [(other.key, other.name) for other in BRANDS if other is not plan],
    }


def _offered(plan: BrandPlan, product: Product) -> dict[str, str]:
    price = f"{plan.currency} {product.cents / 100:.2f}"
    return {"name": product.name, "price": price, "details": orjson.dumps(_said(plan, product)).decode()}


def _said(plan: BrandPlan, product: Product) -> dict[str, Any]:
    """What the shop's events say of a product; the page adds the cart's own number."""
    item = {"sku": product.sku, "name": product.name, "quantity": 1, "price": product.cents}
    return {"sku": product.sku, "item": item, "total": product.cents, "currency": plan.currency}


def _wording(plan: BrandPlan) -> dict[str, Any]:
    """The notice in the visitor's language, or the brand's own: text and version are what a grant is proved by."""
    texts = NoticeText.objects.filter(version__notice__key=NOTICE, version__notice__brand__key=plan.key)
    rows = texts.select_related("version").order_by("version__number")
    by_language = {row.locale.lower().partition("-")[0]: row for row in rows}
    mine = (get_language() or "en").partition("-")[0]
    row = by_language.get(mine) or by_language[plan.locale.partition("-")[0]]
    return {"text": row.text, "locale": row.locale, "version": row.version.number}
