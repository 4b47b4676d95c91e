"""Movement: which touchpoint customers were met at next after which."""

from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.map_basis import WITH_CONTACTS, MapBasis
from analytics.metrics.query import rows

LABEL = _("Movement")
DEFINITION = _(
    "A customer who was sent a message of one touchpoint, or visited it, and whose last contact on this map before "
    "that, at most 30 days earlier, was another touchpoint, has moved from that one to this. It counts on the day of "
    "the later contact."
)

_SQL = (
    WITH_CONTACTS
    + """, arrival AS (
        -- To several devices at once is to one customer.
        SELECT DISTINCT c.touchpoint_id, c.at, p.customer_id
        FROM contact c JOIN customers_profile p ON p.id = c.profile_id
    )
    SELECT before.touchpoint_id, a.touchpoint_id, (a.at AT TIME ZONE %(zone)s)::date, count(*)
    FROM arrival a CROSS JOIN LATERAL (
        SELECT touchpoint_id FROM (
            (SELECT step.touchpoint_id, m.settled_at AS at
             FROM customers_profile p JOIN channels_message m ON m.profile_id = p.id
             JOIN step ON step.journey_id = m.scope_id AND step.step_id = m.step_id
             WHERE p.customer_id = a.customer_id AND m.state = ANY(%(sent)s)
               AND m.settled_at < a.at AND m.settled_at >= a.at - interval '30 days'
             ORDER BY m.settled_at DESC, step.touchpoint_id LIMIT 1)
            UNION ALL
            (SELECT visit.touchpoint_id, e.occurred_at
             FROM customers_profile p JOIN customers_event e ON e.profile_id = p.id JOIN visit ON visit.name = e.name
             WHERE p.customer_id = a.customer_id AND e.brand_id = %(brand)s
               AND e.occurred_at < a.at AND e.occurred_at >= a.at - interval '30 days'
               AND e.received_at > a.at - interval '31 days'
             ORDER BY e.occurred_at DESC, visit.touchpoint_id LIMIT 1)
        ) earlier ORDER BY at DESC, touchpoint_id LIMIT 1
    ) before
    WHERE before.touchpoint_id <> a.touchpoint_id
    GROUP BY 1, 2, 3
"""
)


def touchpoint_moves(basis: MapBasis, since: datetime, until: datetime) -> list[tuple[UUID, UUID, date, int]]:
    """(from, to, day, moves)."""
    found = rows(_SQL, basis.parameters(since, until))
    return [(from_, to, day, count) for from_, to, day, count in found]
