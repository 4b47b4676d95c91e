"""Event latency: how long after an event the journey decided what it means."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.metrics.query import rows
from journeys.models import Cause

LABEL = _("Event latency P95")
DEFINITION = _(
    "From the event to the transition it caused (entry, resumed wait, exit): 95 of 100 took at most this long, once "
    "since the event occurred and once since we received it. An event that was here before its run came to the "
    "wait it ended counts from that coming. Historical events are left out."
)

_DECIDING = (Cause.ENTERED, Cause.EVENT, Cause.EXIT)
_SQL = """
    SELECT count(*),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY d.at - CASE WHEN d.waited THEN d.came ELSE d.occurred_at END),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY d.at - CASE WHEN d.waited THEN d.came ELSE d.received_at END)
    FROM (
        SELECT t.at, e.occurred_at, e.received_at, before.at AS came,
               coalesce(before.at > e.received_at, false) AS waited
        FROM journeys_run r
        JOIN journeys_transition t ON t.run_id = r.id
        JOIN customers_event e ON e.id = t.event_id AND e.received_at = t.event_received_at
        LEFT JOIN journeys_transition before ON before.run_id = t.run_id AND before.seq = t.seq - 1
        WHERE r.journey_id = %s AND t.cause = ANY(%s) AND NOT e.historical
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


def event_latency(journey_id: UUID) -> EventLatency:
    [(events, occurred, received)] = rows(_SQL, [journey_id, [cause.value for cause in _DECIDING]])
    return EventLatency(LABEL, DEFINITION, events, occurred, received)
