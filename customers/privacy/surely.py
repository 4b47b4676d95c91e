"""Whether a name or an address leads to people beyond whom it surely means: anybody can have put theirs to another's on
a page, and what a page says of who somebody is goes into the graph as a claim."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from customers.models.identity import Assurance
from customers.privacy.subject import Naming

# From where it begins along the edges that are more than claims. Beyond is who was named by more than pages and is
# held to be the same person all the same.
_BEYOND: Final = """
    WITH RECURSIVE surely(id, customer_id) AS (
        SELECT p.id, p.customer_id FROM customers_profile p WHERE p.id = ANY(%(profiles)s)
        UNION
        SELECT p.id, p.customer_id
        FROM surely JOIN LATERAL (
            SELECT high_id AS id FROM customers_edge
            WHERE low_id = surely.id AND kind <> 'split' AND NOT skipped AND assurance > %(claim)s
            UNION ALL
            SELECT low_id FROM customers_edge
            WHERE high_id = surely.id AND kind <> 'split' AND NOT skipped AND assurance > %(claim)s
        ) other ON true
        JOIN customers_profile p ON p.id = other.id AND p.customer_id = surely.customer_id
    )
    SELECT EXISTS (
        SELECT 1 FROM customers_profile p
        WHERE p.customer_id = ANY(%(customers)s) AND p.id NOT IN (SELECT id FROM surely)
          AND EXISTS (
              SELECT 1 FROM customers_profilesource s WHERE s.profile_id = p.id AND s.assurance > %(claim)s
          )
    )
"""
_NAMED: Final = """
    SELECT p.id, p.customer_id
    FROM unnest(%(spaces)s::uuid[], %(kinds)s::text[], %(names)s::text[]) AS u(space, kind, name)
    JOIN customers_identifier i ON i.value = u.name AND i.kind_id = u.kind AND i.namespace = u.space
    JOIN customers_profile p ON p.id = i.profile_id
    WHERE i.closed_at IS NULL
"""
# Who uses an address: whoever was surely seen with it, and whom it is a name of itself.
_USERS: Final = """
    SELECT s.profile_id FROM customers_addressprofile s JOIN customers_address a ON a.id = s.address_id
    WHERE s.address_id = %(address)s AND (s.assurance > %(claim)s OR EXISTS (
        SELECT 1 FROM customers_identifier i
        WHERE i.profile_id = s.profile_id AND i.value = a.value AND i.kind_id IN ('email', 'phone')
          AND i.closed_at IS NULL
    ))
"""


def leads_beyond(names: Sequence[Naming]) -> bool:
    spaces, kinds, values = (list(column) for column in zip(*(one[:3] for one in names), strict=True))
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"spaces": spaces, "kinds": kinds, "names": values}
        cursor.execute(_NAMED, given)
        rows = cursor.fetchall()
        return bool(rows) and _beyond(cursor, [row[0] for row in rows], {row[1] for row in rows})


def address_leads_beyond(address_id: UUID, customer_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_USERS, {"address": address_id, "claim": int(Assurance.CLAIMED)})
        return _beyond(cursor, [row[0] for row in cursor.fetchall()], [customer_id])


def _beyond(cursor: Any, profiles: Sequence[UUID], customers: Collection[UUID]) -> bool:
    cursor.execute(_BEYOND, {"profiles": list(profiles), "customers": list(customers), "claim": int(Assurance.CLAIMED)})
    return bool(cursor.fetchone()[0])
