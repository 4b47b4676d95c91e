"""Peace for a while: nothing of a brand to an address until a day, whatever was granted, but what law demands."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from psycopg import Cursor

from consent.addresses import ids_of, person
from consent.permission import lock_address
from customers.models import Profile
from customers.moments import months_on
from customers.pg import raw_cursor

# What people may choose: (weeks, months).
SPANS: Final[dict[str, tuple[int, int]]] = {"1w": (1, 0), "1m": (0, 1), "3m": (0, 3)}

# An address has one for each method by which pauses come: who set one ends it, and nobody else's.
_OPEN = """
    SELECT address_id, method, until FROM consent_pause
    WHERE brand_id = %b AND address_id = ANY(%b) AND ended_at IS NULL
"""
_END = """
    UPDATE consent_pause SET ended_at = least(until, %b)
    WHERE brand_id = %b AND address_id = ANY(%b) AND ended_at IS NULL AND (%b::text IS NULL OR method = %b)
"""
_BEGIN = """
    INSERT INTO consent_pause (brand_id, address_id, since, until, method, message_id)
    SELECT %b, u.id, %b, %b, %b, %b FROM unnest(%b::uuid[]) AS u(id) ORDER BY u.id
"""


def end_of(span: str, zone: str, now: datetime) -> datetime:
    """The midnight of the brand's zone with which a pause of this span ends; asked again the same day, the same."""
    weeks, months = SPANS[span]
    place = ZoneInfo(zone)
    day = months_on(now.astimezone(place).date(), months) + timedelta(weeks=weeks)
    return datetime.combine(day, time(), place)


def person_address(profile_id: UUID, now: datetime) -> UUID:
    """The pseudo-address on which a pause holds for all addresses of whoever this is."""
    place = person(profile_id)
    with raw_cursor() as cursor:
        return ids_of(cursor, {place: place.value}, now)[place]


def addresses_of(customer_id: UUID) -> list[UUID]:
    """The pseudo-addresses of a customer, whether or not anything hangs on them."""
    return list(Profile.objects.filter(customer_id=customer_id).order_by("pk").values_list("pk", flat=True))


def pause(
    brand_id: UUID,
    address_ids: Collection[UUID],
    until: datetime,
    now: datetime,
    *,
    method: str,
    message_id: str = "",
    also_locked: Collection[UUID] = (),
) -> None:
    """Have the addresses left in peace until then, in place of what was asked for by this method before.

    Waits for sends in hand, also to those addresses that the pause of a pseudo-address comes to hold for.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        known = _locked(cursor, {*address_ids, *also_locked})
        held = {address: end for address, way, end in _open(cursor, brand_id, known) if way == method}
        changed = [one for one in sorted(set(address_ids)) if held.get(one) != until]
        if changed and until > now:
            cursor.execute(_END, [now, brand_id, changed, method, method])
            cursor.execute(_BEGIN, [brand_id, now, until, method, message_id, changed])


def resume(brand_id: UUID, address_ids: Collection[UUID], now: datetime, *, method: str | None = None) -> bool:
    """End what pauses there are, or those that came by this method; whether there were any. This is no consent: what
    was withdrawn stays withdrawn."""
    with transaction.atomic(), raw_cursor() as cursor:
        known = _locked(cursor, address_ids)
        held = [end for _address, way, end in _open(cursor, brand_id, known) if method in (None, way)]
        cursor.execute(_END, [now, brand_id, known, method, method])
        return any(end > now for end in held)


def paused_until(brand_id: UUID, address_ids: Collection[UUID], now: datetime) -> datetime | None:
    """When the last of their pauses ends; None where none holds."""
    return max(ends(brand_id, address_ids, now).values(), default=None)


def ends(brand_id: UUID, address_ids: Collection[UUID], now: datetime) -> dict[str, datetime]:
    """By the methods by which pauses came that hold for these addresses: when the last of each ends."""
    found: dict[str, datetime] = {}
    with raw_cursor() as cursor:
        for _address, method, until in _open(cursor, brand_id, address_ids):
            if until > now:
                found[method] = max(until, found.get(method, until))
    return found


def _locked(cursor: Cursor[Any], address_ids: Collection[UUID]) -> list[UUID]:
    """Those that are addresses, by ascending id: a profile without consent of its own has no pseudo-address."""
    cursor.execute("SELECT id FROM customers_address WHERE id = ANY(%b) ORDER BY id", [list(address_ids)])
    known = [id_ for (id_,) in cursor]
    for address_id in known:
        lock_address(address_id)
    return known


def _open(cursor: Cursor[Any], brand_id: UUID, address_ids: Collection[UUID]) -> list[tuple[UUID, str, datetime]]:
    return cursor.execute(_OPEN, [brand_id, list(address_ids)]).fetchall()
