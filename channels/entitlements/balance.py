"""What customers have: now, or as of a moment past."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from channels.entitlements.leaf import Held

# From the ledger alone: what a grant has become since does not count.
_AS_OF: Final = """
    SELECT e.brand_id, e.key, count(*) FILTER (WHERE e.quantity IS NULL AND NOT l.is_over),
           coalesce(sum(e.quantity - l.gone) FILTER (WHERE NOT l.is_over), 0)::bigint
    FROM channels_entitlement e
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n.quantity) FILTER (WHERE n.kind <> 'grant'), 0) AS gone,
               coalesce(bool_or(n.kind IN ('revoke', 'expire')), false) AS is_over
        FROM channels_entitlemententry n WHERE n.entitlement_id = e.id AND n.at <= %b
    ) l
    WHERE e.profile_id = ANY(%b) AND e.granted_at <= %b AND (e.expires_at IS NULL OR e.expires_at > %b)
    GROUP BY 1, 2
"""
_STANDING: Final = """
    SELECT p.customer_id, e.brand_id, e.key,
           count(*) FILTER (WHERE e.state = 'open' AND (e.expires_at IS NULL OR e.expires_at > %b)),
           count(*) FILTER (WHERE e.state <> 'revoked')
    FROM channels_entitlement e JOIN customers_profile p ON p.id = e.profile_id
    WHERE p.customer_id = ANY(%b) AND e.key = ANY(%b) GROUP BY 1, 2, 3
"""
_HELD: Final = """
    SELECT p.customer_id, e.brand_id, e.key, e.remaining, e.expires_at
    FROM customers_profile p JOIN channels_entitlement e ON e.profile_id = p.id
    WHERE p.customer_id = ANY(%b) AND e.key = ANY(%b) AND e.state = 'open'
      AND (e.expires_at IS NULL OR e.expires_at > %b)
"""
_OPEN: Final = """
    SELECT p.customer_id, e.brand_id, e.key, e.id
    FROM channels_entitlement e JOIN customers_profile p ON p.id = e.profile_id
    WHERE p.customer_id = ANY(%b) AND e.key = ANY(%b) AND e.state = 'open'
      AND (e.expires_at IS NULL OR e.expires_at > %b)
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """`is_free`: something is held that is used without counting."""

    counted: int = 0
    is_free: bool = False


def balances(cursor: Cursor[Any], profiles: Collection[UUID], at: datetime) -> dict[tuple[UUID, str], Balance]:
    """By (brand, key), what these profiles of one customer had at that moment."""
    rows = cursor.execute(_AS_OF, [at, list(profiles), at, at]).fetchall()
    found = {(brand, key): Balance(int(counted), bool(free)) for brand, key, free, counted in rows}
    return {place: one for place, one in found.items() if one.counted or one.is_free}


@dataclass(slots=True)
class Standing:
    """Of one key: how many grants are open, and how many there ever were that were not taken back."""

    open: int = 0
    ever: int = 0


def standing(
    cursor: Cursor[Any], customers: Collection[UUID], keys: Collection[str], now: datetime
) -> dict[tuple[UUID, UUID, str], Standing]:
    """By (customer, brand, key)."""
    rows = cursor.execute(_STANDING, [now, list(customers), list(keys)]).fetchall()
    return {tuple(row[:3]): Standing(row[3], row[4]) for row in rows}


def open_grants(
    cursor: Cursor[Any], customers: Collection[UUID], keys: Collection[str], now: datetime
) -> dict[tuple[UUID, UUID, str], list[UUID]]:
    """By (customer, brand, key), the grants that could be taken back."""
    found: dict[tuple[UUID, UUID, str], list[UUID]] = {}
    for customer, brand, key, id_ in cursor.execute(_OPEN, [list(customers), list(keys), now]).fetchall():
        found.setdefault((customer, brand, key), []).append(id_)
    return found


def held(
    cursor: Cursor[Any], customers: Collection[UUID], keys: Collection[str], now: datetime
) -> dict[tuple[UUID, UUID], list[Held]]:
    """By (customer, brand), the grants of these keys that are good now, as rules look at them."""
    found: dict[tuple[UUID, UUID], list[Held]] = {}
    rows = cursor.execute(_HELD, [sorted(customers), sorted(keys), now], prepare=True).fetchall()
    for customer, brand, *grant in rows:
        found.setdefault((customer, brand), []).append(Held(*grant))
    return found
