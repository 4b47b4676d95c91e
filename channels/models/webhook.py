"""Other systems that are told of a brand's events: where, of which, and how each telling went."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models import Brand, PartnerToken, Squad
from customers.models.owned import Owned
from customers.partner import OfToken
from customers.personal import TEXT, personal
from customers.reach import ByBrand


class WebhookEndpoint(Owned):
    """An address that is told of events of these names. One that a partner made hears what its token may read, and no
    longer than the token is good for."""

    for_partners = OfToken("token_id")

    class Off(models.TextChoices):
        """Why it is told nothing."""

        BY_HAND = "by_hand", _("switched off")
        GONE = "gone", _("it answered that it is gone (410)")
        FAILING = "failing", _("nothing but failure for days")
        TOKEN = "token", _("its token has ended")
        SECRETS = "secrets", _("its secrets cannot be read; a new one mends it")
        REMOVED = "removed", _("removed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    token = models.ForeignKey(
        PartnerToken,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("partner token"),
        help_text=_("By which it was made: it hears no more than this token may read."),
    )
    name = models.CharField(_("name"), max_length=200)
    url = models.URLField(
        _("address"), max_length=500, help_text=_("Begins with https://; each event is sent there by POST.")
    )
    events = ArrayField(
        models.CharField(max_length=120),
        verbose_name=_("events"),
        help_text=_("Exact names, one a line. Names of what happens inside count as well: segment.entered."),
    )
    tells_personal = models.BooleanField(
        _("tells personal data"),
        default=False,
        help_text=_("Values of events are masked without it: names, ids, times and yes or no are told."),
    )
    tells_history = models.BooleanField(
        _("tells history"),
        default=False,
        help_text=_("Also of what imports fill in, and of whom a segment holds when it is first built."),
    )
    concurrency = models.PositiveSmallIntegerField(
        _("calls at once"), default=4, validators=[MinValueValidator(1), MaxValueValidator(32)]
    )
    secrets = models.BinaryField(_("secrets"), blank=True, default=b"", editable=False)
    owner = models.CharField(_("owner"), max_length=200, help_text=_("Who is told when it fails: a person or a team."))
    documentation_url = models.URLField(_("documentation"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    off_reason = models.CharField(_("why it is off"), max_length=10, choices=Off.choices, blank=True, editable=False)
    off_at = models.DateTimeField(_("off since"), null=True, editable=False)
    failing_since = models.DateTimeField(
        _("failing since"), null=True, editable=False, help_text=_("Nothing has succeeded since then.")
    )
    warned_at = models.DateTimeField(
        _("announced at"),
        null=True,
        editable=False,
        help_text=_("When it was last told that a delivery had failed four times, or for good."),
    )
    rests_until = models.DateTimeField(
        _("rests until"), null=True, editable=False, help_text=_("It asked to be left alone for so long.")
    )
    created_at = models.DateTimeField(_("created at"), editable=False)

    class Meta:
        verbose_name = _("outgoing webhook")
        verbose_name_plural = _("outgoing webhooks")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(Owned):
    """One event for one endpoint, unique, so that nothing is queued twice. Its id is the `webhook-id` of every attempt;
    what is said is made of the event each time, so that nothing personal waits here.

    `due_at` is when it may be tried next, and of one in a worker's hands when that worker is taken for dead.
    """

    reach = ByBrand("endpoint__brand", squad="endpoint__squad")
    for_partners = OfToken("endpoint__token_id")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("in a worker’s hands")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")
        # The endpoint was removed, or there is nothing left to tell.
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("webhook")
    )
    event_id = models.BigIntegerField(_("event"), null=True, help_text=_("None of a test."))
    received_at = models.DateTimeField(_("event received at"))
    profile_id = models.UUIDField(_("profile"), null=True, db_index=True)
    name = models.CharField(_("event name"), max_length=120)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    queued_at = models.DateTimeField(_("queued at"), help_text=_("By a replay anew."))
    due_at = models.DateTimeField(_("due at"))
    settled_at = models.DateTimeField(_("settled at"), null=True)
    tries = models.SmallIntegerField(_("tries"), default=0, help_text=_("Those that count in the schedule."))
    attempts = models.IntegerField(_("attempts"), default=0)
    crashes = models.SmallIntegerField(_("workers that died over it"), default=0)
    replays = models.SmallIntegerField(_("replays"), default=0)
    lease_token = models.BigIntegerField(_("lease token"), null=True)
    status = models.SmallIntegerField(_("HTTP status"), null=True)
    reason = models.CharField(_("reason"), max_length=24, default="", blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = (models.UniqueConstraint(fields=("endpoint", "event_id"), name="one_delivery_per_event"),)
        indexes = (
            # Read by whoever delivers: what is due at an endpoint?
            models.Index(
                fields=("endpoint", "due_at"),
                condition=models.Q(state__in=("waiting", "sending")),
                name="webhook_delivery_due",
            ),
            # Read by lists and by replays of a span of time.
            models.Index(fields=("endpoint", "received_at"), name="webhook_delivery_by_time"),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_test(self) -> bool:
        return self.event_id is None


class WebhookAttempt(Owned):
    """One call and how it went. What was replied may be about a person: it goes before the rest does."""

    reach = ByBrand("endpoint__brand", squad="endpoint__squad")
    for_partners = OfToken("endpoint__token_id")

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.CASCADE, related_name="tried", verbose_name=_("webhook delivery")
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("webhook"),
    )
    at = models.DateTimeField(_("at"))
    status = models.SmallIntegerField(_("HTTP status"), null=True)
    reason = models.CharField(_("reason"), max_length=24, default="", blank=True)
    milliseconds = models.IntegerField(_("milliseconds"))
    reply = personal(
        models.TextField(_("reply"), default="", blank=True, help_text=_("Its first 2,000 characters.")), TEXT
    )

    class Meta:
        verbose_name = _("attempt to deliver")
        verbose_name_plural = _("attempts to deliver")
        indexes = (
            # Read by the health of endpoints: how did it go in the last day, and what failed last?
            models.Index(fields=("endpoint", "at"), include=("reason",), name="webhook_attempt_by_time"),
            models.Index(
                fields=("endpoint", "at"), condition=~models.Q(reason=""), include=("reason",), name="webhook_failure"
            ),
        )

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.at:%Y-%m-%d %H:%M:%S}"
