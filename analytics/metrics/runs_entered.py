"""Runs entered = live + completed + exited + failed + expired + merged (DESIGN §6)."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Equation, Part
from analytics.metrics.period import ALWAYS, COHORT, MOVES, Period, parameters
from analytics.metrics.query import rows
from journeys.models import Cause, Run

LABEL = _("Runs entered")
DEFINITION = _(
    "Transitions into the journey, from the append-only history of its runs; the parts are its runs by their status "
    "now. A run that entered twice or never, or has no known status, breaks the sum; a run lost together with its "
    "history would not."
)

_KEYS = {Run.Status.ACTIVE: "live"} | {
    status: status.name.lower() for status in Run.Status if status is not Run.Status.ACTIVE
}
_COUNTS = ", ".join(f"count(*) FILTER (WHERE c.status = {status.value})" for status in _KEYS)
_SQL = f"""
    WITH {COHORT}
    SELECT (SELECT count(*) FROM {MOVES}
            WHERE t.cause = {Cause.ENTERED.value}), {_COUNTS}
    FROM cohort c
"""


def runs_entered(journey_id: UUID, period: Period = ALWAYS) -> Equation:
    """How many runs entered the journey, and what became of them."""
    [(total, *counts)] = rows(_SQL, parameters(journey_id, period))
    parts = tuple(
        Part(key, _("live") if key == "live" else status.label, count)
        for (status, key), count in zip(_KEYS.items(), counts, strict=True)
    )
    return Equation("runs_entered", LABEL, DEFINITION, total, parts)
