"""The company's three ways to go, written for both brands alike."""

from collections.abc import Mapping
from typing import Any, Final

from config.demo.brands import MARKETING, SERVICE

Document = dict[str, Any]

ONBOARDING: Final[Document] = {
    "purpose": MARKETING,
    "states": [
        {"name": "not_activated", "kind": "initial"},
        {"name": "activated", "kind": "success"},
        {"name": "gave_up", "kind": "failure"},
    ],
    "transitions": [("not_activated", "activated"), ("not_activated", "gave_up")],
    "entry": {"event": "customer.registered", "reentry": "never"},
    "steps": [
        {"type": "message", "id": "welcome", "state": "not_activated", "channel": "email", "connector": "mail",
         "template": "welcome", "next": "settle"},
        {"type": "hold", "id": "settle", "state": "not_activated",
         "branches": [{"event": "account.activated", "next": "activated"}],
         "timeout": {"after": "P2D", "next": "nudge"}},
        {"type": "message", "id": "nudge", "state": "not_activated", "channel": "push", "connector": "push",
         "template": "taste-push", "next": "think"},
        {"type": "hold", "id": "think", "state": "not_activated",
         "branches": [{"event": "account.activated", "next": "activated"}],
         "timeout": {"after": "P3D", "next": "last-call"}},
        {"type": "message", "id": "last-call", "state": "not_activated", "channel": "email", "connector": "mail",
         "template": "taste-last", "next": "last-days"},
        {"type": "hold", "id": "last-days", "state": "not_activated",
         "branches": [{"event": "account.activated", "next": "activated"}],
         "timeout": {"after": "P4D", "next": "lost"}},
        {"type": "exit", "id": "activated", "state": "activated"},
        {"type": "exit", "id": "lost", "state": "gave_up"},
    ],
}  # fmt: skip

PAYMENT: Final[Document] = {
    "purpose": SERVICE,
    "states": [
        {"name": "payment_pending", "kind": "initial"},
        {"name": "paid", "kind": "success"},
        {"name": "cancelled", "kind": "failure"},
    ],
    "transitions": [("payment_pending", "paid"), ("payment_pending", "cancelled")],
    "entry": {"event": "payment.pending", "key": "order_id", "reentry": "always"},
    "exit_events": [{"event": "order.cancelled", "key": "order_id", "state": "cancelled", "outcome": "cancelled"}],
    "steps": [
        {"type": "hold", "id": "first-hour", "state": "payment_pending",
         "branches": [{"event": "payment.completed", "key": "order_id", "next": "paid"}],
         "timeout": {"after": "PT1H", "next": "how"}},
        {"type": "split", "id": "how", "state": "payment_pending",
         "branches": [{"rule": {"leaf": "event_property", "name": "method", "op": "in",
                                "value": ["pix", "boleto", "bank_transfer"]},
                       "next": "remind-code"}],
         "otherwise": "remind"},
        {"type": "message", "id": "remind-code", "state": "payment_pending", "channel": "email", "connector": "mail",
         "template": "pay-code", "next": "first-day"},
        {"type": "message", "id": "remind", "state": "payment_pending", "channel": "email", "connector": "mail",
         "template": "pay-other", "next": "first-day"},
        {"type": "hold", "id": "first-day", "state": "payment_pending",
         "branches": [{"event": "payment.completed", "key": "order_id", "next": "paid"}],
         "timeout": {"after": "PT23H", "next": "warn"}},
        {"type": "message", "id": "warn", "state": "payment_pending", "channel": "sms", "connector": "sms",
         "template": "pay-sms", "next": "second-day"},
        {"type": "hold", "id": "second-day", "state": "payment_pending",
         "branches": [{"event": "payment.completed", "key": "order_id", "next": "paid"}],
         "timeout": {"after": "P1D", "next": "unpaid"}},
        {"type": "exit", "id": "paid", "state": "paid"},
        {"type": "exit", "id": "unpaid", "state": "cancelled"},
    ],
}  # fmt: skip

CART: Final[Document] = {
    "purpose": MARKETING,
    "states": [
        {"name": "cart_open", "kind": "initial"},
        {"name": "bought", "kind": "success"},
        {"name": "abandoned", "kind": "failure"},
    ],
    "transitions": [("cart_open", "bought"), ("cart_open", "abandoned")],
    "entry": {"event": "cart.created", "key": "cart_id", "reentry": "always"},
    "exit_events": [{"event": "cart.emptied", "key": "cart_id", "state": "abandoned", "outcome": "emptied"}],
    "steps": [
        {"type": "hold", "id": "half-hour", "state": "cart_open",
         "branches": [{"event": "order.completed", "key": "cart_id", "next": "bought"}],
         "timeout": {"after": "PT30M", "next": "push"}},
        {"type": "message", "id": "push", "state": "cart_open", "channel": "push", "connector": "push",
         "template": "cart-push", "not_later_than": "PT2H", "next": "next-day"},
        {"type": "hold", "id": "next-day", "state": "cart_open",
         "branches": [{"event": "order.completed", "key": "cart_id", "next": "bought"}],
         "timeout": {"after": "PT23H30M", "next": "whatsapp"}},
        {"type": "message", "id": "whatsapp", "state": "cart_open", "channel": "whatsapp", "connector": "whatsapp",
         "template": "cart-whatsapp", "next": "decide"},
        {"type": "hold", "id": "decide", "state": "cart_open",
         "branches": [{"event": "order.completed", "key": "cart_id", "next": "bought"}],
         "timeout": {"after": "P2D", "next": "abandoned"}},
        {"type": "exit", "id": "bought", "state": "bought"},
        {"type": "exit", "id": "abandoned", "state": "abandoned"},
    ],
}  # fmt: skip

JOURNEYS: Final[Mapping[str, tuple[str, str, str, Document]]] = {
    # key: name, description, squad, document
    "onboarding": (
        "Onboarding",
        "From a new account (Not Activated) to a filled-in taste profile (Activated).",
        "Welcome",
        ONBOARDING,
    ),
    "payment-recovery": (
        "Payment recovery",
        "From an order without its money (Payment Pending) to Paid: a mail after an hour, an SMS the next day.",
        "Checkout",
        PAYMENT,
    ),
    "abandoned-cart": (
        "Abandoned cart",
        "A push after 30 minutes, WhatsApp after 24 hours, each cart for itself; over as soon as it is ordered.",
        "Checkout",
        CART,
    ),
}
