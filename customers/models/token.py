"""Tokens by which partners speak to the API, and the answers kept for those who ask twice."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.brand import Brand
from customers.models.owned import Owned
from customers.models.source import Source, WriteKey
from customers.partner import PERSONAL
from customers.personal import TEXT, personal
from customers.reach import ByBrand


class Scope(models.TextChoices):
    """What a token may be used for; without the scope for personal values they are masked."""

    CUSTOMERS_READ = "customers:read", _("look up customers and their timeline")
    CUSTOMERS_PERSONAL = PERSONAL, _("see personal values unmasked")
    EVENTS_WRITE = "events:write", _("send events")
    EVENT_TYPES_READ = "event-types:read", _("read event types and their schemas")
    SEGMENTS_READ = "segments:read", _("read segments and who of one's own is in them")
    SEGMENTS_WRITE = "segments:write", _("make segments, set their rules, put people on lists")
    IDENTITY_ASSURE = "identity:assure", _("say that somebody was verified by log-in, code or document")
    CONSENT_READ = "consent:read", _("read consent and permission")
    CONSENT_WRITE = "consent:write", _("record grants and withdrawals")
    PRIVACY_READ = "privacy:read", _("read privacy requests of one's own sources")
    PRIVACY_WRITE = "privacy:write", _("take down what people ask by law")
    JOURNEYS_READ = "journeys:read", _("read journeys")
    JOURNEYS_SIMULATE = (
        "journeys:simulate",
        _("simulate journeys over all of the brand’s events: counts alone"),
    )
    RUNS_READ = "runs:read", _("read runs and refused entries")
    RUNS_WRITE = "runs:write", _("start and end runs")
    MESSAGES_READ = "messages:read", _("read messages and why they were sent or not")
    ENTITLEMENTS_READ = "entitlements:read", _("read what customers were granted")
    ENTITLEMENTS_WRITE = "entitlements:write", _("grant, use and take back what customers were granted")
    BROADCASTS_READ = "broadcasts:read", _("read broadcasts and how far they are")
    BROADCASTS_SEND = "broadcasts:send", _("start, pause and stop broadcasts")
    TASKS_READ = "tasks:read", _("read what people of ours are to do")
    TASKS_WRITE = "tasks:write", _("take in hand and settle what people of ours are to do")
    PRODUCTS_READ = "products:read", _("read the products of the brand")
    PRODUCTS_WRITE = "products:write", _("tell the products of the brand, and take them out")
    WEBHOOKS_MANAGE = "webhooks:manage", _("have one's own systems told of events, by webhooks")


class PartnerToken(Owned):
    """A partner's token: only its SHA-256 and first characters are kept; the token is shown once.

    `used` counts the calls since `window_at`, which is how the limit is kept exactly, by all processes together.
    """

    for_managers = True

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="partner_tokens", verbose_name=_("brand"))
    sources = models.ManyToManyField(
        Source,
        related_name="+",
        verbose_name=_("sources"),
        help_text=_("It writes for these, and sees their events and the customers they named."),
    )
    name = models.CharField(_("name"), max_length=200, help_text=_("Who uses it for what."))
    mode = models.CharField(_("mode"), max_length=4, choices=WriteKey.Mode.choices, default=WriteKey.Mode.LIVE)
    scopes = ArrayField(models.CharField(max_length=24, choices=Scope.choices), verbose_name=_("scopes"))
    per_minute = models.PositiveIntegerField(
        _("calls a minute"), default=600, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    prefix = models.CharField(_("begins with"), max_length=20, editable=False)
    digest = models.BinaryField(_("digest"), max_length=32, unique=True, editable=False)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("replaces")
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)
    window_at = models.DateTimeField(_("counting since"), null=True, editable=False)
    used = models.PositiveIntegerField(_("calls since then"), default=0, editable=False)

    class Meta:
        verbose_name = _("partner token")
        verbose_name_plural = _("partner tokens")
        ordering = ("name", "-created_at")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class KeptAnswer(Owned):
    """What a call with an Idempotency-Key was answered; without a status yet, it is still being worked on."""

    reach = ByBrand("token__brand")

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(PartnerToken, on_delete=models.CASCADE, related_name="+", verbose_name=_("token"))
    route = models.CharField(_("route"), max_length=120)
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.BinaryField(_("fingerprint of the call"), max_length=32)
    started_at = models.DateTimeField(_("started at"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    content_type = models.CharField(_("content type"), max_length=100, blank=True)
    location = models.CharField(_("location"), max_length=300, blank=True)
    body = personal(models.BinaryField(_("body"), default=b""), TEXT)

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("token", "route", "key"), name="one_answer_per_token_route_and_key"),
        )
        indexes = (
            # Read by the pruning: what is older than a week?
            models.Index(fields=("started_at",), name="kept_answer_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
