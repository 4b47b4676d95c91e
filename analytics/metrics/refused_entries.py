"""Entries refused, by reason: counted apart, because no run came of them."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Part
from analytics.metrics.period import ALWAYS, Period, parameters
from analytics.metrics.query import rows
from journeys.models import EntryRefusal

LABEL = _("Refused entries")
DEFINITION = _("Entry events that started no run of the journey, by the reason that was recorded.")

_SQL = """
    SELECT reason, count(*) FROM journeys_entryrefusal
    WHERE journey_id = %(journey)s AND at >= %(since)s AND at < %(until)s GROUP BY reason ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, slots=True)
class RefusedEntries:
    label: str | Promise
    definition: str | Promise
    by_reason: tuple[Part, ...]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.by_reason)


def refused_entries(journey_id: UUID, period: Period = ALWAYS) -> RefusedEntries:
    """The most frequent reason first."""
    labels = dict(EntryRefusal.Reason.choices)
    found = rows(_SQL, parameters(journey_id, period))
    parts = tuple(Part(reason, labels.get(reason, reason), count) for reason, count in found)
    return RefusedEntries(LABEL, DEFINITION, parts)
