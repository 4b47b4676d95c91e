"""The loop's world: a brand with its mail connectors, its words and its three journeys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from channels.models import Connector, Template, TemplateText, TemplateVersion
from config.loop.tour import CONNECTORS, TEXTS, TOUR, connect
from consent.models import Purpose
from customers import keys
from customers.models import Brand, EventType, SchemaVersion, Source
from journeys.models import Journey
from journeys.publish import publish

# How long a hold waits, in seconds; the events that end one are sent well within.
HOLD_SECONDS: Final = 8
PURPOSE: Final = "news"

ONBOARDING: Final[dict[str, Any]] = {
    "purpose": PURPOSE,
    "states": [
        {"name": "new", "kind": "initial"},
        {"name": "active", "kind": "success"},
        {"name": "quiet"},
        {"name": "reminded", "kind": "failure"},
    ],
    "transitions": [("new", "active"), ("new", "quiet"), ("quiet", "reminded")],
    "entry": {"event": "customer.signed_up"},
    "steps": [
        {"id": "welcome", "type": "message", "state": "new", "channel": "email", "connector": "mail",
         "template": "welcome", "next": "log-in"},
        {"id": "log-in", "type": "hold", "state": "new",
         "branches": [{"event": "login.succeeded", "next": "activated"}],
         "timeout": {"after": f"PT{HOLD_SECONDS}S", "next": "which"}},
        {"id": "activated", "type": "exit", "state": "active"},
        {"id": "which", "type": "split", "state": "quiet",
         "branches": [{"rule": {"leaf": "event_property", "name": "plan", "op": "eq", "value": "slow"},
                       "next": "remind-slowly"}],
         "otherwise": "remind"},
        {"id": "remind", "type": "message", "state": "quiet", "channel": "email", "connector": "mail",
         "template": "reminder", "next": "over"},
        {"id": "remind-slowly", "type": "message", "state": "quiet", "channel": "email",
         "connector": "slow-mail", "template": "reminder", "next": "over"},
        {"id": "over", "type": "exit", "state": "reminded"},
    ],
}  # fmt: skip

CART: Final[dict[str, Any]] = {
    "purpose": PURPOSE,
    "states": [
        {"name": "open", "kind": "initial"},
        {"name": "bought", "kind": "success"},
        {"name": "left", "kind": "failure"},
    ],
    "transitions": [("open", "bought"), ("open", "left")],
    "entry": {"event": "cart.created", "key": "cart_id", "reentry": "always"},
    "steps": [
        {"id": "order", "type": "hold", "state": "open",
         "branches": [{"event": "order.completed", "key": "cart_id", "next": "bought"}],
         "timeout": {"after": f"PT{HOLD_SECONDS}S", "next": "recall"}},
        {"id": "bought", "type": "exit", "state": "bought"},
        {"id": "recall", "type": "message", "state": "open", "channel": "email", "connector": "mail",
         "template": "cart", "next": "left"},
        {"id": "left", "type": "exit", "state": "left"},
    ],
}  # fmt: skip

RECEIPT: Final[dict[str, Any]] = {
    "purpose": PURPOSE,
    "states": [{"name": "asked", "kind": "initial"}, {"name": "told", "kind": "success"}],
    "transitions": [("asked", "told")],
    "entry": {
        "event": "receipt.asked",
        "guard": "none",
        "guard_reason": "Whoever asks gets as far as the send, where the present permission decides.",
    },
    "steps": [
        {"id": "receipt", "type": "message", "state": "asked", "channel": "email", "connector": "mail",
         "template": "receipt", "next": "told"},
        {"id": "told", "type": "exit", "state": "told"},
    ],
}  # fmt: skip

JOURNEYS: Final = {"onboarding": ONBOARDING, "cart": CART, "receipt": RECEIPT, "tour": TOUR}
SUBJECTS: Final = {
    "welcome": "Welcome, {{ customer.first_name }}",
    "reminder": "Still there, {{ customer.first_name }}?",
    "cart": "Your cart {{ event.cart_id }}",
    "receipt": "Your receipt",
    "letter": "Your trip {{ event.code }}",
    "gift": "Your gift {{ journey.gift }}",
}
ORDER_SCHEMA: Final = {
    "type": "object",
    "required": ["cart_id", "total"],
    "properties": {"cart_id": {"type": "string"}, "total": {"type": "integer", "minimum": 0}},
}


@dataclass(frozen=True, slots=True)
class World:
    """What the scenario needs to know of the world."""

    write_key: str
    journeys: dict[str, UUID]
    slow_connector: UUID


def build(smtp_port: int, spoken: Mapping[str, Any], now: datetime) -> World:
    """Make the brand with all it needs and publish its journeys; `spoken` is how other systems are spoken to."""
    brand = Brand.objects.create(
        key="aurora", name="Aurora", sender_name="Aurora", sender_email="hello@aurora.example.com"
    )
    source = Source.objects.create(brand=brand, key="shop", name="Shop")
    Purpose.objects.create(brand=brand, key=PURPOSE, name="News", kind=Purpose.Kind.MARKETING)
    order = EventType.objects.create(brand=brand, name="order.completed", role=EventType.Role.ORDER)
    SchemaVersion.objects.create(event_type=order, number=1, schema=ORDER_SCHEMA, status=SchemaVersion.Status.APPROVED)
    config = {"host": "127.0.0.1", "port": smtp_port, "security": "none"}
    _connector(brand, "mail", config, concurrency=4)
    slow = _connector(brand, "slow-mail", config, concurrency=1)
    connect(brand, spoken)
    for key, subject in SUBJECTS.items():
        _template(brand, key, subject)
    for key, (text, options) in TEXTS.items():
        _words(brand, key, CONNECTORS[key][0], text, options)
    journeys = {key: _journey(brand, key, document, now) for key, document in JOURNEYS.items()}
    _key, plaintext = keys.issue(source)
    return World(plaintext, journeys, slow.id)


def _connector(brand: Brand, key: str, config: dict[str, Any], concurrency: int) -> Connector:
    return Connector.objects.create(
        brand=brand, key=key, name=key, channel="email", provider="smtp", config=config, concurrency=concurrency
    )


def _template(brand: Brand, key: str, subject: str) -> None:
    template = Template.objects.create(brand=brand, key=key, name=key, channel="email")
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(
        version=version,
        locale="en",
        subject=subject,
        html=f"<p>{subject}</p><p><a href='{{{{ unsubscribe_url }}}}'>No more of this</a></p>",
        text=f"{subject}\n\nNo more of this: {{{{ unsubscribe_url }}}}",
    )


def _words(brand: Brand, key: str, channel: str, text: str, options: dict[str, Any]) -> None:
    template = Template.objects.create(brand=brand, key=key, name=key, channel=channel)
    version = TemplateVersion.objects.create(template=template, number=1)
    TemplateText.objects.create(version=version, locale="en", subject="Aurora", text=text, options=options)


def _journey(brand: Brand, key: str, document: dict[str, Any], now: datetime) -> UUID:
    journey = Journey.objects.create(brand=brand, key=key, name=key)
    publish(journey, document, by=None, now=now)
    return journey.id
