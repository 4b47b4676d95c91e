"""What a partner's webhooks were told, how it went, and having it told once more."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request

from channels.api.webhook_shapes import DeliveriesShape, DeliveryShape, NothingBody, ReplayBody, ReplayShape
from channels.api.webhooks import SCOPE, active, one_of
from channels.models import WebhookDelivery
from channels.webhooks import endpoints, replay
from channels.webhooks.replay import Span
from customers import audit
from customers.accept.refusal import Refused
from customers.accept.timestamps import read_timestamp
from customers.api import parameters
from customers.api.base import PartnerView, Writing, answer_of, not_found, ok
from customers.api.pages import Listing, Order, uuid_key
from customers.api.parameters import a_text, one_uuid
from customers.kept_answers import Answer

_State = WebhookDelivery.State
DELIVERIES = Listing(
    "webhook-deliveries",
    Order("received_at", key=uuid_key),
    {
        "state": parameters.one_of(tuple(_State.values), "Only those that stand so."),
        "name": a_text("Only of events of this name."),
    },
)
_LONGEST: Final = timedelta(days=400)


class WebhookDeliveries(PartnerView):
    """What the webhook was told, or is to be told."""

    scopes = {"GET": SCOPE}
    parameters = DELIVERIES.parameters()

    @extend_schema(
        operation_id="list_webhook_deliveries",
        summary="A webhook's deliveries",
        tags=["webhooks"],
        responses={200: DeliveriesShape},
    )
    def get(self, request: Request, webhook_id: str) -> HttpResponse:
        endpoint = one_of(self.partner, webhook_id)
        wanted = {name: self.given[name] for name in ("state", "name") if name in self.given}
        rows = WebhookDelivery.objects.visible_to(self.partner).filter(endpoint=endpoint, **wanted)
        return ok(DELIVERIES.page(rows, self.given, self.partner, lambda page: [show(one) for one in page]))


@extend_schema_view(
    post=extend_schema(
        operation_id="replay_webhook_delivery",
        summary="Tell one once more",
        tags=["webhooks"],
        request=NothingBody,
        responses={202: DeliveryShape},
        examples=[OpenApiExample("Nothing to say", {}, request_only=True)],
    )
)
class DeliveryReplay(Writing):
    """Under the same `webhook-id`, with all its tries; one that is not over is left as it is."""

    scopes = {"POST": SCOPE}

    def answer(self, **kwargs: str) -> Answer:
        NothingBody.read(self.body())
        endpoint = one_of(self.partner, kwargs["webhook_id"])
        active(endpoint)
        rows = WebhookDelivery.objects.visible_to(self.partner).filter(endpoint=endpoint)
        found = rows.filter(pk=one_uuid(kwargs["delivery_id"])).first()
        if found is None:
            raise not_found()
        endpoints.again([found.pk], self.now)
        found.refresh_from_db()
        return answer_of(show(found), 202)


@extend_schema_view(
    post=extend_schema(
        operation_id="replay_webhook",
        summary="Tell a span of time once more",
        tags=["webhooks"],
        request=ReplayBody,
        responses={202: ReplayShape},
        examples=[
            OpenApiExample(
                "What failed in a day", {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"},
                request_only=True,
            )
        ],
    )
)  # fmt: skip
class WebhookReplay(Writing):
    """As a job, under the same ids: what was told before is known by them."""

    scopes = {"POST": SCOPE}

    def answer(self, **kwargs: str) -> Answer:
        asked = ReplayBody.read(self.body())
        endpoint = one_of(self.partner, kwargs["webhook_id"])
        active(endpoint)
        since, until = (self._moment(asked[name], f"/{name}") for name in ("since", "until"))
        if not timedelta() < until - since <= _LONGEST:
            raise Refused("out_of_range", "Not a span of time of 400 days at most.", "Send an earlier since.", "/since")
        span = Span(since, until, asked.get("only_failed", True))
        job = replay.ask(endpoint, span, self.now)
        told = {"since": since, "until": until, "only_failed": span.only_failed}
        audit.record(None, "webhook_replay", endpoint, None, told, now=self.now)
        return answer_of({"job": job.pk, **told}, 202)

    def _moment(self, text: str, where: str) -> datetime:
        return read_timestamp(text, self.now + timedelta(days=1), where, historical=True)


def show(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": delivery.pk,
        "event": None if delivery.event_id is None else str(delivery.event_id),
        "name": delivery.name,
        "state": delivery.state,
        "reason": delivery.reason,
        "status": delivery.status,
        "tries": delivery.tries,
        "attempts": delivery.attempts,
        "received_at": delivery.received_at,
        "due_at": delivery.due_at if delivery.settled_at is None else None,
        "settled_at": delivery.settled_at,
    }
