"""The admin of the act layer, one file a subject."""

from channels.admin import (
    callbacks,
    care,
    connectors,
    conversations,
    exposures,
    messages,
    pacing,
    webhook_deliveries,
    webhooks,
    words,
)
from channels.admin.stopping import StopActions

__all__ = [
    "StopActions",
    "callbacks",
    "care",
    "connectors",
    "conversations",
    "exposures",
    "messages",
    "pacing",
    "webhook_deliveries",
    "webhooks",
    "words",
]
