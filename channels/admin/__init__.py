"""The admin of the act layer, one file a subject."""

from channels.admin import connectors, exposures, messages, webhook_deliveries, webhooks, words
from channels.admin.stopping import StopActions

__all__ = ["StopActions", "connectors", "exposures", "messages", "webhook_deliveries", "webhooks", "words"]
