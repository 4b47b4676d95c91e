"""Entries by day: how many runs entered on each day of the brand's zone, and how many entries were refused."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.period import Period, parameters
from analytics.metrics.query import rows
from journeys.models import Run

LABEL = _("Entries by day")
DEFINITION = _(
    "Runs by the day they entered, those of them that are live or completed by now, and entries refused on the day; "
    "days are days in the brand's time zone."
)

_SQL = f"""
    WITH entered AS (
        SELECT (entered_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS entered,
               count(*) FILTER (WHERE status = {Run.Status.ACTIVE.value}) AS live,
               count(*) FILTER (WHERE status = {Run.Status.COMPLETED.value}) AS completed
        FROM journeys_run WHERE journey_id = %(journey)s AND entered_at >= %(since)s AND entered_at < %(until)s
        GROUP BY 1
    ), refused AS (
        SELECT (at AT TIME ZONE %(zone)s)::date AS day, count(*) AS refused
        FROM journeys_entryrefusal WHERE journey_id = %(journey)s AND at >= %(since)s AND at < %(until)s
        GROUP BY 1
    )
    SELECT coalesce(entered.day, refused.day),
           coalesce(entered, 0), coalesce(live, 0), coalesce(completed, 0), coalesce(refused, 0)
    FROM entered FULL JOIN refused USING (day) ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class DayOfEntries:
    day: date
    entered: int
    live: int
    completed: int
    refused: int

    @property
    def otherwise(self) -> int:
        """Ended by an exit, a merge or a failure."""
        return self.entered - self.live - self.completed


@dataclass(frozen=True, slots=True)
class EntriesByDay:
    label: str | Promise
    definition: str | Promise
    days: tuple[DayOfEntries, ...]

    def total(self, name: str) -> int:
        return sum(getattr(day, name) for day in self.days)


def entries_by_day(journey_id: UUID, period: Period, zone: str) -> EntriesByDay:
    """Days without any entry are left out."""
    found = rows(_SQL, parameters(journey_id, period, zone=zone))
    return EntriesByDay(LABEL, DEFINITION, tuple(DayOfEntries(*row) for row in found))
