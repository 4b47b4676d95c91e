"""The outbox: every message that was asked for, sent or not, and why."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.connector import Connector
from channels.models.template import TemplateVersion
from consent.models import Purpose
from customers.ids import new_id
from customers.models import Address, Brand, Profile
from customers.models.address import Channel


class Reason(models.TextChoices):
    """Why a message was not sent, or not yet."""

    # no permission
    NO_ADDRESS = "no_address", _("no address for the channel")
    NO_CONSENT = "no_consent", _("no consent")
    WITHDRAWN = "withdrawn", _("consent withdrawn")
    CONSENT_EXPIRED = "consent_expired", _("consent expired")
    CONSENT_UNSETTLED = "consent_unsettled", _("a consent of the person could not be applied yet")
    SUPPRESSED = "suppressed", _("address suppressed")
    ADDRESS_DUPLICATE = "address_duplicate", _("address already had this one")
    # overtaken by events
    ACTED = "acted", _("the person acted first")
    ENDED = "ended", _("the run had ended")
    MERGED = "merged", _("the run was merged into another")
    STOPPED = "stopped", _("sending was stopped")
    LATE = "late", _("past its not-later-than time")
    UNRESOLVED = "unresolved", _("an identity of the person is just being resolved")
    # trouble
    TEMPLATE_ERROR = "template_error", _("the template could not be rendered")
    MISSING_FIELD = "missing_field", _("a field the template needs is missing")
    CONNECTOR_OFF = "connector_off", _("the connector is switched off")
    REFUSED = "refused", _("the provider refused it")
    TROUBLE = "trouble", _("the provider was in trouble")
    INTERRUPTED = "interrupted", _("the call was interrupted")
    CRASHED = "crashed", _("its worker died each time")


class Message(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        HELD = "held", _("held")
        LEASED = "leased", _("leased")
        DISPATCHING = "dispatching", _("dispatching")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")
        SUPPRESSED = "suppressed", _("suppressed")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")

    class Origin(models.TextChoices):
        RUN = "run", _("journey run")
        BROADCAST = "broadcast", _("broadcast")
        CASE = "case", _("case")
        CONSENT = "consent", _("consent")
        TEST = "test", _("test")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("brand")
    )
    origin_kind = models.CharField(_("origin"), max_length=10, choices=Origin.choices)
    origin_id = models.CharField(_("origin id"), max_length=36)
    visit = models.IntegerField(_("visit"), help_text=_("Which visit of its step, by the run's sequence."))
    copy_key = models.CharField(
        _("copy key"),
        max_length=300,
        help_text=_("Journey, step and entry key, or broadcast: one address gets one copy a day."),
    )
    # What a stop names: the journey's, broadcast's or campaign's id.
    scope_id = models.UUIDField(_("scope"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    connector = models.ForeignKey(
        Connector, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("connector")
    )
    template_version = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("template")
    )
    purpose = models.ForeignKey(
        Purpose, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("purpose")
    )
    profile = models.ForeignKey(
        Profile, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("profile")
    )
    address = models.ForeignKey(
        Address,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("address"),
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"))
    due_at = models.DateTimeField(_("due at"))
    expires_at = models.DateTimeField(_("not later than"))
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    crashes = models.SmallIntegerField(
        _("crashes"), default=0, help_text=_("How often its worker died before the call.")
    )
    lease_token = models.BigIntegerField(_("lease"), null=True)
    leased_until = models.DateTimeField(_("leased until"), null=True)
    settled_at = models.DateTimeField(_("sent or settled at"), null=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    entry_consent_id = models.BigIntegerField(_("consent at entry"), null=True)
    send_consent_id = models.BigIntegerField(_("consent at send"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.UniqueConstraint(
                fields=("origin_id", "visit", "channel", "address", "origin_kind"),
                nulls_distinct=False,
                name="one_message_per_visit_and_address",
            ),
        )
        indexes = (
            # Read by dispatch: what may go out by this connector now?
            models.Index(
                fields=("connector", "due_at"),
                condition=models.Q(state__in=("queued", "held")),
                name="message_waiting",
            ),
            # Read by the sweep: whose worker died?
            models.Index(
                fields=("leased_until",),
                condition=models.Q(state__in=("leased", "dispatching")),
                name="message_in_hand",
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


class MessageContent(models.Model):
    """The personal part of a message: what it was rendered from, and what was rendered. Erasure deletes it."""

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="content"
    )
    context = models.JSONField(_("context"), help_text=_("The journey's variables the template sees."))
    subject = models.TextField(_("subject"), blank=True)
    body = models.TextField(_("body"), blank=True)

    class Meta:
        verbose_name = _("message content")
        verbose_name_plural = _("message contents")

    def __str__(self) -> str:
        return str(self.message_id)


class RecentSend(models.Model):
    """The last copy an address got of a step or broadcast; taken under the address's lock."""

    pk = models.CompositePrimaryKey("address_id", "copy_key")
    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="+", db_index=False)
    copy_key = models.CharField(_("copy key"), max_length=300)
    sent_at = models.DateTimeField(_("sent at"))
    message_id = models.UUIDField(_("message"))

    class Meta:
        verbose_name = _("recent send")
        verbose_name_plural = _("recent sends")

    def __str__(self) -> str:
        return f"{self.address_id} {self.copy_key}"
