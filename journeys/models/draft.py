"""The drafts of a journey as they were saved: what somebody else's save replaced is still there."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models.journey import Journey


class DraftRevision(Owned):
    """One save. The newest are kept; `number` is what the journey's `draft_revision` was by it."""

    reach = ByBrand("journey__brand", squad="journey__squad")

    id = models.BigAutoField(primary_key=True)
    journey = models.ForeignKey(
        Journey, on_delete=models.CASCADE, db_index=False, related_name="draft_revisions", verbose_name=_("journey")
    )
    number = models.PositiveIntegerField(_("revision"))
    document = models.JSONField(_("document"))
    saved_at = models.DateTimeField(_("saved at"))
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("saved by"),
    )

    class Meta:
        verbose_name = _("draft revision")
        verbose_name_plural = _("draft revisions")
        ordering = ("journey", "-number")
        constraints = (models.UniqueConstraint(fields=("journey", "number"), name="one_draft_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.journey} · {self.number}"
