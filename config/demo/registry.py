"""The events the company has agreed on: names, meanings, roles and schemas."""

from typing import Any, Final, NamedTuple

from customers.models import Brand, EventType, SchemaVersion, Source, SourceEventType

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 200}
_CENTS: Final = {"type": "integer", "minimum": 0}
_CURRENCY: Final = {"type": "string", "pattern": "^[A-Z]{3}$"}
_ITEMS: Final = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["sku", "quantity", "price"],
        "properties": {"sku": _TEXT, "name": _TEXT, "quantity": {"type": "integer", "minimum": 1}, "price": _CENTS},
    },
}
_MONEY: Final = {"total": _CENTS, "currency": _CURRENCY}
Role = EventType.Role


class Planned(NamedTuple):
    """An event type: what it means, its role with the properties that matter, and what it must say."""

    name: str
    description: str
    required: tuple[str, ...]
    properties: dict[str, Any]
    role: str = ""
    amount: str = ""
    key: str = ""


PLANNED: Final = (
    Planned(
        "product.viewed",
        "Somebody looked at a product, logged in or not.",
        ("sku",),
        {"sku": _TEXT},
        Role.VIEW,
        key="sku",
    ),
    Planned(
        "customer.registered",
        "An account was made in the shop, the app or a store. The state is Not Activated.",
        ("channel",),
        {"channel": {"enum": ["web", "app", "store"]}},
    ),
    Planned("login.succeeded", "Somebody logged in to the shop or the app.", (), {}),
    Planned(
        "account.activated",
        "The taste profile is filled in: from now on the coffee fits. The state is Activated.",
        ("favourite",),
        {"favourite": _TEXT},
        Role.ACTIVATION,
    ),
    Planned("app.opened", "The app was opened.", (), {"version": _TEXT}, Role.FEATURE_USED),
    Planned(
        "cart.created",
        "Something was put into an empty cart.",
        ("cart_id", "items", "total", "currency"),
        {"cart_id": _TEXT, "items": _ITEMS, "item_name": _TEXT, **_MONEY},
        key="cart_id",
    ),
    Planned("cart.emptied", "Everything was taken out again.", ("cart_id",), {"cart_id": _TEXT}, key="cart_id"),
    Planned(
        "order.completed",
        "An order was placed; it may still have to be paid.",
        ("order_id", "items", "total", "currency"),
        {"order_id": _TEXT, "cart_id": _TEXT, "items": _ITEMS, "payment_method": _TEXT, **_MONEY},
        Role.ORDER,
        "total",
        "order_id",
    ),
    Planned(
        "payment.pending",
        "The order waits for its payment. The state is Payment Pending.",
        ("order_id", "method", "total", "currency"),
        {"order_id": _TEXT, "method": _TEXT, "pay_until": _TEXT, **_MONEY},
        key="order_id",
    ),
    Planned(
        "payment.completed",
        "The money is here. The state is Paid.",
        ("order_id", "total", "currency"),
        {"order_id": _TEXT, **_MONEY},
        key="order_id",
    ),
    Planned("order.delayed", "It comes later than promised.", ("order_id",), {"order_id": _TEXT}, key="order_id"),
    Planned("order.cancelled", "The order will not be delivered.", ("order_id",), {"order_id": _TEXT}, key="order_id"),
    Planned(
        "order.refunded",
        "Money was given back.",
        ("order_id", "total", "currency"),
        {"order_id": _TEXT, **_MONEY},
        Role.REFUND,
        "total",
        "order_id",
    ),
    Planned("store.visited", "A card was shown at the counter.", ("store",), {"store": _TEXT}),
    Planned(
        "store.purchased",
        "Something was bought at the counter.",
        ("receipt_id", "store", "total", "currency"),
        {"receipt_id": _TEXT, "store": _TEXT, **_MONEY},
        Role.ORDER,
        "total",
        "receipt_id",
    ),
    Planned(
        "subscription.started",
        "Coffee will come every month.",
        ("subscription_id",),
        {"subscription_id": _TEXT, "sku": _TEXT},
        key="subscription_id",
    ),
    Planned(
        "subscription.cancelled",
        "No more coffee every month.",
        ("subscription_id",),
        {"subscription_id": _TEXT, "cause": _TEXT},
        Role.CANCELLED,
        key="subscription_id",
    ),
    Planned(
        "support.contacted",
        "Somebody asked for help.",
        ("ticket_id", "topic"),
        {"ticket_id": _TEXT, "topic": _TEXT},
        Role.CONTACT,
        key="ticket_id",
    ),
    Planned(
        "support.resolved",
        "The question is answered.",
        ("ticket_id",),
        {"ticket_id": _TEXT},
        Role.RESOLVED,
        key="ticket_id",
    ),
)


# Since its second version a subscription is cancelled for a reason. The shop still speaks of a cause.
_RENAMED: Final = "subscription.cancelled"
_UPCAST: Final = [{"op": "rename", "property": "cause", "to": "reason"}]


def plan_events(brand: Brand) -> None:
    """Register every event type for the brand, its first version approved; one has a second."""
    for planned in PLANNED:
        type_ = EventType.objects.create(
            brand=brand,
            name=planned.name,
            description=planned.description,
            role=planned.role,
            amount_property=planned.amount,
            currency_property="currency" if planned.amount else "",
            key_property=planned.key,
        )
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": list(planned.required),
            "properties": planned.properties,
        }
        SchemaVersion.objects.create(event_type=type_, number=1, schema=schema, status=SchemaVersion.Status.APPROVED)
    _second_version(EventType.objects.get(brand=brand, name=_RENAMED))


def _second_version(type_: EventType) -> None:
    first = type_.versions.get()
    properties = {"reason" if name == "cause" else name: held for name, held in first.schema["properties"].items()}
    SchemaVersion.objects.create(
        event_type=type_,
        number=2,
        schema=first.schema | {"properties": properties},
        upcast=_UPCAST,
        status=SchemaVersion.Status.APPROVED,
        follows=first,
    )
    shop = Source.objects.get(brand=type_.brand, key="shop")
    SourceEventType.objects.create(source=shop, event_type=type_, default_version=first.number)
