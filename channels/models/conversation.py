"""What people write to us: a conversation for each address of a channel, and what came in it."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from channels.models.message import Message
from customers.ids import new_id
from customers.models import Address, Brand, Profile
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.personal import TEXT, personal
from customers.reach import ByBrand


class Conversation(Owned):
    reach = ByBrand("brand")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    connector = models.ForeignKey(
        Connector, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("last came by")
    )
    address = models.ForeignKey(
        Address,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("address"),
    )
    # Of several who share the address the one it was last seen with.
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("profile"),
    )
    began_at = models.DateTimeField(_("began at"))
    last_at = models.DateTimeField(_("last heard from at"))
    is_unread = models.BooleanField(pgettext_lazy("conversation", "unread"), default=True)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        ordering = ("-last_at",)
        constraints = (
            models.UniqueConstraint(fields=("address", "brand", "channel"), name="one_conversation_per_address"),
        )
        indexes = (
            # Read by the list: what came last, of a brand.
            models.Index(fields=("brand", "last_at"), name="conversation_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.id}"


class Inbound(Owned):
    """One thing that somebody wrote. `key` tells one that is handed in again."""

    reach = ByBrand("conversation__brand")

    class Meaning(models.TextChoices):
        STOP = "stop", pgettext_lazy("keyword", "stop")
        START = "start", pgettext_lazy("keyword", "start")
        HELP = "help", pgettext_lazy("keyword", "help")

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, db_index=False, related_name="inbound", verbose_name=_("conversation")
    )
    key = models.UUIDField(_("key"), unique=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    about = models.ForeignKey(
        Message,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("in answer to"),
    )
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received at"))
    text = personal(models.TextField(_("text"), blank=True), TEXT)
    attachments = models.PositiveSmallIntegerField(_("attachments"), default=0)
    meaning = models.CharField(
        _("keyword"), max_length=5, choices=Meaning.choices, blank=True, help_text=_("Was done at once.")
    )
    suggestion = models.CharField(
        _("suggested"), max_length=5, choices=Meaning.choices, blank=True, help_text=_("For a person to decide.")
    )

    class Meta:
        verbose_name = _("message received")
        verbose_name_plural = _("messages received")
        ordering = ("-id",)
        indexes = (
            # Read by a conversation's page.
            models.Index(fields=("conversation", "id"), name="inbound_by_conversation"),
        )

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.id}"
