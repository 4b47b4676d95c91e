"""The tables of the act layer, one file an idea."""

from channels.models.approval import Approval, ApprovalList
from channels.models.block import BlockUse, ContentBlock, ContentBlockText, ContentBlockVersion
from channels.models.broadcast import (
    Broadcast,
    BroadcastMove,
    BroadcastProgress,
    BroadcastRecipient,
    BroadcastTally,
)
from channels.models.callback import ProviderCallback, Receipt
from channels.models.campaign import Campaign, CampaignMember
from channels.models.care import BreakerTurn, ConnectorHour, ConnectorState
from channels.models.connector import Connector
from channels.models.conversation import Conversation, Inbound
from channels.models.entitlement import Entitlement, EntitlementEntry, Origin
from channels.models.exposure import Exposure
from channels.models.image import Image, ImageAlt, ImageUse, StoredFile
from channels.models.message import Message, MessageContent, Reason, RecentSend
from channels.models.onscreen import InAppItem, WebPlacement, WebSlot, WebSlotText
from channels.models.pacing import PacingPolicy
from channels.models.product import AlsoViewed, CoView, Product, ProductText, Recommending
from channels.models.pulled import PulledCopy, PulledHost, PulledSource
from channels.models.push import PushSubscription
from channels.models.stop import SendStop
from channels.models.task import Task
from channels.models.template import Template, TemplateText, TemplateVersion
from channels.models.test_send import Seed, SeedList, TestSend
from channels.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "AlsoViewed",
    "Approval",
    "ApprovalList",
    "BlockUse",
    "BreakerTurn",
    "Broadcast",
    "BroadcastMove",
    "BroadcastProgress",
    "BroadcastRecipient",
    "BroadcastTally",
    "Campaign",
    "CampaignMember",
    "CoView",
    "Connector",
    "ConnectorHour",
    "ConnectorState",
    "ContentBlock",
    "ContentBlockText",
    "ContentBlockVersion",
    "Conversation",
    "Entitlement",
    "EntitlementEntry",
    "Exposure",
    "Image",
    "ImageAlt",
    "ImageUse",
    "InAppItem",
    "Inbound",
    "Message",
    "MessageContent",
    "Origin",
    "PacingPolicy",
    "Product",
    "ProductText",
    "ProviderCallback",
    "PulledCopy",
    "PulledHost",
    "PulledSource",
    "PushSubscription",
    "Reason",
    "Receipt",
    "RecentSend",
    "Recommending",
    "Seed",
    "SeedList",
    "SendStop",
    "StoredFile",
    "Task",
    "Template",
    "TemplateText",
    "TemplateVersion",
    "TestSend",
    "WebPlacement",
    "WebSlot",
    "WebSlotText",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
