"""Campaigns: what journeys and broadcasts serve together, how their links are marked, and what counts as success."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.ids import new_id
from customers.models import Brand, Squad
from customers.models.owned import Owned
from customers.models.registry import EventType
from customers.reach import ByBrand

# What people do long after a message has other reasons.
LONGEST_WINDOW: Final = 90
# What goes into an address as it stands, and is read in reports of other systems: no signs that mean something there.
_VALUE: Final = RegexValidator(
    r"^[\w.~+ -]*\Z", _("Letters, digits, spaces and . _ ~ + - are fine here, and nothing else.")
)


class Campaign(Owned):
    """Journeys and broadcasts belong to it by `CampaignMember`; each to one campaign at most."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    notes = models.TextField(_("notes"), blank=True, help_text=_("What it is for, for who reads it."))
    starts_on = models.DateField(
        _("first day"), null=True, blank=True, help_text=_("In the brand’s zone. Messages sent before do not count.")
    )
    ends_on = models.DateField(_("last day"), null=True, blank=True, help_text=_("Messages sent later do not count."))
    utm_source = models.CharField(
        "utm_source", max_length=100, blank=True, validators=[_VALUE], help_text=_("Empty: the brand’s key.")
    )
    utm_medium = models.CharField(
        "utm_medium", max_length=100, blank=True, validators=[_VALUE], help_text=_("Empty: the channel, as in email.")
    )
    utm_campaign = models.CharField(
        "utm_campaign", max_length=100, blank=True, validators=[_VALUE], help_text=_("Empty: the campaign’s key.")
    )
    utm_content = models.CharField(
        "utm_content",
        max_length=100,
        blank=True,
        validators=[_VALUE],
        help_text=_("Empty: the step of the journey that sends, where there is one."),
    )
    conversion_role = models.CharField(
        _("counts as conversion"),
        max_length=16,
        choices=EventType.Role.choices,
        blank=True,
        help_text=_("An event of a type with this role. Empty: conversions are not counted."),
    )
    conversion_days = models.PositiveSmallIntegerField(
        _("within days"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_WINDOW)],
        help_text=_("After the message; the last message of the campaign before it gets the conversion."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("brand", "key"), name="one_campaign_key_per_brand"),
            models.CheckConstraint(
                condition=models.Q(starts_on__isnull=True)
                | models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="campaign_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=models.Q(conversion_days__range=(1, LONGEST_WINDOW)), name="campaign_window_has_days"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": _("It ends before it begins.")}, code="ends_before_it_begins")

    def span(self) -> tuple[datetime | None, datetime | None]:
        """From its first day's beginning until just before the day after its last, in the brand's zone."""
        zone = ZoneInfo(self.brand.zone)

        def midnight(day: date) -> datetime:
            return datetime(day.year, day.month, day.day, tzinfo=zone)

        since = midnight(self.starts_on) if self.starts_on else None
        until = midnight(self.ends_on + timedelta(days=1)) if self.ends_on else None
        return since, until


class CampaignMember(Owned):
    """That a journey or broadcast, by the id that its messages name as their scope, serves a campaign."""

    reach = ByBrand("campaign__brand", squad="campaign__squad")

    scope_id = models.UUIDField(pgettext_lazy("of a campaign", "journey or broadcast"), primary_key=True)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="members", verbose_name=_("campaign"))
    added_at = models.DateTimeField(_("added at"))

    class Meta:
        verbose_name = _("member of a campaign")
        verbose_name_plural = _("members of campaigns")

    def __str__(self) -> str:
        return str(self.scope_id)
