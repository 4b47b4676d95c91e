"""By what a shop's server vouches for whoever is signed in on its pages."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models.owned import Owned
from customers.models.source import Source
from customers.reach import ByBrand


class VisitorSecret(Owned):
    """A source's secret for the tokens of its visitors; shown once, kept sealed, and good until somebody ends it."""

    reach = ByBrand("source__brand", squad="source__squad")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", verbose_name=_("source"))
    secret = models.BinaryField(_("secret"), blank=True, default=b"", editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, editable=False)

    class Meta:
        verbose_name = _("visitor secret")
        verbose_name_plural = _("visitor secrets")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return str(self.id)

    def is_good(self, now: datetime) -> bool:
        return self.ended_at is None or self.ended_at > now
