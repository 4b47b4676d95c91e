"""A brand's account with a provider of one channel."""

from typing import Final

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models import Brand, Squad
from customers.models.address import Channel
from customers.models.owned import Owned

# What a connector serves whose calls are not messages to anybody.
CALLS: Final = "webhook"


class Connector(Owned):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="connectors", verbose_name=_("brand"))
    squad = models.ForeignKey(
        Squad, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("squad")
    )
    key = models.SlugField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    channel = models.CharField(_("channel"), max_length=10, choices=[*Channel.choices, (CALLS, _("calls of journeys"))])
    provider = models.CharField(_("provider"), max_length=32)
    config = models.JSONField(_("configuration"), default=dict, blank=True)
    credentials = models.BinaryField(
        _("credentials"), blank=True, default=b"", editable=False, help_text=_("Encrypted; write-only.")
    )
    concurrency = models.PositiveSmallIntegerField(_("calls at once"), default=4)
    most_per_second = models.FloatField(
        _("calls a second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text=_("At most so many begin in a second, by all workers together. Empty: as many as there are."),
    )
    most_per_day = models.PositiveIntegerField(
        _("calls a day"), null=True, blank=True, help_text=_("In the brand’s zone. Empty: as many as there are.")
    )
    price_per_thousand = models.PositiveIntegerField(
        _("price of a thousand"),
        null=True,
        blank=True,
        help_text=_("In the smallest unit of the brand’s currency, as in cents."),
    )
    spend_per_day = models.PositiveIntegerField(
        _("money a day"),
        null=True,
        blank=True,
        help_text=_("In the smallest unit as well; once it is used up the rest waits for the next day."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    owner = models.CharField(_("owner"), max_length=200, blank=True)
    documentation_url = models.URLField(_("documentation"), blank=True)

    class Meta:
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("brand", "key"), name="one_connector_key_per_brand"),)

    def __str__(self) -> str:
        return self.name
