"""Runs entered = live + completed + exited + failed + expired + merged (DESIGN §6)."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.equation import Equation, Part
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
_COUNTS = ", ".join("count(*) FILTER (WHERE r.status = %s)" for _status in _KEYS)
_SQL = f"""
    SELECT (SELECT count(*) FROM journeys_run r JOIN journeys_transition t ON t.run_id = r.id
            WHERE r.journey_id = %s AND t.cause = %s), {_COUNTS}
    FROM journeys_run r WHERE r.journey_id = %s
"""


def runs_entered(journey_id: UUID) -> Equation:
    """How many runs entered the journey, and what became of them."""
    statuses = [status.value for status in _KEYS]
    [(total, *counts)] = rows(_SQL, [journey_id, Cause.ENTERED.value, *statuses, journey_id])
    parts = tuple(
        Part(key, _("live") if key == "live" else status.label, count)
        for (status, key), count in zip(_KEYS.items(), counts, strict=True)
    )
    return Equation("runs_entered", LABEL, DEFINITION, total, parts)
