"""`recently_viewed` and `recommended` in templates: products by what somebody looked at, if they allow that.

Whether they do is asked of the purpose that the brand names for it, at the address the message goes to: who withdrew,
never agreed where that is needed, or had processing restricted gets empty lists, and so does everybody in a brand that
names no purpose.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from channels.catalogue.looked_at import Seen, seen
from channels.catalogue.shown import shown
from channels.dispatch import extras
from channels.dispatch.extras import Want
from channels.models import Recommending
from consent.permission import Ask, permissions
from customers.pg import raw_cursor

MOST: Final = 12
# What was looked at before is of less weight, and of more than these nothing is asked.
_SEEDS: Final = 10
_BEST: Final = """
    WITH want AS (SELECT * FROM unnest(%b::int[], %b::uuid[]) AS w (n, brand_id)),
    seed AS (SELECT * FROM unnest(%b::int[], %b::uuid[], %b::int[]) AS s (n, product_id, place)),
    known AS (SELECT * FROM unnest(%b::int[], %b::uuid[]) AS g (n, product_id)),
    found AS (
        SELECT s.n, a.other_id, sum(a.weight / (1 + s.place)) AS weight, 0 AS rest
        FROM seed s JOIN channels_alsoviewed a ON a.product_id = s.product_id GROUP BY 1, 2
        UNION ALL
        SELECT w.n, a.other_id, a.weight, 1
        FROM want w JOIN channels_alsoviewed a ON a.brand_id = w.brand_id AND a.product_id IS NULL
    ), best AS (
        SELECT DISTINCT ON (n, other_id) n, other_id, weight, rest FROM found ORDER BY n, other_id, rest
    )
    SELECT n, other_id FROM (
        SELECT b.*, row_number() OVER (PARTITION BY b.n ORDER BY b.rest, b.weight DESC, b.other_id) AS place
        FROM best b JOIN channels_product t ON t.id = b.other_id AND t.is_active AND t.is_available
        WHERE NOT EXISTS (SELECT 1 FROM known g WHERE g.n = b.n AND g.product_id = b.other_id)
    ) one WHERE place <= %b ORDER BY n, place
"""


def recently_viewed(wants: Sequence[Want], now: datetime, _until: float) -> Sequence[Any]:
    """The products that each looked at in this brand, the latest first."""
    allowed = _allowed(wants, now)
    found = seen([(wants[n].customer_id or wants[n].profile_id, wants[n].brand_id) for n in allowed], now)
    return _lists(wants, {n: one.viewed for n, one in zip(allowed, found, strict=True)})


def recommended(wants: Sequence[Want], now: datetime, _until: float) -> Sequence[Any]:
    """What others viewed as well who viewed the same, then what is viewed most; nothing that they viewed or bought."""
    allowed = _allowed(wants, now)
    found = seen([(wants[n].customer_id or wants[n].profile_id, wants[n].brand_id) for n in allowed], now)
    return _lists(wants, _best([(n, wants[n].brand_id) for n in allowed], found) if allowed else {})


def register() -> None:
    extras.register("recently_viewed", recently_viewed)
    extras.register("recommended", recommended)


def _allowed(wants: Sequence[Want], now: datetime) -> list[int]:
    """Who of them may be shown products by what they looked at."""
    purposes = dict(
        Recommending.objects.filter(brand_id__in={want.brand_id for want in wants}).values_list(
            "brand_id", "purpose_id"
        )
    )
    asks = {
        # Without an address it is asked of the person as such, whose id is the profile's.
        n: Ask(want.customer_id, want.address_id or want.profile_id, purposes[want.brand_id])
        for n, want in enumerate(wants)
        if want.brand_id in purposes and want.customer_id is not None
    }
    # Who pauses messages wants none for a while; what may be in them is another question.
    verdicts = permissions(list(asks.values()), now, heed_pauses=False)
    return [n for n, verdict in zip(asks, verdicts, strict=True) if verdict.allowed]


def _best(people: Sequence[tuple[int, UUID]], found: Sequence[Seen]) -> Mapping[int, list[UUID]]:
    seeds = [
        (n, product, place)
        for (n, _brand), one in zip(people, found, strict=True)
        for place, product in enumerate(one.viewed[:_SEEDS])
    ]
    known = [
        (n, product) for (n, _brand), one in zip(people, found, strict=True) for product in {*one.viewed, *one.bought}
    ]
    best: dict[int, list[UUID]] = {}
    with raw_cursor() as cursor:
        cursor.execute(_BEST, [*_columns(people, 2), *_columns(seeds, 3), *_columns(known, 2), MOST])
        for n, product in cursor.fetchall():
            best.setdefault(n, []).append(product)
    return best


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[n] for row in rows] for n in range(count)]


def _lists(wants: Sequence[Want], products: Mapping[int, list[UUID]]) -> list[list[dict[str, Any]]]:
    known = shown({one for listed in products.values() for one in listed})
    return [
        [known[one].to(wants[n].locale, wants[n].brand_locale) for one in products.get(n, ()) if one in known][:MOST]
        for n in range(len(wants))
    ]
