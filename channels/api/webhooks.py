"""Outgoing webhooks: a partner's own, made, tested, given new secrets and removed."""

from datetime import timedelta
from typing import Any, Final

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from channels.api.webhook_shapes import (
    NewWebhookShape,
    NothingBody,
    SecretBody,
    WebhookBody,
    WebhookShape,
    WebhooksShape,
)
from channels.models import WebhookEndpoint
from channels.web.address import RefusedAddress
from channels.webhooks import endpoints
from channels.webhooks.addresses import check
from channels.webhooks.partners import refused
from channels.webhooks.secrets import MOST, TooManySecrets
from customers import audit
from customers.accept.refusal import Refusal, Refused
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import one_uuid
from customers.api.strict import RefusedFields
from customers.kept_answers import Answer
from customers.models import Scope
from customers.partner import Partner

SCOPE: Final = Scope.WEBHOOKS_MANAGE.value
WEBHOOKS = Listing("webhooks", Order("created_at", key=uuid_key), {})
_MOST: Final = 100
_NOTHING = OpenApiExample("Nothing to say", {}, request_only=True)
_MADE: dict[str, Any] = {
    "id": "0195577f-7400-7000-8000-000000000000",
    "name": "Warehouse",
    "url": "https://warehouse.example/hooks/trilha",
    "events": ["Order Completed", "segment.entered"],
    "tells_personal": False,
    "tells_history": False,
    "owner": "Warehouse team",
    "is_active": True,
    "off_reason": "",
    "off_at": None,
    "failing_since": None,
    "created_at": "2026-03-02T12:00:00Z",
}
_ASKED = {name: _MADE[name] for name in ("name", "url", "events", "owner")}


class Telling(Writing):
    """A call that answers with a secret, once: what is kept for whoever asks again holds none."""

    _secret: str = ""

    def post(self, request: Request, **kwargs: str) -> HttpResponse:
        response = super().post(request, **kwargs)
        if self._secret and response.status_code < 300:
            response.content = orjson.dumps({**orjson.loads(response.content), "secret": self._secret})
        return response


@extend_schema_view(
    post=extend_schema(
        operation_id="create_webhook",
        summary="Make a webhook",
        tags=["webhooks"],
        request=WebhookBody,
        responses={201: NewWebhookShape},
        examples=[OpenApiExample("Two names", _ASKED, request_only=True)],
    )
)
class Webhooks(Telling):
    """The webhooks that this token made. They are told of events of its sources, and of what happens here to those
    whom these named. A token that is replaced leaves its webhooks to its successor."""

    scopes = {"GET": SCOPE, "POST": SCOPE}

    @property
    def parameters(self) -> Any:  # type: ignore[override]  # a list and a call ask for different things
        method = getattr(self.request, "method", None) or "GET"
        return {} if method == "POST" else WEBHOOKS.parameters()

    @extend_schema(
        operation_id="list_webhooks",
        summary="Webhooks",
        tags=["webhooks"],
        responses={200: WebhooksShape},
        examples=[OpenApiExample("One", {"items": [_MADE], "next": None}, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> HttpResponse:
        rows = known(self.partner)
        return ok(WEBHOOKS.page(rows, self.given, self.partner, lambda page: [show(one) for one in page]))

    def answer(self, **kwargs: str) -> Answer:
        asked = WebhookBody.read(self.body())
        _may(asked, self.partner)
        if known(self.partner).filter(is_active=True).count() >= _MOST:
            raise Refused("too_many", f"A token has {_MOST} webhooks at most.", "Remove one first.")
        made = WebhookEndpoint(brand_id=self.partner.brand_id, token_id=self.partner.token_id, **asked)
        self._secret = endpoints.keep(made, self.now)
        audit.record(None, "add", made, None, audit.picture(made), now=self.now)
        return answer_of({**show(made), "secret": None}, 201, f"/api/v1/webhooks/{made.pk}")


class WebhookPage(PartnerView):
    scopes = {"GET": SCOPE}

    @extend_schema(
        operation_id="get_webhook",
        summary="A webhook",
        tags=["webhooks"],
        responses={200: WebhookShape},
        examples=[OpenApiExample("A webhook", _MADE, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, webhook_id: str) -> HttpResponse:
        return ok(show(one_of(self.partner, webhook_id)))


@extend_schema_view(
    post=extend_schema(
        operation_id="renew_webhook_secret",
        summary="Renew a webhook's secret",
        tags=["webhooks"],
        request=SecretBody,
        responses={200: NewWebhookShape},
        examples=[OpenApiExample("Both for two days", {"overlap_hours": 48}, request_only=True)],
    )
)
class WebhookSecret(Telling):
    """From now on calls are signed with the new secret, and for a time with the one before it as well."""

    scopes = {"POST": SCOPE}

    def answer(self, **kwargs: str) -> Answer:
        asked = SecretBody.read(self.body())
        found = one_of(self.partner, kwargs["webhook_id"])
        try:
            self._secret = endpoints.rotate(found, self.now, timedelta(hours=asked.get("overlap_hours", 24)))
        except TooManySecrets:
            hint = "Wait until one has ended, or send overlap_hours 0: then all before it end at once."
            raise Refused("too_many_secrets", f"{MOST} secrets are in force already.", hint) from None
        audit.record(None, "webhook_secret", found, None, None, now=self.now)
        return answer_of({**show(found), "secret": None})


@extend_schema_view(
    post=extend_schema(
        operation_id="test_webhook",
        summary="Send a test",
        tags=["webhooks"],
        request=NothingBody,
        responses={202: WebhookShape},
        examples=[_NOTHING],
    )
)
class WebhookTest(Writing):
    """Queues a delivery of the type `trilha.test`; what came of it is among the deliveries."""

    scopes = {"POST": SCOPE}

    def answer(self, **kwargs: str) -> Answer:
        NothingBody.read(self.body())
        found = one_of(self.partner, kwargs["webhook_id"])
        active(found)
        endpoints.ask_for_test(found, self.now)
        return answer_of(show(found), 202, f"/api/v1/webhooks/{found.pk}/deliveries")


@extend_schema_view(
    post=extend_schema(
        operation_id="remove_webhook",
        summary="Remove a webhook",
        tags=["webhooks"],
        request=NothingBody,
        responses={200: WebhookShape},
        examples=[_NOTHING],
    )
)
class WebhookRemove(Writing):
    """For good: what waits is cancelled. What was told stays on record. One that is removed stays so."""

    scopes = {"POST": SCOPE}

    def answer(self, **kwargs: str) -> Answer:
        NothingBody.read(self.body())
        found = WebhookEndpoint.objects.visible_to(self.partner).filter(pk=one_uuid(kwargs["webhook_id"])).first()
        if found is None:
            raise not_found()
        if found.off_reason != WebhookEndpoint.Off.REMOVED:
            endpoints.remove(found, self.now)
            audit.record(None, "webhook_removed", found, None, None, now=self.now)
        return answer_of(show(found))


def known(partner: Partner) -> Any:
    return WebhookEndpoint.objects.visible_to(partner).exclude(off_reason=WebhookEndpoint.Off.REMOVED)


def one_of(partner: Partner, webhook_id: str) -> WebhookEndpoint:
    """The webhook of this id, if it is the token's."""
    found: WebhookEndpoint | None = known(partner).filter(pk=one_uuid(webhook_id)).first()
    if found is None:
        raise not_found()
    return found


def active(endpoint: WebhookEndpoint) -> None:
    if not endpoint.is_active:
        raise Refused("webhook_off", "It is off, and told nothing.", "Make another, or have it switched on.")


def _may(asked: dict[str, Any], partner: Partner) -> None:
    """Raises Refused of what the token may not be told, and of where nobody may be called."""
    faults = []
    for number, name in enumerate(asked["events"]):
        missing = refused(name, partner.scopes)
        if missing is not None:
            hint = f"Use a token with the scope {missing}." if missing else "Leave it out."
            faults.append(Refusal("name_not_allowed", "It may not be told of this.", hint, f"/events/{number}"))
    if asked.get("tells_personal") and not partner.reads_personal:
        hint = "Use a token with the scope customers:personal, or leave it out."
        faults.append(Refusal("name_not_allowed", "It may not be told personal data.", hint, "/tells_personal"))
    try:
        check(asked["url"])
    except RefusedAddress:
        hint = "Give a public address that begins with https://, by port 443 or 8443."
        faults.append(Refusal("destination_not_allowed", "This address may not be called.", hint, "/url"))
    if faults:
        raise RefusedFields(faults)


def show(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "name": endpoint.name,
        "url": endpoint.url,
        "events": endpoint.events,
        "tells_personal": endpoint.tells_personal,
        "tells_history": endpoint.tells_history,
        "owner": endpoint.owner,
        "is_active": endpoint.is_active,
        "off_reason": endpoint.off_reason,
        "off_at": endpoint.off_at,
        "failing_since": endpoint.failing_since,
        "created_at": endpoint.created_at,
    }
