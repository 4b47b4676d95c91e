"""What sources send, counted: tallies as they are made, and folded by the hour."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.owned import Owned
from customers.models.source import Source
from customers.reach import ByBrand


class Outcome(models.TextChoices):
    ACCEPTED = "accepted", pgettext_lazy("tally", "accepted")
    DUPLICATE = "duplicate", pgettext_lazy("tally", "repeated")
    # By the code of the refusal.
    REFUSED = "refused", pgettext_lazy("tally", "refused")
    # How long it took from occurring to receipt, and from receipt to being resolved, by the limit it kept within.
    DELAY = "delay", _("on its way to us")
    WAIT = "wait", _("waiting for us")


class Tally(Owned):
    """One count of one batch, only ever added: a row that all senders raised would be one they all wait for."""

    reach = ByBrand("source__brand")

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at = models.DateTimeField(_("at"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=64, blank=True)
    name = models.CharField(_("event name"), max_length=120, blank=True)
    count = models.IntegerField(_("count"))

    class Meta:
        verbose_name = _("fresh tally")
        verbose_name_plural = _("fresh tallies")

    def __str__(self) -> str:
        return f"{self.outcome} {self.name}"


class HourTally(Owned):
    """All tallies of an hour, folded. Hours are hours of UTC."""

    reach = ByBrand("source__brand")

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, db_index=False, related_name="+")
    hour = models.DateTimeField(_("hour"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=64, blank=True)
    name = models.CharField(_("event name"), max_length=120, blank=True)
    count = models.BigIntegerField(_("count"))
    last_at = models.DateTimeField(_("the last at"))

    class Meta:
        verbose_name = _("tally of an hour")
        verbose_name_plural = _("tallies by the hour")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "hour", "outcome", "code", "name"), name="one_tally_per_hour_and_outcome"
            ),
        )

    def __str__(self) -> str:
        return f"{self.outcome} {self.name} {self.hour:%Y-%m-%d %H}"
