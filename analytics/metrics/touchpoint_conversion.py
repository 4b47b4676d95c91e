"""Conversion: how many of the contacts at a touchpoint were followed by what was hoped for."""

from datetime import date, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from analytics.metrics.map_basis import WITH_CONTACTS, MapBasis
from analytics.metrics.query import rows

LABEL = _("Conversion")
DEFINITION = _(
    "Of the messages sent and visits of the period, the share after which the same customer’s expected event occurred "
    "within the touchpoint’s window, in the same brand. It counts on the day of the contact, each contact once, "
    "whatever else the customer was sent: it shows what followed, not what caused it. Contacts whose window is still "
    "open may yet convert."
)

_SQL = (
    WITH_CONTACTS
    + """
    SELECT c.touchpoint_id, (c.at AT TIME ZONE %(zone)s)::date, count(*)
    FROM contact c JOIN goal ON goal.touchpoint_id = c.touchpoint_id
    WHERE EXISTS (
        SELECT FROM customers_profile met
        JOIN customers_profile same ON same.customer_id = met.customer_id
        JOIN customers_event e ON e.profile_id = same.id
        WHERE met.id = c.profile_id AND e.name = goal.name AND e.brand_id = %(brand)s
          AND e.occurred_at > c.at AND e.occurred_at <= c.at + make_interval(days => goal.days)
          AND e.received_at > c.at - interval '1 day'
    )
    GROUP BY 1, 2
"""
)


def touchpoint_conversion(basis: MapBasis, since: datetime, until: datetime) -> list[tuple[UUID, date, int]]:
    """(touchpoint, day of the contact, contacts that converted), for touchpoints with an expected event."""
    if not basis.goals:
        return []
    found = rows(_SQL, basis.parameters(since, until))
    return [(touchpoint, day, count) for touchpoint, day, count in found]
