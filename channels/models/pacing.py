"""Pacing policies: caps, quiet hours and windows for sending, kept version by version."""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consent.models import Purpose
from customers.ids import new_id
from customers.models import Brand
from customers.models.address import Channel
from customers.models.owned import Owned

# What a cap counts back over at most, in days.
LONGEST_DAYS = 366
_CAP = models.Q(kind="cap")


class PacingPolicy(Owned):
    """One version of a policy: it holds from `valid_from` until `valid_to`, and is never changed otherwise.

    Without a brand it is the organisation's, and counts the messages of all brands. Versions of one policy share
    `policy_id`, the id of the first.
    """

    for_managers = True

    class Kind(models.TextChoices):
        CAP = "cap", _("cap")
        QUIET = "quiet", _("quiet hours")
        WINDOW = "window", _("send window")

    class Unit(models.TextChoices):
        MINUTE = "minute", _("minutes")
        HOUR = "hour", _("hours")
        DAY = "day", _("days of 24 hours")

    class About(models.TextChoices):
        MARKETING = "marketing", _("marketing")
        SERVICE = "service", _("service")
        ANY = "", _("marketing and service")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy_id = models.UUIDField(_("policy"), editable=False)
    number = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("brand"),
        help_text=_("Empty: of the organisation, over all brands together."),
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(pgettext_lazy("of a policy", "kind"), max_length=10, choices=Kind.choices)
    channel = models.CharField(
        _("channel"),
        max_length=10,
        choices=[one for one in Channel.choices if one[0] != Channel.PERSON],
        blank=True,
        help_text=_("Empty: every channel, counted together."),
    )
    purpose_kind = models.CharField(
        _("messages"),
        max_length=10,
        choices=About.choices,
        default=About.MARKETING,
        blank=True,
        help_text=_("What is owed by law is never held back."),
    )
    purpose = models.ForeignKey(
        Purpose,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("purpose"),
        help_text=_("Empty: every purpose of this kind."),
    )
    most = models.PositiveSmallIntegerField(
        _("at most"), null=True, blank=True, validators=[MinValueValidator(1)], help_text=_("So many messages …")
    )
    span = models.PositiveIntegerField(
        _("in"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_DAYS * 24 * 60)],
        help_text=_("… in any span of this length: it slides, and has no beginning of a day."),
    )
    unit = models.CharField(_("unit"), max_length=10, choices=Unit.choices, default=Unit.DAY, blank=True)
    starts = models.TimeField(_("from"), null=True, blank=True, help_text=_("By the customer’s own clock."))
    ends = models.TimeField(
        _("until"), null=True, blank=True, help_text=_("Earlier than the beginning: on the day after it.")
    )
    days = models.CharField(
        _("days of the week"),
        max_length=60,
        blank=True,
        help_text=_("As in mon-fri or sat,sun, by the day on which it begins; empty: every day."),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True, help_text=_("Why it is so, for who reads it."))
    valid_from = models.DateTimeField(_("in force from"))
    valid_to = models.DateTimeField(_("in force until"), null=True, blank=True)

    class Meta:
        verbose_name = _("pacing policy")
        verbose_name_plural = _("pacing policies")
        ordering = ("name", "-number")
        constraints = (
            models.UniqueConstraint(fields=("policy_id", "number"), name="one_pacing_version_of_a_number"),
            models.UniqueConstraint(
                fields=("policy_id",), condition=models.Q(valid_to__isnull=True), name="one_pacing_version_in_force"
            ),
            models.CheckConstraint(
                condition=~_CAP
                | models.Q(
                    most__isnull=False,
                    most__gte=1,
                    span__isnull=False,
                    span__gte=1,
                    starts__isnull=True,
                    ends__isnull=True,
                ),
                name="pacing_cap_counts",
            ),
            models.CheckConstraint(
                condition=_CAP
                | models.Q(most__isnull=True, starts__isnull=False, ends__isnull=False)
                & ~models.Q(starts=models.F("ends")),
                name="pacing_hours_begin_and_end",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="pacing_ends_after_it_begins",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def length(self) -> timedelta:
        """Of the span that a cap counts over; elapsed time, whatever clocks do meanwhile."""
        return {
            self.Unit.MINUTE: timedelta(minutes=self.span or 0),
            self.Unit.HOUR: timedelta(hours=self.span or 0),
        }.get(self.Unit(self.unit), timedelta(days=self.span or 0))
