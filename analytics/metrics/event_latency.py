"""Event latency: how long after an event the journey decided what it means."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.period import ALWAYS, COHORT, MOVES, Period, parameters
from analytics.metrics.query import rows
from journeys.models import EXITS, Cause

LABEL = _("Event latency P95")
DEFINITION = _(
    "From the event to the transition it caused (entry, resumed wait, exit): 95 of 100 took at most this long, once "
    "since the event occurred and once since we received it. An event that was here before its run came to the "
    "wait it ended counts from that coming. Historical events are left out."
)

_DECIDING = (Cause.ENTERED, Cause.EVENT, *EXITS)
_SQL = f"""
    WITH {COHORT}
    SELECT count(*),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY d.at - CASE WHEN d.waited THEN d.came ELSE d.occurred_at END),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY d.at - CASE WHEN d.waited THEN d.came ELSE d.received_at END)
    FROM (
        SELECT t.at, e.occurred_at, e.received_at, t.came, coalesce(t.came > e.received_at, false) AS waited
        FROM (
            SELECT t.*, lag(t.at) OVER (PARTITION BY t.run_id ORDER BY t.seq) AS came
            FROM {MOVES}
        ) t CROSS JOIN LATERAL (
            SELECT e.occurred_at, e.received_at, e.historical FROM customers_event e
            WHERE e.id = t.event_id AND e.received_at = t.event_received_at OFFSET 0
        ) e
        WHERE t.cause = ANY(%(deciding)s) AND NOT e.historical
    ) d
"""


@dataclass(frozen=True, slots=True)
class EventLatency:
    """The percentiles are None when no event decided anything."""

    label: str | Promise
    definition: str | Promise
    events: int
    occurred_to_decided: timedelta | None
    received_to_decided: timedelta | None


def event_latency(journey_id: UUID, period: Period = ALWAYS) -> EventLatency:
    deciding = [cause.value for cause in _DECIDING]
    [(events, occurred, received)] = rows(_SQL, parameters(journey_id, period, deciding=deciding))
    return EventLatency(LABEL, DEFINITION, events, occurred, received)
