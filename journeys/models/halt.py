"""Halts: what somebody who paused or stopped a journey said is to become of those waiting in it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models.journey import Journey


class Halt(Owned):
    """A pause stands until `resumed_at`; `settled_at` is when all runs were brought back, or ended.

    `worked_at` and `worked_run` are how far the runs, in the order of their entry, have been gone through.
    """

    reach = ByBrand("journey__brand", squad="journey__squad")

    class Waiting(models.TextChoices):
        TIME_GOES_ON = "time_goes_on", _("rest; what came due meanwhile happens on resuming")
        TIME_STANDS = "time_stands", _("rest; every wait is longer by the pause")
        END = "end", _("end at once")

    id = models.BigAutoField(primary_key=True)
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="halts", verbose_name=_("journey"))
    waiting = models.CharField(_("those waiting"), max_length=12, choices=Waiting.choices)
    since = models.DateTimeField(_("since"))
    halted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    resumed_at = models.DateTimeField(_("resumed at"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)
    worked_at = models.DateTimeField(_("gone through to entries of"), null=True)
    worked_run = models.BigIntegerField(_("gone through to run"), default=0)

    class Meta:
        verbose_name = _("halt")
        verbose_name_plural = _("halts")
        constraints = (
            models.UniqueConstraint(
                fields=("journey",),
                condition=models.Q(settled_at__isnull=True),
                name="one_unsettled_halt_per_journey",
            ),
        )

    def __str__(self) -> str:
        return f"{self.journey_id} {self.waiting}"
