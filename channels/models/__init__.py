"""The tables of the act layer, one file an idea."""

from channels.models.callback import ProviderCallback, Receipt
from channels.models.care import BreakerTurn, ConnectorHour, ConnectorState
from channels.models.connector import Connector
from channels.models.conversation import Conversation, Inbound
from channels.models.exposure import Exposure
from channels.models.message import Message, MessageContent, Reason, RecentSend
from channels.models.pacing import PacingPolicy
from channels.models.stop import SendStop
from channels.models.template import Template, TemplateText, TemplateVersion
from channels.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "BreakerTurn",
    "Connector",
    "ConnectorHour",
    "ConnectorState",
    "Conversation",
    "Exposure",
    "Inbound",
    "Message",
    "MessageContent",
    "PacingPolicy",
    "ProviderCallback",
    "Reason",
    "Receipt",
    "RecentSend",
    "SendStop",
    "Template",
    "TemplateText",
    "TemplateVersion",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
