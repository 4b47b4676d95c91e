"""What people looked at and bought in a brand, by their events up to a moment; one statement for many people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from channels.catalogue.events import columns, kinds, products_in_sql

BACK: Final = timedelta(days=180)
# Of one profile, the latest.
_MOST_EVENTS: Final = 300
# A clock that is ahead tells of what has not yet been received.
_AHEAD: Final = timedelta(days=1)
_SEEN: Final = """
    WITH k AS (
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::boolean[], %s::text[]) AS k (brand_id, name, is_view, key)
    ), who AS (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS w (customer_id, brand_id, n)
    )
    SELECT w.n, t.id, k.is_view, max(e.occurred_at) AS at
    FROM who w
    JOIN customers_profile f ON f.customer_id = w.customer_id
    CROSS JOIN LATERAL (
        SELECT e.* FROM customers_event e
        WHERE e.profile_id = f.id AND e.brand_id = w.brand_id AND e.name = ANY(%s)
          AND e.occurred_at > %s AND e.occurred_at <= %s AND e.received_at > %s AND e.received_at <= %s
        ORDER BY e.occurred_at DESC LIMIT {most} OFFSET 0
    ) e
    JOIN k ON k.brand_id = e.brand_id AND k.name = e.name
    JOIN customers_eventpayload p ON p.event_id = e.id AND p.received_at = e.received_at
    CROSS JOIN LATERAL {products} AS t
    GROUP BY 1, 2, 3, t.key
    ORDER BY 1, at DESC, t.key
"""


@dataclass(slots=True)
class Seen:
    """Products by their ids: viewed ones, the latest first; and bought ones."""

    viewed: list[UUID] = field(default_factory=list)
    bought: set[UUID] = field(default_factory=set)


def seen(people: Sequence[tuple[UUID, UUID]], now: datetime) -> list[Seen]:
    """For each (customer, brand) what they saw; what was received or happened after `now` nobody knew then."""
    found = [Seen() for _one in people]
    if not people:
        return found
    known = kinds({brand for _customer, brand in people})
    products, values = products_in_sql()
    customers, brands = zip(*people, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _SEEN.format(most=_MOST_EVENTS, products=products),
            [
                *columns(known),
                list(customers),
                list(brands),
                sorted({one.name for one in known}),
                now - BACK,
                now,
                now - BACK - _AHEAD,
                now,
                *values,
            ],
        )
        for n, product, is_view, _at in cursor:
            if is_view:
                found[n - 1].viewed.append(product)
            else:
                found[n - 1].bought.add(product)
    return found
