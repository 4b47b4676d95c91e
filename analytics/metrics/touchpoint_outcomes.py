"""What came of a touchpoint: messages sent, visits, and messages not sent by reason."""

from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.map_basis import WITH_CONTACTS, MapBasis
from analytics.metrics.query import rows

LABEL = _("Sent and not sent")
DEFINITION = _(
    "Sent: messages of the steps that realise the touchpoint which the provider took, on the day it took them, in the "
    "brand’s zone; steps of past versions count as well. Visits: events that show a customer was there. Not sent: "
    "messages of these steps that were settled otherwise, by reason. Unknown: perhaps sent. Messages still waiting are "
    "in none of these."
)

_SQL = (
    WITH_CONTACTS
    + """
    SELECT touchpoint_id, (at AT TIME ZONE %(zone)s)::date, outcome, count(*) FROM contact GROUP BY 1, 2, 3
    UNION ALL
    SELECT step.touchpoint_id, (m.settled_at AT TIME ZONE %(zone)s)::date,
           CASE WHEN m.state = 'unknown' THEN m.state ELSE coalesce(nullif(m.reason, ''), m.state) END, count(*)
    FROM channels_message m JOIN step ON step.journey_id = m.scope_id AND step.step_id = m.step_id
    WHERE m.scope_id = ANY(%(journeys)s::uuid[]) AND m.settled_at BETWEEN %(since)s AND %(until)s
      AND NOT m.state = ANY(%(sent)s)
    GROUP BY 1, 2, 3
"""
)


def touchpoint_outcomes(basis: MapBasis, since: datetime, until: datetime) -> list[tuple[UUID, date, str, int]]:
    """(touchpoint, day, outcome, count); outcomes that are no `Outcome` are the outbox's reasons."""
    found = rows(_SQL, basis.parameters(since, until))
    return [(touchpoint, day, outcome, count) for touchpoint, day, outcome, count in found]
