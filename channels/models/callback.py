"""What providers call us back with: the call as it came, and each thing it says of a message."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from channels.models.message import Message
from customers.models.owned import Owned
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand


class ProviderCallback(Owned):
    """One call, verified, kept before anything in it is believed. `key` tells a repetition by its very bytes."""

    reach = ByBrand("connector__brand", squad="connector__squad")

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("callback", "waiting")
        DONE = "done", pgettext_lazy("callback", "read")
        UNHANDLED = "unhandled", pgettext_lazy("callback", "unhandled")
        FAILED = "failed", pgettext_lazy("callback", "failed")

    id = models.BigAutoField(primary_key=True)
    connector = models.ForeignKey(
        Connector, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("connector")
    )
    received_at = models.DateTimeField(_("received at"))
    key = models.UUIDField(_("key"), unique=True)
    content_type = models.CharField(_("content type"), max_length=200, blank=True)
    query = personal(models.TextField(_("query"), blank=True), TEXT)
    headers = personal(models.JSONField(_("headers"), default=dict), DOCUMENT)
    body = personal(models.BinaryField(_("body")), TEXT)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    told = models.PositiveIntegerField(_("things told"), default=0)
    repeats = models.PositiveIntegerField(_("came again"), default=0)

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        ordering = ("-id",)
        indexes = (
            # Read by the stage that reads them.
            models.Index(fields=("id",), condition=models.Q(status="waiting"), name="callback_waiting"),
            # Read by a connector's page: what came lately.
            models.Index(fields=("connector", "received_at"), name="callback_by_connector"),
        )

    def __str__(self) -> str:
        return f"{self.connector_id} {self.id}"


class Receipt(Owned):
    """One thing a provider says of a message, or that a tracked address of ours was asked for. Until `applied_at` it
    waits for its message, or for it to be free."""

    reach = ByBrand("connector__brand", squad="connector__squad")

    class Happened(models.TextChoices):
        """In the order in which things go well, then those that do not."""

        SENT = "sent", pgettext_lazy("receipt", "sent on")
        DELIVERED = "delivered", pgettext_lazy("receipt", "delivered")
        OPENED = "opened", pgettext_lazy("receipt", "opened")
        CLICKED = "clicked", pgettext_lazy("receipt", "clicked")
        DELAYED = "delayed", pgettext_lazy("receipt", "delayed")
        BOUNCED = "bounced", pgettext_lazy("receipt", "bounced for good")
        SOFT_BOUNCED = "soft_bounced", pgettext_lazy("receipt", "bounced for now")
        FAILED = "failed", pgettext_lazy("receipt", "failed")
        COMPLAINED = "complained", pgettext_lazy("receipt", "reported as spam")
        UNSUBSCRIBED = "unsubscribed", pgettext_lazy("receipt", "unsubscribed")

    class Outcome(models.TextChoices):
        MOVED = "moved", _("moved the message on")
        KNOWN = "known", _("changed nothing")
        UNMATCHED = "unmatched", _("no message of ours")

    id = models.BigAutoField(primary_key=True)
    connector = models.ForeignKey(
        Connector, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("connector")
    )
    callback = models.ForeignKey(
        ProviderCallback,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("callback"),
    )
    message = models.ForeignKey(
        Message,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="receipts",
        verbose_name=_("message"),
    )
    # By which the message is found: ours where the provider repeats it, else the provider's.
    message_key = models.UUIDField(_("key of the message"), null=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    happened = models.CharField(_("what happened"), max_length=12, choices=Happened.choices)
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received at"))
    code = models.CharField(_("code"), max_length=60, blank=True, help_text=_("The provider's own."))
    detail = personal(models.CharField(_("detail"), max_length=300, blank=True), TEXT)
    is_machine = models.BooleanField(
        _("by a machine"), default=False, help_text=_("Opened or clicked by a filter or a proxy, not by a person.")
    )
    link = models.SmallIntegerField(
        _("link"), null=True, help_text=_("Of the message’s tracked links the number of the one that was followed.")
    )
    key = models.UUIDField(_("key"), unique=True, help_text=_("The same thing told again is known by it."))
    look_at = models.DateTimeField(_("looked at next"))
    tries = models.SmallIntegerField(_("looks"), default=0)
    applied_at = models.DateTimeField(_("applied at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, blank=True)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ("-id",)
        indexes = (
            # Read by the stage that applies them.
            models.Index(fields=("look_at", "id"), condition=models.Q(applied_at__isnull=True), name="receipt_waiting"),
            # Read by a message's page.
            models.Index(
                fields=("message", "id"), condition=models.Q(message__isnull=False), name="receipt_by_message"
            ),
            # Read where soft bounces of an address are counted, by its messages.
            models.Index(fields=("message",), condition=models.Q(happened="soft_bounced"), name="receipt_soft_bounces"),
            # Read by a connector's page.
            models.Index(fields=("connector", "received_at"), name="receipt_by_connector"),
            # Read where it is weighed who followed a link: what else of the message was followed then?
            models.Index(fields=("message_key", "at"), condition=models.Q(link__isnull=False), name="receipt_by_link"),
        )

    def __str__(self) -> str:
        return f"{self.happened} {self.message_id or self.provider_id}"


# What a person has done, or a machine of theirs.
ENGAGED: Final = frozenset({Receipt.Happened.OPENED, Receipt.Happened.CLICKED})
