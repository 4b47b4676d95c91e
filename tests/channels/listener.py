"""The cast of the webhook tests: an endpoint that listens, events that are accepted, and a clock that a test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.webhooks import endpoints
from channels.webhooks.deliver import deliver_due
from customers import keys
from customers.clock import utcnow
from customers.hooks.signatures import Signing, verify
from customers.models import Brand, Source
from customers.resolve import resolve_inbox
from tests.channels.web_server import OtherSystem, Received, other_system
from tests.customers.segment_door import Door, track

NAME = "Order Completed"


@dataclass(slots=True)
class Clock:
    now: datetime = field(default_factory=utcnow)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(slots=True)
class Stage:
    brand: Brand
    door: Door
    system: OtherSystem
    endpoint: WebhookEndpoint
    secret: str
    clock: Clock = field(default_factory=Clock)

    def accept(self, *numbers: int, **more: Any) -> None:
        """Events that come in and are resolved."""
        sent = [
            track(messageId=f"m-{n}", timestamp=utcnow().isoformat(), **{"properties": {"total": n}} | more)
            for n in numbers
        ]
        self.door.batch(*sent)
        resolve_inbox(self.clock.now)

    def deliver(self) -> None:
        deliver_due(self.clock, seconds=5)

    def deliveries(self) -> list[WebhookDelivery]:
        return list(WebhookDelivery.objects.order_by("event_id"))

    def only(self) -> WebhookDelivery:
        return WebhookDelivery.objects.get()

    def state(self) -> tuple[str, str, int, int]:
        one = self.only()
        return one.state, one.reason, one.tries, one.attempts

    def again(self) -> WebhookEndpoint:
        self.endpoint.refresh_from_db()
        return self.endpoint

    def signed_with(self, received: Received, secret: str) -> str:
        """The delivery's id, if the body is signed with this secret; else it raises."""
        signing = Signing("standard", "", "sha256", "base64", "", (secret,))
        return verify(signing, received.headers, received.body, self.clock.now)


def said(received: Received) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(received.body)
    return told


@contextmanager
def listening(settings: Any) -> Iterator[Stage]:
    with other_system() as system:
        settings.TRILHA_CALL_HOSTS = [f"127.0.0.1:{system.port}"]
        brand = Brand.objects.create(key="acme", name="Acme")
        source = Source.objects.create(brand=brand, key="shop", name="Shop")
        clock = Clock()
        endpoint = make_endpoint(brand, f"{system.url}/hooks", clock.now)
        yield Stage(brand, Door(source, keys.issue(source)[1]), system, endpoint[0], endpoint[1], clock)


def make_endpoint(brand: Brand, url: str, now: datetime, **more: Any) -> tuple[WebhookEndpoint, str]:
    values: dict[str, Any] = {"name": "Warehouse", "url": url, "events": [NAME], "owner": "Data team"}
    endpoint = WebhookEndpoint(brand=brand, **values | more)
    return endpoint, endpoints.keep(endpoint, now)
