"""Errors: what went wrong in a journey and asks for a person."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Part
from analytics.metrics.period import ALWAYS, COHORT, Period, messages_of, parameters
from analytics.metrics.query import rows
from channels.models import Message, Reason
from journeys.models import Run

LABEL = _("Errors")
DEFINITION = _(
    "Runs given up after five attempts, and messages that failed or of which nobody knows whether they were sent, by "
    "reason. Messages that were not permitted, late or no longer needed are no errors."
)

_SQL = f"""
    WITH {COHORT}
    SELECT 'run', '', count(*) FROM cohort WHERE status = {Run.Status.FAILED.value} HAVING count(*) > 0
    UNION ALL
    SELECT m.state, m.reason, count(*) FROM {{messages}}
    WHERE m.state IN ('failed', 'unknown') GROUP BY 1, 2
    ORDER BY 3 DESC, 1, 2
"""


@dataclass(frozen=True, slots=True)
class JourneyErrors:
    label: str | Promise
    definition: str | Promise
    by_kind: tuple[Part, ...]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.by_kind)


def journey_errors(journey_id: UUID, period: Period = ALWAYS) -> JourneyErrors:
    """The most frequent kind first."""
    found = rows(_SQL.format(messages=messages_of(period)), parameters(journey_id, period))
    parts = tuple(Part(_key(kind, reason), _label(kind, reason), count) for kind, reason, count in found)
    return JourneyErrors(LABEL, DEFINITION, parts)


def _key(kind: str, reason: str) -> str:
    return "run_failed" if kind == "run" else f"message_{kind}_{reason}".rstrip("_")


def _label(kind: str, reason: str) -> str:
    if kind == "run":
        return str(_("runs given up"))
    reasons = dict(Reason.choices)
    return f"{Message.State(kind).label}: {reasons.get(reason, reason)}".rstrip(": ")
