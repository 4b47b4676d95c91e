"""Lists of people that somebody handed in to be called into a journey: the lines, and what was found of each."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.ids import new_id
from customers.models import Job
from customers.models.owned import Owned
from customers.personal import DOCUMENT, IDENTIFIER, personal
from customers.reach import ByBrand
from journeys.models.journey import Journey


class CallList(Owned):
    """Handed in, looked at by one job, and called by another. `found` counts its lines by what was found of them, and
    `reasons` those of people who are known by why they would not come in."""

    reach = ByBrand("journey__brand", squad="journey__squad")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="+", verbose_name=_("journey"))
    kind = models.CharField(_("named by"), max_length=40)
    columns = models.JSONField(_("columns"), default=list, help_text=_("Properties that its columns stand for."))
    lines = models.PositiveIntegerField(_("lines"))
    found = models.JSONField(_("found"), default=dict)
    reasons = models.JSONField(_("reasons"), default=dict)
    check_job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("job that looks at it")
    )
    call_job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("job that calls them")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("handed in by")
    )
    created_at = models.DateTimeField(_("handed in at"))

    class Meta:
        verbose_name = _("list of people to call")
        verbose_name_plural = _("lists of people to call")
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("journey", "-created_at"), name="call_list_by_journey"),)

    def __str__(self) -> str:
        return f"{self.journey_id} {self.created_at:%Y-%m-%d %H:%M}"


class CallListRow(Owned):
    """A line: what it names, whom that is, and whether they would come in, as far as it was looked at."""

    reach = ByBrand("parent__journey__brand", squad="parent__journey__squad")

    class Problem(models.TextChoices):
        BROKEN = "broken", _("the line cannot be read")
        NOT_ONE = "not_one", _("this is no identifier of that kind")
        BAD_DATA = "bad_data", _("a cell does not fit what the journey remembers")
        UNKNOWN = "unknown", _("nobody is known by it")
        AMBIGUOUS = "ambiguous", _("several people are known by it")
        TWICE = "twice", _("the person stands in an earlier line")

    id = models.BigAutoField(primary_key=True)
    parent = models.ForeignKey(
        CallList, on_delete=models.CASCADE, db_index=False, related_name="+", verbose_name=_("list")
    )
    line = models.PositiveIntegerField(_("line"))
    value = personal(models.CharField(_("named"), max_length=300), IDENTIFIER)
    data = personal(models.JSONField(_("data"), default=dict), DOCUMENT)
    profile_id = models.UUIDField(_("profile"), null=True, db_index=True)
    problem = models.CharField(_("problem"), max_length=12, choices=Problem.choices, blank=True)

    class Meta:
        verbose_name = _("line of such a list")
        verbose_name_plural = _("lines of such lists")
        ordering = ("line",)
        constraints = (models.UniqueConstraint(fields=("parent", "line"), name="one_row_per_line"),)

    def __str__(self) -> str:
        return f"{self.parent_id} {self.line}"
