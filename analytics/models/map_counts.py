"""What happened at the touchpoints of a map, counted by day in its brand's zone, so that no page counts messages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.owned import Owned
from customers.reach import ByBrand
from journeys.models import JourneyMap, Touchpoint


class MapCount(Owned):
    """How far a map has been counted: the days from `since` to `counted_at`, by the `basis` that held then."""

    reach = ByBrand("map__brand", squad="map__squad")

    map = models.OneToOneField(
        JourneyMap, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name=_("journey map")
    )
    basis = models.CharField(_("basis"), max_length=64, default="")
    since = models.DateField(_("counted since"), null=True)
    counted_at = models.DateTimeField(_("counted at"), null=True)
    # Earlier days change, too: who was written to last week may do today what was hoped for.
    recounted_at = models.DateTimeField(_("earlier days counted again at"), null=True)

    class Meta:
        verbose_name = _("count of a map")
        verbose_name_plural = _("counts of maps")

    def __str__(self) -> str:
        return str(self.map_id)


class TouchpointDay(Owned):
    """How often something came of a touchpoint on a day: `sent`, `visited`, `converted`, or a reason not to send."""

    reach = ByBrand("touchpoint__map__brand", squad="touchpoint__map__squad")

    pk = models.CompositePrimaryKey("touchpoint_id", "day", "outcome")
    touchpoint = models.ForeignKey(
        Touchpoint, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("touchpoint")
    )
    day = models.DateField(_("day"))
    outcome = models.CharField(_("outcome"), max_length=20)
    count = models.IntegerField(_("count"))

    class Meta:
        verbose_name = _("day of a touchpoint")
        verbose_name_plural = _("days of touchpoints")

    def __str__(self) -> str:
        return f"{self.touchpoint_id} {self.day} {self.outcome}"


class TouchpointMove(Owned):
    """How often a customer was met at one touchpoint next after another, on the day of the later one."""

    reach = ByBrand("map__brand", squad="map__squad")

    pk = models.CompositePrimaryKey("map_id", "day", "from_touchpoint_id", "to_touchpoint_id")
    map = models.ForeignKey(
        JourneyMap, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("journey map")
    )
    day = models.DateField(_("day"))
    from_touchpoint = models.ForeignKey(
        Touchpoint, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("from")
    )
    to_touchpoint = models.ForeignKey(
        Touchpoint, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("to")
    )
    count = models.IntegerField(_("count"))

    class Meta:
        verbose_name = _("move between touchpoints")
        verbose_name_plural = _("moves between touchpoints")

    def __str__(self) -> str:
        return f"{self.from_touchpoint_id} {self.to_touchpoint_id} {self.day}"
