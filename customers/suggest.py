"""Names to choose from where a rule is written: what the registry knows, and what some people of the brand have.

Names only: nobody's values are suggested to anybody.
"""

from typing import Final
from uuid import UUID

from django.db import connection

from customers.models import EventType

# So many people tell what traits there are, and so many names are offered at most.
_ASKED: Final = 500
MOST: Final = 500

_TRAITS: Final = """
    SELECT name, max(label) FROM (
        SELECT name, label FROM customers_traitdefinition
        UNION ALL
        SELECT jsonb_object_keys(c.traits), '' FROM (
            SELECT DISTINCT p.customer_id FROM (
                SELECT profile_id FROM customers_profilebrand WHERE brand_id = %s LIMIT %s
            ) seen JOIN customers_profile p ON p.id = seen.profile_id
        ) asked JOIN customers_customer c ON c.id = asked.customer_id
    ) known GROUP BY name ORDER BY name LIMIT %s
"""
_PROPERTIES: Final = """
    SELECT DISTINCT said.name, t.name FROM customers_eventtype t
    JOIN customers_schemaversion v ON v.event_type_id = t.id AND v.status <> 'draft'
    CROSS JOIN LATERAL jsonb_object_keys(
        CASE jsonb_typeof(v.schema -> 'properties') WHEN 'object' THEN v.schema -> 'properties' ELSE '{}' END
    ) said(name)
    WHERE t.brand_id = %s ORDER BY 1, 2 LIMIT %s
"""


def trait_names(brand_id: UUID) -> list[tuple[str, str]]:
    """(name, label) of the traits that are defined, or that somebody in the brand has."""
    with connection.cursor() as cursor:
        cursor.execute(_TRAITS, [brand_id, _ASKED, MOST])
        return [(name, label or name) for name, label in cursor.fetchall()]


def event_names(brand_id: UUID) -> list[str]:
    """The brand's event types."""
    return list(EventType.objects.filter(brand=brand_id).order_by("name").values_list("name", flat=True)[:MOST])


def property_names(brand_id: UUID) -> list[tuple[str, str, str]]:
    """(name, label, event) of what the brand's event types say that their events have."""
    with connection.cursor() as cursor:
        cursor.execute(_PROPERTIES, [brand_id, MOST])
        return [(name, name, event) for name, event in cursor.fetchall()]
