"""Changeovers: what a publication does with the people who are on their way by earlier versions."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models.journey import Journey, JourneyVersion


class Changeover(Owned):
    """`worked_at` and `worked_run` are how far the runs, in the order of their entry, have been gone through. Who was
    just coming in by an earlier version is looked for once more, from `looks_again_at` on; then it is settled.
    """

    reach = ByBrand("journey__brand", squad="journey__squad")

    id = models.BigAutoField(primary_key=True)
    journey = models.ForeignKey(
        Journey, on_delete=models.CASCADE, related_name="changeovers", verbose_name=_("journey")
    )
    version = models.ForeignKey(JourneyVersion, on_delete=models.CASCADE, related_name="+", verbose_name=_("version"))
    plan = models.JSONField(
        _("plan"), help_text=_("By version and step, what becomes of those who stand there; who is not named stays.")
    )
    since = models.DateTimeField(_("since"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    moved = models.IntegerField(_("moved"), default=0)
    ended = models.IntegerField(_("taken out"), default=0)
    worked_at = models.DateTimeField(_("gone through to entries of"), null=True)
    worked_run = models.BigIntegerField(_("gone through to run"), default=0)
    looks_again_at = models.DateTimeField(_("looks again at"), null=True)
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        verbose_name = _("changeover")
        verbose_name_plural = _("changeovers")

    def __str__(self) -> str:
        return f"{self.journey_id} → {self.version_id}"
