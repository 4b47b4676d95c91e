"""The outbox: every message that was asked for, sent or not, and why."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.connector import Connector
from channels.models.template import TemplateVersion
from consent.models import Purpose
from customers.ids import new_id
from customers.models import Address, Brand, Profile
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.partner import OfNamedCustomer
from customers.personal import DOCUMENT, TEXT, personal
from customers.reach import ByBrand, Through

# That of a journey which names none, and of what no journey asked for.
USUAL_PRIORITY = 50


class SplitPart(models.Func):
    """The n-th part, from 1, of a text divided by a separator."""

    function = "split_part"
    output_field = models.CharField()

    def __init__(self, text: str, separator: str, number: int) -> None:
        super().__init__(text, models.Value(separator), models.Value(number))


class Reason(models.TextChoices):
    """Why a message was not sent, or not yet."""

    # no permission
    NO_ADDRESS = "no_address", _("no address for the channel")
    NO_CONSENT = "no_consent", _("no consent")
    WITHDRAWN = "withdrawn", _("consent withdrawn")
    CONSENT_EXPIRED = "consent_expired", _("consent expired")
    TOO_YOUNG = "too_young", _("too young to agree when they did, and no parent did")
    BASIS_ELSEWHERE = "basis_elsewhere", _("its legal basis is none under the law the person is under")
    NOT_INFORMED = "not_informed", _("which notice was shown is not known, as the law the person is under asks")
    CONSENT_UNSETTLED = "consent_unsettled", _("a consent of the person could not be applied yet")
    PAUSED = "paused", _("the person has paused messages")
    TOO_OFTEN = "too_often", _("more often than the person wants")
    CAPPED = "capped", _("as many as the cap allows")
    QUIET_HOURS = "quiet_hours", _("outside the hours for sending")
    SUPPRESSED = "suppressed", _("address suppressed")
    RESTRICTED = "restricted", _("the person had processing restricted")
    ADDRESS_DUPLICATE = "address_duplicate", _("address already had this one")
    NOT_SERVED = "not_served", _("the connector does not speak to this address, or no longer")
    WINDOW_CLOSED = "window_closed", _("nothing was written to us in the last 24 hours, and no template is approved")
    NOT_APPROVED = "not_approved", _("the provider does not let the template out, or not with what it would hold")
    # overtaken by events
    ACTED = "acted", _("the person acted first")
    ENDED = "ended", _("the run had ended")
    MERGED = "merged", _("the run was merged into another")
    MOVED = "moved", _("the run was moved to another version")
    STOPPED = "stopped", _("sending was stopped")
    ERASED = "erased", _("the person was erased")
    LATE = "late", _("past its not-later-than time")
    LEFT_SEGMENT = "left_segment", _("the person had left the segment")
    UNRESOLVED = "unresolved", _("an identity of the person is just being resolved")
    BUSY = "busy", _("another message or a change of the person is just in hand")
    ABORTED = "aborted", _("the template itself says not to send it")
    # trouble
    TEMPLATE_ERROR = "template_error", _("the template could not be rendered")
    TEMPLATE_LIMIT = "template_limit", _("the template would take more time or memory than a message may")
    PULL_FAILED = "pull_failed", _("what was to be pulled from another system could not be had")
    MISSING_FIELD = "missing_field", _("a field the template needs is missing")
    CONNECTOR_OFF = "connector_off", _("the connector is switched off")
    CONNECTOR_RESTS = "connector_rests", _("the connector rests, as its provider is in trouble")
    QUOTA = "quota", _("the connector's quota or money of the day is used up")
    REFUSED = "refused", _("the provider refused it")
    BOUNCED = "bounced", _("it bounced")
    TROUBLE = "trouble", _("the provider was in trouble")
    INTERRUPTED = "interrupted", _("the call was interrupted")
    CRASHED = "crashed", _("its worker died each time")


class Message(Owned):
    for_partners = OfNamedCustomer("profile__customer_id")

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
    # Which step of its journey asked for it, as the copy key says: a step's id has no colon.
    step_id = models.GeneratedField(
        expression=models.Case(
            models.When(origin_kind="run", then=SplitPart("copy_key", ":", 2)), default=models.Value("")
        ),
        output_field=models.CharField(max_length=300),
        db_persist=True,
        verbose_name=_("step"),
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
    detail = personal(models.CharField(_("detail"), max_length=500, blank=True), TEXT)
    priority = models.SmallIntegerField(
        _("priority"),
        default=USUAL_PRIORITY,
        db_default=USUAL_PRIORITY,
        help_text=_("Of its journey; where a cap leaves room for one, the higher goes first."),
    )
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
    address_verified_at = models.DateTimeField(
        _("address verified at"), null=True, help_text=_("As of the choice: the address last verified comes first.")
    )
    address_seen_at = models.DateTimeField(
        _("address seen at"), null=True, help_text=_("As of the choice: of addresses never verified, the last seen.")
    )
    addresses_known = models.SmallIntegerField(
        _("addresses known"), null=True, help_text=_("Of how many of the channel this one was chosen.")
    )
    locale = models.CharField(
        _("language"), max_length=20, blank=True, default="", db_default="", help_text=_("Of the text that was sent.")
    )
    decision = models.JSONField(
        _("decision"), null=True, help_text=_("Which guards were asked when it was to go, and the event that decided.")
    )

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = (("reconcile_message", _("Can say what became of unknown messages")),)
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
            # Read by the claim: what waits of each journey, so that none waits behind all of another.
            models.Index(
                fields=("connector", "scope_id", "due_at"),
                condition=models.Q(state__in=("queued", "held")),
                name="message_waiting_in_scope",
            ),
            # Read by the claim: those whose worker died before, mostly none.
            models.Index(
                fields=("connector", "due_at"),
                condition=models.Q(state__in=("queued", "held"), crashes__gt=0),
                name="message_suspect",
            ),
            # Read by the sweep: whose worker died?
            models.Index(
                fields=("leased_until",),
                condition=models.Q(state__in=("leased", "dispatching")),
                name="message_in_hand",
            ),
            # Read by the list of messages: the newest of all, of one journey, of those not sent, and for one reason.
            models.Index(fields=("created_at",), name="message_by_time"),
            models.Index(fields=("scope_id", "created_at"), name="message_by_scope"),
            models.Index(
                fields=("state", "created_at"),
                condition=models.Q(state__in=("held", "suppressed", "failed", "unknown", "expired", "cancelled")),
                name="message_not_sent",
            ),
            models.Index(fields=("reason", "created_at"), condition=~models.Q(reason=""), name="message_by_reason"),
            # Read by a send to whom wants marketing no oftener than so: when had the address its last one?
            models.Index(
                fields=("address", "settled_at"),
                condition=models.Q(state__in=("sent", "delivered", "opened", "clicked", "unknown")),
                name="message_taken",
            ),
            # Read by a send under a cap: what did the profiles of the customer get lately, and what is in hand?
            models.Index(
                fields=("profile", "settled_at"),
                condition=models.Q(
                    state__in=(
                        *("queued", "held", "leased", "dispatching"),
                        *("sent", "delivered", "opened", "clicked", "unknown"),
                    )
                ),
                name="message_of_person",
            ),
            # Read by receipts: which message did the provider call so?
            models.Index(
                fields=("provider_id", "connector"), condition=~models.Q(provider_id=""), name="message_by_provider_id"
            ),
            # Read where the days of a step are counted, from the index alone.
            models.Index(
                fields=("scope_id", "settled_at"),
                include=("step_id", "state", "reason", "profile"),
                condition=models.Q(settled_at__isnull=False),
                name="message_settled",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.get_state_display()}"


class MessageContent(Owned):
    """The personal part of a message: what it was rendered from, and what was rendered. Erasure deletes it."""

    reach = ByBrand("message__brand")

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="content"
    )
    context = personal(
        models.JSONField(_("context"), help_text=_("The journey's variables the template sees.")), DOCUMENT
    )
    journey = personal(
        models.JSONField(_("journey"), null=True, help_text=_("Its typed variables, where the template names any.")),
        DOCUMENT,
    )
    subject = personal(models.TextField(_("subject"), blank=True), TEXT)
    body = personal(models.TextField(_("body"), blank=True), TEXT)
    # Written before the provider has it, and never taken back: whoever follows a link is led by it.
    links = personal(
        models.JSONField(
            _("links"),
            default=list,
            db_default=models.Value([], models.JSONField()),
            help_text=_("Where its tracked links lead, by their number from 0."),
        ),
        DOCUMENT,
    )

    pulled = personal(
        models.JSONField(_("pulled"), null=True, help_text=_("What its words took from other systems.")), DOCUMENT
    )

    class Meta:
        verbose_name = _("message content")
        verbose_name_plural = _("message contents")

    def __str__(self) -> str:
        return str(self.message_id)


class RecentSend(Owned):
    """The last copy an address got of a step or broadcast; taken under the address's lock."""

    reach = Through("message_id", "channels.Message")

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
