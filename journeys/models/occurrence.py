"""The moments at which a journey's schedule calls its segment in, each with what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Job
from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models.journey import Journey, JourneyVersion


class Occurrence(Owned):
    """One moment of a live version's schedule. The next one of each journey stands here as planned until it comes."""

    reach = ByBrand("journey__brand", squad="journey__squad")

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        CALLED = "called", _("people were called in")
        LATE = "late", _("left out: nothing ran then, and it was too late afterwards")
        PAUSED = "paused", _("left out: the journey was paused")
        NO_SEGMENT = "no_segment", _("left out: nobody knew who was in the segment")
        FAILED = "failed", _("left out: it failed again and again")

    id = models.BigAutoField(primary_key=True)
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="+", verbose_name=_("journey"))
    version = models.ForeignKey(JourneyVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("version"))
    at = models.DateTimeField(_("at"))
    state = models.CharField(_("what came of it"), max_length=12, choices=State.choices, default=State.PLANNED)
    job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("job")
    )
    settled_at = models.DateTimeField(_("settled at"), null=True)

    class Meta:
        verbose_name = _("occurrence")
        verbose_name_plural = _("occurrences")
        constraints = (
            # Whatever number of workers there is, and whatever is published meanwhile.
            models.UniqueConstraint(fields=("journey", "at"), name="one_occurrence_per_moment"),
            models.UniqueConstraint(
                fields=("journey",), condition=models.Q(state="planned"), name="one_occurrence_is_next"
            ),
        )
        indexes = (
            # Read by those who look which have come.
            models.Index(fields=("at",), condition=models.Q(state="planned"), name="occurrence_planned"),
        )

    def __str__(self) -> str:
        return f"{self.journey_id} {self.at:%Y-%m-%d %H:%M}"
