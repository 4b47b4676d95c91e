"""The tables of the act layer, one file an idea."""

from channels.models.connector import Connector
from channels.models.exposure import Exposure
from channels.models.message import Message, MessageContent, Reason, RecentSend
from channels.models.pacing import PacingPolicy
from channels.models.stop import SendStop
from channels.models.template import Template, TemplateText, TemplateVersion

__all__ = [
    "Connector",
    "Exposure",
    "Message",
    "MessageContent",
    "PacingPolicy",
    "Reason",
    "RecentSend",
    "SendStop",
    "Template",
    "TemplateText",
    "TemplateVersion",
]
