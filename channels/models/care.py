"""How a connector fares: what is left of its rate and its day, whether it rests, and what became of its calls."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels.models.connector import Connector
from customers.models.owned import Owned
from customers.reach import ByBrand

_REACH = ByBrand("connector__brand", squad="connector__squad")


class ConnectorState(Owned):
    """One row a connector, made with its first batch; every worker of every host counts here."""

    reach = _REACH

    class Rest(models.TextChoices):
        TROUBLE = "trouble", pgettext_lazy("connector", "its provider was in trouble")
        ASKED = "asked", pgettext_lazy("connector", "its provider asked to wait")
        SETTINGS = "settings", pgettext_lazy("connector", "its provider refused the log-in or the settings")

    connector = models.OneToOneField(
        Connector, on_delete=models.CASCADE, primary_key=True, related_name="fares", verbose_name=_("connector")
    )
    tokens = models.FloatField(_("left of the rate"), default=0, help_text=_("Calls that may begin at once."))
    tokens_at = models.DateTimeField(_("as of"), null=True)
    day = models.DateField(_("day"), null=True, help_text=_("In the brand's zone."))
    begun = models.PositiveIntegerField(_("calls of the day"), default=0)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    rests_until = models.DateTimeField(_("rests until"), null=True)
    rest = models.CharField(_("why it rests"), max_length=10, choices=Rest.choices, blank=True)
    detail = models.CharField(_("what was said"), max_length=300, blank=True)
    rests = models.PositiveSmallIntegerField(_("rests in a row"), default=0)
    known = models.JSONField(
        _("push services that know us"),
        null=True,
        blank=True,
        help_text=_("Each with the public key of the last push that it took."),
    )

    class Meta:
        verbose_name = _("state of a connector")
        verbose_name_plural = _("states of connectors")

    def __str__(self) -> str:
        return str(self.connector_id)


class BreakerTurn(Owned):
    """One turn of the breaker: it opened for a while, or closed again."""

    reach = _REACH

    class Turn(models.TextChoices):
        OPENED = "opened", pgettext_lazy("breaker", "opened")
        CLOSED = "closed", pgettext_lazy("breaker", "closed")

    id = models.BigAutoField(primary_key=True)
    connector = models.ForeignKey(
        Connector, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("connector")
    )
    at = models.DateTimeField(_("at"))
    turn = models.CharField(_("turn"), max_length=6, choices=Turn.choices)
    until = models.DateTimeField(_("until"), null=True)
    rest = models.CharField(_("why"), max_length=10, choices=ConnectorState.Rest.choices, blank=True)
    detail = models.CharField(_("what was said"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("turn of a breaker")
        verbose_name_plural = _("turns of breakers")
        ordering = ("-id",)
        indexes = (
            # Read by the connector's page.
            models.Index(fields=("connector", "at"), name="breaker_by_connector"),
        )

    def __str__(self) -> str:
        return f"{self.connector_id} {self.turn}"


class ConnectorHour(Owned):
    """What became of the calls of one hour, and how long they took, by limits (channels.care.tally.LIMITS)."""

    reach = _REACH

    pk = models.CompositePrimaryKey("connector_id", "hour")
    connector = models.ForeignKey(
        Connector, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("connector")
    )
    hour = models.DateTimeField(_("hour"))
    taken = models.PositiveIntegerField(_("taken"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    troubled = models.PositiveIntegerField(_("in trouble"), default=0)
    unknown = models.PositiveIntegerField(_("unknown"), default=0)
    unsigned = models.PositiveIntegerField(
        _("calls without a valid signature"), default=0, db_default=0, help_text=_("At the address for its provider.")
    )
    within = ArrayField(models.PositiveIntegerField(), verbose_name=_("by how long they took"))

    class Meta:
        verbose_name = _("hour of a connector")
        verbose_name_plural = _("hours of connectors")

    def __str__(self) -> str:
        return f"{self.connector_id} {self.hour}"
