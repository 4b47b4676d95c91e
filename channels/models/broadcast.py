"""Broadcasts: one message to everybody in a segment, at a moment, a few of them first if wanted."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from channels.models.message import USUAL_PRIORITY, Reason
from channels.models.template import Template, TemplateVersion
from consent.models import Purpose
from customers.ids import new_id
from customers.models import Brand, Profile, Segment, Squad
from customers.models.address import Channel
from customers.models.owned import Owned
from customers.partner import InBrand
from customers.reach import ByBrand

_PERCENT = (MinValueValidator(0.0), MaxValueValidator(100.0))
MOST_PER_MINUTE = 1_000_000


class Broadcast(Owned):
    """What is to go to whom and when, and how far it is. Once it is started nothing of it changes but its state."""

    for_partners = InBrand()

    class State(models.TextChoices):
        """Each is left only for those that `channels.broadcasts.states` names."""

        DRAFT = "draft", pgettext_lazy("broadcast", "draft")
        SCHEDULED = "scheduled", pgettext_lazy("broadcast", "scheduled")
        # Whoever is in the segment as it starts is written down.
        ENROLLING = "enrolling", pgettext_lazy("broadcast", "taking people in")
        PILOT = "pilot", pgettext_lazy("broadcast", "sending to the pilot group")
        # For the pilot's numbers, or for a person's word.
        WAITING = "waiting", pgettext_lazy("broadcast", "waiting on the pilot group")
        SENDING = "sending", pgettext_lazy("broadcast", "sending")
        PAUSED = "paused", pgettext_lazy("broadcast", "paused")
        STOPPED = "stopped", pgettext_lazy("broadcast", "stopped")
        DONE = "done", pgettext_lazy("broadcast", "done")

    class When(models.TextChoices):
        NOW = "now", _("as soon as it is started")
        AT = "at", _("at a moment")
        LOCAL = "local", _("at a time of day where each customer is")

    class Verdict(models.TextChoices):
        """What follows once the pilot group was waited for."""

        GO_ON = "go_on", _("within the limits: go on by itself; else: stop")
        ASK = "ask", _("within the limits: go on by itself; else: ask a person")
        PERSON = "person", _("ask a person")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.CharField(
        _("key"),
        max_length=64,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9_.-]{0,63}\Z", _("Small letters, digits and _ . -, a letter first."))
        ],
        help_text=_("What reports and partners call it; never changed."),
    )
    name = models.CharField(_("name"), max_length=200)
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="+", verbose_name=_("segment"))
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+", verbose_name=_("purpose"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    connector = models.ForeignKey(Connector, on_delete=models.PROTECT, related_name="+", verbose_name=_("connector"))
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+", verbose_name=_("template"))
    template_version = models.ForeignKey(
        TemplateVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("version of the template"),
        help_text=_("The latest as it was started; later ones change nothing."),
    )
    when = models.CharField(_("when"), max_length=5, choices=When.choices, default=When.NOW)
    starts_at = models.DateTimeField(_("moment"), null=True, blank=True)
    local_day = models.DateField(_("day"), null=True, blank=True)
    local_time = models.TimeField(
        _("time of day"),
        null=True,
        blank=True,
        help_text=_("By the clock where each customer is; of whom that is not known, in the brand’s zone."),
    )
    not_later_than = models.DurationField(
        _("not later than"),
        default=timedelta(hours=24),
        validators=[MinValueValidator(timedelta(minutes=1)), MaxValueValidator(timedelta(days=31))],
        help_text=_("Counted from when it was to go. What could not go by then is not sent."),
    )
    per_minute = models.PositiveIntegerField(
        _("people a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PER_MINUTE)],
        help_text=_(
            "At most so many are written to in any minute; what rested, as by night, goes as soon as it may. Empty: as "
            "fast as the connector takes them."
        ),
    )
    only_members = models.BooleanField(
        _("only who is still in the segment"),
        default=False,
        help_text=_("Asked again as each message goes. Off: everybody who was in it at the start."),
    )
    priority = models.SmallIntegerField(
        _("priority"),
        default=USUAL_PRIORITY,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Where a cap leaves room for one message only, the higher goes first."),
    )
    pilot_percent = models.PositiveSmallIntegerField(
        _("pilot group, in percent"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("So many get it first. Empty: everybody at once."),
    )
    pilot_wait = models.DurationField(
        _("wait for"),
        default=timedelta(hours=4),
        validators=[MinValueValidator(timedelta(0)), MaxValueValidator(timedelta(days=14))],
        help_text=_("After the last of the pilot group."),
    )
    pilot_verdict = models.CharField(_("then"), max_length=6, choices=Verdict.choices, default=Verdict.PERSON)
    # Limits, in percent of the pilot group's messages that were handed over.
    most_bounced = models.FloatField(_("bounced at most"), null=True, blank=True, validators=_PERCENT)
    most_complained = models.FloatField(_("complained at most"), null=True, blank=True, validators=_PERCENT)
    most_unsubscribed = models.FloatField(_("unsubscribed at most"), null=True, blank=True, validators=_PERCENT)
    least_delivered = models.FloatField(_("delivered at least"), null=True, blank=True, validators=_PERCENT)
    least_opened = models.FloatField(_("opened at least"), null=True, blank=True, validators=_PERCENT)
    least_clicked = models.FloatField(_("clicked at least"), null=True, blank=True, validators=_PERCENT)

    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.DRAFT, editable=False)
    # Of a paused one: where it goes on.
    came_from = models.CharField(max_length=9, choices=State.choices, blank=True, default="", editable=False)
    # When it leaves `scheduled`; its moment, or that of the zone where the day comes first.
    begins_at = models.DateTimeField(_("begins at"), null=True, blank=True, editable=False)
    # As of when the segment was read.
    begun_at = models.DateTimeField(_("begun at"), null=True, blank=True, editable=False)
    # Of `local`: names of zones; a recipient has the number of its own. Kept, as other releases have others.
    zones = models.JSONField(default=list, editable=False)
    is_enrolled = models.BooleanField(default=False, editable=False)
    # When the last of the pilot group was written to, and when it was decided on the others.
    pilot_over_at = models.DateTimeField(_("pilot group over at"), null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
    # Of a stopped one: nothing of it waits any more.
    is_cleared = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        ordering = ("-created_at", "-id")
        permissions = (("send_broadcast", _("Can start, pause and stop broadcasts")),)
        constraints = (
            models.UniqueConstraint(fields=("brand", "key"), name="one_broadcast_key_per_brand"),
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(template_version__isnull=False, begins_at__isnull=False),
                name="broadcast_started_with_a_version",
            ),
            models.CheckConstraint(
                condition=models.Q(state="paused") & ~models.Q(came_from="")
                | ~models.Q(state="paused") & models.Q(came_from=""),
                name="broadcast_paused_from_somewhere",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("stopped", "done"), ended_at__isnull=False)
                | ~models.Q(state__in=("stopped", "done")) & models.Q(ended_at__isnull=True),
                name="broadcast_ends_once",
            ),
        )
        indexes = (
            # Read each second: which have something to be done?
            models.Index(
                fields=("state",),
                condition=models.Q(state__in=("scheduled", "enrolling", "pilot", "waiting", "sending"))
                | models.Q(state="stopped", is_cleared=False),
                name="broadcast_under_way",
            ),
            models.Index(fields=("brand", "created_at"), name="broadcast_by_time"),
        )

    def __str__(self) -> str:
        return self.name


class BroadcastProgress(Owned):
    """How far a broadcast is, beside its row: whoever takes people in writes here, and a pause waits for nobody."""

    reach = ByBrand("broadcast__brand", squad="broadcast__squad")

    broadcast = models.OneToOneField(
        Broadcast, on_delete=models.CASCADE, primary_key=True, related_name="progress", verbose_name=_("broadcast")
    )
    # Whoever is in the segment, in the order of their profiles; then who left it since it began.
    after_profile = models.UUIDField(null=True)
    are_members_in = models.BooleanField(default=False)
    after_left_at = models.DateTimeField(null=True)
    after_left_id = models.BigIntegerField(default=0)
    recipients = models.BigIntegerField(_("recipients"), default=0)
    pilots = models.BigIntegerField(_("of the pilot group"), default=0)
    # The throttle: up to when what was let go is spread, and what was let go when in the last minute.
    paced_until = models.DateTimeField(_("paced until"), null=True)
    lately = models.JSONField(default=list)

    class Meta:
        verbose_name = _("progress of a broadcast")
        verbose_name_plural = _("progress of broadcasts")

    def __str__(self) -> str:
        return str(self.broadcast_id)


class BroadcastMove(Owned):
    """Who brought a broadcast from which state to which, when and why; append-only. Without a person it was the
    schedule, or the rule for the pilot group, whose numbers are kept."""

    reach = ByBrand("broadcast__brand", squad="broadcast__squad")

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.PROTECT, related_name="moves", verbose_name=_("broadcast")
    )
    at = models.DateTimeField(_("at"))
    # By id alone: whoever leaves takes nothing of the record along.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    token_id = models.UUIDField(_("token"), null=True)
    state_from = models.CharField(_("from"), max_length=9, choices=Broadcast.State.choices)
    state_to = models.CharField(_("to"), max_length=9, choices=Broadcast.State.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    numbers = models.JSONField(_("numbers"), null=True)

    class Meta:
        verbose_name = _("move of a broadcast")
        verbose_name_plural = _("moves of broadcasts")
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.get_state_from_display()} → {self.get_state_to_display()}"


class BroadcastRecipient(Owned):
    """Somebody who was in the segment as the broadcast began; the profile leads to the customer, whoever that is by
    then. `outcome` is empty while it waits, `made` once there is a message, else why there is none."""

    reach = ByBrand("broadcast__brand", squad="broadcast__squad")
    # To be among them is to be in the segment.
    telling = models.Q(broadcast__segment__is_personal=True)

    class Outcome(models.TextChoices):
        WAITING = "", pgettext_lazy("recipient", "waiting")
        MADE = "made", pgettext_lazy("recipient", "written to")
        TWICE = "twice", pgettext_lazy("recipient", "is another recipient as well")
        LEFT_SEGMENT = Reason.LEFT_SEGMENT.value, Reason.LEFT_SEGMENT.label
        NO_ADDRESS = Reason.NO_ADDRESS.value, Reason.NO_ADDRESS.label
        NO_CONSENT = Reason.NO_CONSENT.value, Reason.NO_CONSENT.label
        WITHDRAWN = Reason.WITHDRAWN.value, Reason.WITHDRAWN.label
        CONSENT_EXPIRED = Reason.CONSENT_EXPIRED.value, Reason.CONSENT_EXPIRED.label
        TOO_YOUNG = Reason.TOO_YOUNG.value, Reason.TOO_YOUNG.label
        BASIS_ELSEWHERE = Reason.BASIS_ELSEWHERE.value, Reason.BASIS_ELSEWHERE.label
        NOT_INFORMED = Reason.NOT_INFORMED.value, Reason.NOT_INFORMED.label
        CONSENT_UNSETTLED = Reason.CONSENT_UNSETTLED.value, Reason.CONSENT_UNSETTLED.label
        PAUSED = Reason.PAUSED.value, Reason.PAUSED.label
        SUPPRESSED = Reason.SUPPRESSED.value, Reason.SUPPRESSED.label
        RESTRICTED = Reason.RESTRICTED.value, Reason.RESTRICTED.label
        NOT_SERVED = Reason.NOT_SERVED.value, Reason.NOT_SERVED.label
        ERASED = Reason.ERASED.value, Reason.ERASED.label
        LATE = Reason.LATE.value, Reason.LATE.label
        STOPPED = Reason.STOPPED.value, Reason.STOPPED.label

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(
        Broadcast,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("broadcast"),
    )
    profile = models.ForeignKey(
        Profile,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("profile"),
    )
    zone = models.SmallIntegerField(_("time zone"), default=0)
    is_pilot = models.BooleanField(_("in the pilot group"), default=False)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, blank=True, default="")
    consent_entry_id = models.BigIntegerField(_("consent that decided"), null=True)
    settled_at = models.DateTimeField(_("at"), null=True)

    class Meta:
        verbose_name = _("recipient of a broadcast")
        verbose_name_plural = _("recipients of broadcasts")
        ordering = ("id",)
        constraints = (
            # By the profile first: what somebody was sent is looked up by it, too.
            models.UniqueConstraint(fields=("profile", "broadcast"), name="one_recipient_per_profile"),
        )
        indexes = (
            # Read by whoever writes to them: who is next, of the zones whose time has come?
            models.Index(
                fields=("broadcast", "is_pilot", "zone", "id"),
                condition=models.Q(outcome=""),
                name="recipient_waiting",
            ),
            # Read by the list of recipients by what became of them.
            models.Index(
                fields=("broadcast", "outcome", "id"), condition=~models.Q(outcome=""), name="recipient_settled"
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)


class BroadcastTally(Owned):
    """How many came to which outcome at once: rows that are only added, so that nobody waits for a counter."""

    reach = ByBrand("broadcast__brand", squad="broadcast__squad")

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("broadcast")
    )
    is_pilot = models.BooleanField(_("in the pilot group"))
    outcome = models.CharField(_("outcome"), max_length=20)
    recipients = models.IntegerField(_("recipients"))

    class Meta:
        verbose_name = _("tally of a broadcast")
        verbose_name_plural = _("tallies of broadcasts")

    def __str__(self) -> str:
        return f"{self.outcome} {self.recipients}"
