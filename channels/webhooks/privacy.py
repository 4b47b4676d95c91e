"""What webhooks keep of people: that an event was told, and what was replied. What is told is made anew each time, so
what was erased is told no more."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from channels.models import WebhookAttempt, WebhookDelivery
from customers.privacy.phrases import namespace_of
from customers.privacy.stores import KEEP, Basis, Rank, Spoken, Store, Table
from customers.privacy.subject import Subject

_OWN: Final = "t.profile_id = ANY(%(profiles)s)"
_OF_DELIVERIES: Final = """
    t.delivery_id IN (SELECT d.id FROM channels_webhookdelivery d WHERE d.profile_id = ANY(%(profiles)s))
"""
_WHOSE: Final = "(SELECT d.profile_id FROM channels_webhookdelivery d WHERE d.id = t.delivery_id)"
_TO: Final = "(SELECT w.name FROM channels_webhookendpoint w WHERE w.id = {of})"
_CANCEL: Final = """
    UPDATE channels_webhookdelivery SET state = 'cancelled', reason = 'erased', settled_at = %s, lease_token = NULL
    WHERE id IN (
        SELECT id FROM channels_webhookdelivery WHERE profile_id = ANY(%s) AND state = ANY(%s) ORDER BY id FOR UPDATE
    )
"""


def cancel(subject: Subject, now: datetime) -> int:
    """What waits is not told any more; what somebody has in hand comes to its end."""
    return _cancel(subject, ["waiting"], now)


def stop(subject: Subject, now: datetime) -> int:
    """What somebody had in hand, nobody has any more."""
    return _cancel(subject, ["waiting", "sending"], now)


def _cancel(subject: Subject, states: list[str], now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CANCEL, [now, list(subject.profiles), states])
        return int(cursor.rowcount)


STORE: Final = Store(
    "outgoing_webhooks",
    _("outgoing webhooks"),
    _("Which systems were told of an event of somebody, and what those replied."),
    Basis.INTEREST,
    Rank.MESSAGES,
    (
        Table(
            WebhookAttempt,
            _OF_DELIVERIES,
            {"delivery": "t.delivery_id", "at": "t.at", "status": "t.status", "reply": "t.reply"},
            {"reply": "''"},
        ),
        Table(
            WebhookDelivery,
            _OWN,
            {
                "delivery": "t.id",
                "told": _TO.format(of="t.endpoint_id"),
                "event": "t.event_id",
                "name": "t.name",
                "state": "t.state",
                "at": "t.received_at",
            },
            KEEP,
            blocked="t.state = 'sending'",
        ),
    ),
    kept="webhook_deliveries",
    note=_("What waits is not told any more. That a system was told stays, without what it replied."),
    act=cancel,
    stop=stop,
    spoken=(Spoken(WebhookAttempt, ("reply",), namespace_of(_WHOSE)),),
)
