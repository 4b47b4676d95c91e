"""Simulations that somebody asked for, with what they found."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models import Job
from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models.journey import Journey


class Simulation(Owned):
    """`versions` pins what is played: a draft by its revision. `results` has what each found, once it is through:
    counts and paths, which name nobody."""

    reach = ByBrand("journey__brand", squad="journey__squad")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    journey = models.ForeignKey(
        Journey, on_delete=models.CASCADE, related_name="simulations", verbose_name=_("journey")
    )
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+", verbose_name=_("job"))
    versions = models.JSONField(_("versions"))
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("to"))
    results = models.JSONField(_("results"), default=dict)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    created_at = models.DateTimeField(_("asked for at"))

    class Meta:
        verbose_name = _("simulation")
        verbose_name_plural = _("simulations")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.journey} {self.since:%Y-%m-%d} – {self.until:%Y-%m-%d}"
