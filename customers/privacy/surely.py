"""Whether a name leads to people who are surely known only by what a page claims: anybody can have put it to them."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from customers.privacy.subject import Naming

# The name is an address that only pages told of, of a customer of whom others told more.
_BEYOND: Final = """
    SELECT EXISTS (
        SELECT 1
        FROM unnest(%(spaces)s::uuid[], %(kinds)s::text[], %(names)s::text[]) AS u(space, kind, name)
        JOIN customers_identifier i ON i.value = u.name AND i.kind_id = u.kind AND i.namespace = u.space
        JOIN customers_profile p ON p.id = i.profile_id
        WHERE i.closed_at IS NULL AND i.kind_id IN ('email', 'phone')
          AND NOT EXISTS (
              SELECT 1 FROM customers_addressprofile s JOIN customers_address a ON a.id = s.address_id
              WHERE a.value = i.value AND a.channel <> 'person' AND s.assurance > 1
          ) AND EXISTS (
              SELECT 1 FROM customers_profile o JOIN customers_addressprofile s ON s.profile_id = o.id
              WHERE o.customer_id = p.customer_id AND s.assurance > 1
          )
    )
"""


def leads_beyond(names: Sequence[Naming]) -> bool:
    spaces, kinds, values = (list(column) for column in zip(*(one[:3] for one in names), strict=True))
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"spaces": spaces, "kinds": kinds, "names": values}
        cursor.execute(_BEYOND, given)
        return bool(cursor.fetchone()[0])
