"""Events that carry products: which those are in a brand, and which products one of them names."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from customers.models import EventType
from customers.registry import shapes
from customers.registry.upcast_sql import Fragment

# As Segment's specification calls them; a brand's own event types say it by their role.
_VIEWS: Final = ("Product Viewed",)
_ORDERS: Final = ("Order Completed",)


class Kind(NamedTuple):
    """An event by which somebody looks at a product or buys one; `key` is the property that names it, where the event
    type says which."""

    brand_id: UUID
    name: str
    is_view: bool
    key: str


def kinds(brand_ids: Collection[UUID]) -> list[Kind]:
    types = EventType.objects.filter(
        brand_id__in=brand_ids, role__in=(EventType.Role.VIEW, EventType.Role.ORDER)
    ).values_list("brand_id", "name", "role", "key_property")
    # The key of an order is that of the order.
    found = [
        Kind(brand, name, role == EventType.Role.VIEW, key if role == EventType.Role.VIEW else "")
        for brand, name, role, key in types
    ]
    told = {(one.brand_id, one.name) for one in found}
    usual = [(name, True) for name in _VIEWS] + [(name, False) for name in _ORDERS]
    found += [
        Kind(brand, name, is_view, "") for brand in brand_ids for name, is_view in usual if (brand, name) not in told
    ]
    return found


def columns(of: Sequence[Kind]) -> list[list[Any]]:
    """As unnest takes them."""
    return [[row[n] for row in of] for n in range(len(Kind._fields))]


def products_in_sql() -> Fragment:
    """Rows of `id` and `key`: the products of the brand that `e`, with its payload `p`, names: one by itself, and one
    by each item of its list of `products`. The property of its kind `k` comes before what Segment calls it, and what
    is no product of the brand is passed over: shops send the number of a variant beside that of its product."""
    said, values = shapes.said_in_sql()
    return (
        f"""(
        WITH s AS MATERIALIZED (SELECT {said} AS d)
        SELECT t.id, t.key FROM (
            SELECT s.d AS one, false AS is_item FROM s
            UNION ALL
            (SELECT value, true FROM s, jsonb_array_elements(
                CASE WHEN jsonb_typeof(s.d -> 'products') = 'array' THEN s.d -> 'products' ELSE '[]' END
            ) LIMIT 100)
        ) said
        CROSS JOIN LATERAL (
            SELECT t.id, t.key FROM (VALUES
                (1, CASE WHEN k.key <> '' THEN said.one ->> k.key END), (2, said.one ->> 'sku'),
                (3, said.one ->> 'product_id'), (4, CASE WHEN said.is_item THEN said.one ->> 'key' END)
            ) x (place, key)
            JOIN channels_product t ON t.brand_id = e.brand_id AND t.key = x.key
            ORDER BY x.place LIMIT 1
        ) t
        WHERE jsonb_typeof(said.one) = 'object'
    )""",
        values,
    )
