"""How long the words of messages are kept, and what other systems were told; that a message was sent stays known."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from channels.models import Message
from customers.retention.kinds import Kind

_State = Message.State
_NOT_OVER: Final = ", ".join(
    f"'{state.value}'" for state in (_State.QUEUED, _State.HELD, _State.LEASED, _State.DISPATCHING, _State.UNKNOWN)
)
_ENDPOINT: Final = "channels_webhookendpoint w WHERE w.id = t.endpoint_id"
CALLBACKS: Final = Kind(
    "provider_callbacks",
    _("calls of providers"),
    _("What waits to be read stays; what was read of it stays as receipts and conversations."),
    30,
    table="channels_providercallback",
    time="t.read_at",
    brand="(SELECT c.brand_id FROM channels_connector c WHERE c.id = t.connector_id)",
)
CONTENTS: Final = Kind(
    "message_contents",
    _("words of messages"),
    _("Of a message that may yet be sent, or of which nobody knows whether it was, the words stay."),
    90,
    table="channels_messagecontent",
    time=f"(SELECT m.settled_at FROM channels_message m WHERE m.id = t.message_id AND m.state NOT IN ({_NOT_OVER}))",
    brand="(SELECT m.brand_id FROM channels_message m WHERE m.id = t.message_id)",
)
KINDS: Final = (
    CONTENTS,
    CALLBACKS,
    Kind(
        "in_app_items",
        _("items of in-app inboxes"),
        _("Counted from the moment at which it is no longer shown."),
        30,
        table="channels_inappitem",
        time="t.expires_at",
        brand="t.brand_id",
    ),
    Kind(
        "web_placements",
        _("contents of web slots"),
        _("Counted from the moment at which it is no longer shown. With them go the numbers of their slots."),
        90,
        table="channels_webplacement",
        time="t.expires_at",
        brand="t.brand_id",
    ),
    Kind(
        "test_sends",
        _("test sends"),
        _("Who got a test, and what became of it."),
        90,
        table="channels_testsend",
        time="t.settled_at",
        brand="t.brand_id",
    ),
    Kind(
        "webhook_replies",
        _("attempts to deliver webhooks, and the replies"),
        _("How a delivery ended stays as long as the delivery."),
        30,
        table="channels_webhookattempt",
        time="t.at",
        brand=f"(SELECT w.brand_id FROM {_ENDPOINT})",
    ),
    Kind(
        "webhook_deliveries",
        _("deliveries of webhooks"),
        _("One that waits stays, unless its endpoint was switched off as long ago. What is gone is not replayed."),
        90,
        table="channels_webhookdelivery",
        time=f"coalesce(t.settled_at, (SELECT w.off_at FROM {_ENDPOINT}))",
        where="NOT EXISTS (SELECT 1 FROM channels_webhookattempt a WHERE a.delivery_id = t.id)",
        brand=f"(SELECT w.brand_id FROM {_ENDPOINT})",
    ),
)
