"""Simulations that somebody asked for, with what they found."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models import Job, PartnerToken
from customers.models.owned import Owned
from customers.partner import OfToken
from customers.personal import TEXT, personal
from customers.reach import ByBrand
from journeys.models.journey import Journey


def label_of(name: str) -> str:
    """What a version is called by people: `v2` is called so everywhere."""
    return {"draft": gettext("draft"), "live": gettext("live version")}.get(name, name)


class Simulation(Owned):
    """`versions` pins what is played: a draft by its revision. `results` has what each found, once it is through:
    counts and paths, which name nobody."""

    reach = ByBrand("journey__brand", squad="journey__squad")
    for_partners = OfToken("asked_by_token_id")

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
    asked_by_token = models.ForeignKey(
        PartnerToken,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked for by the token"),
    )
    # What other systems are taken to have replied, by step; see `journeys.simulation.supposed`.
    assumed = models.JSONField(_("assumed replies"), default=list)
    of_file = models.BooleanField(_("over events handed in"), default=False)
    created_at = models.DateTimeField(_("asked for at"))

    class Meta:
        verbose_name = _("simulation")
        verbose_name_plural = _("simulations")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.journey} {self.since:%Y-%m-%d} – {self.until:%Y-%m-%d}"

    @property
    def last_moment(self) -> datetime:
        """The last one played where it ends with a day."""
        return self.until - timedelta(microseconds=1)

    @property
    def labels(self) -> list[str]:
        return [label_of(pin["name"]) for pin in self.versions]

    @property
    def found(self) -> dict[str, Any]:
        """What each version that is through has come to, in the order in which they were asked for."""
        names = [pin["name"] for pin in self.versions]
        return {name: self.results[name] for name in names if name in self.results}


class SimulatedEvents(Owned):
    """Events that were handed in to be played: they last as long as the simulation is at work. `data` has one a line,
    customer by customer, of whom an id is kept that was made of the one in the file."""

    reach = ByBrand("simulation__journey__brand", squad="simulation__journey__squad")

    simulation = models.OneToOneField(
        Simulation, on_delete=models.CASCADE, primary_key=True, related_name="events", verbose_name=_("simulation")
    )
    data = personal(models.TextField(_("events")), TEXT)

    class Meta:
        verbose_name = _("events handed in for a simulation")
        verbose_name_plural = _("events handed in for simulations")

    def __str__(self) -> str:
        return str(self.simulation_id)
