"""Calls of other systems, by what became of them: waiting, answered, failed by the error's name, no longer needed."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Part
from analytics.metrics.period import ALWAYS, Period, parameters
from analytics.metrics.query import rows
from journeys.models import Call
from journeys.retry import ERRORS

LABEL = _("Calls of other systems")
DEFINITION = _(
    "What runs asked other systems in this period, counted once however often it was tried, by what became of it. One "
    "that failed is counted under the error of its last attempt."
)

_SQL: Final = """
    SELECT state, CASE state WHEN 'failed' THEN error ELSE '' END, count(*) FROM journeys_call
    WHERE journey_id = %(journey)s AND created_at >= %(since)s AND created_at < %(until)s
    GROUP BY 1, 2
"""
_ORDER: Final = ("waiting", "calling", "answered", "failed", "left")


@dataclass(frozen=True, slots=True)
class CallsMade:
    label: str | Promise
    definition: str | Promise
    by_outcome: tuple[Part, ...]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.by_outcome)


def calls_made(journey_id: UUID, period: Period = ALWAYS) -> CallsMade:
    """Errors in the order of how frequent they are."""
    found = sorted(rows(_SQL, parameters(journey_id, period)), key=lambda row: (_ORDER.index(row[0]), -row[2], row[1]))
    parts = (Part(f"{state}_{error}".rstrip("_"), _label(state, error), count) for state, error, count in found)
    return CallsMade(LABEL, DEFINITION, tuple(parts))


def _label(state: str, error: str) -> str | Promise:
    if not error:
        return Call.State(state).label
    said = ERRORS.get(error)
    name = error if said is None else format_lazy("{error} ({said})", error=error, said=said)
    return format_lazy("{state}: {name}", state=Call.State(state).label, name=name)
