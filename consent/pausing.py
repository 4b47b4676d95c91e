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

_OPEN = """
    SELECT address_id, until FROM consent_pause
    WHERE brand_id = %b AND address_id = ANY(%b) AND ended_at IS NULL AND (%b::text IS NULL OR method = %b)
"""
_END = """
    UPDATE consent_pause SET ended_at = least(until, %b)
    WHERE brand_id = %b AND address_id = ANY(%b) AND ended_at IS NULL
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
    """Have the addresses left in peace until then, in place of what was asked for before.

    Waits for sends in hand, also to those addresses that the pause of a pseudo-address comes to hold for.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        held = _locked(cursor, brand_id, {*address_ids, *also_locked})
        changed = [one for one in sorted(set(address_ids)) if held.get(one) != until]
        if changed and until > now:
            cursor.execute(_END, [now, brand_id, changed])
            cursor.execute(_BEGIN, [brand_id, now, until, method, message_id, changed])


def resume(brand_id: UUID, address_ids: Collection[UUID], now: datetime, *, method: str | None = None) -> bool:
    """End what pauses there are, or those that came by this method; whether there were any. This is no consent: what
    was withdrawn stays withdrawn."""
    with transaction.atomic(), raw_cursor() as cursor:
        if not any(until > now for until in _open(cursor, brand_id, address_ids, method).values()):
            return False
        held = _locked(cursor, brand_id, address_ids, method)
        cursor.execute(_END, [now, brand_id, list(held)])
        return any(until > now for until in held.values())


def is_paused(brand_id: UUID, address_ids: Collection[UUID], now: datetime, *, method: str) -> bool:
    """Whether there is a pause that came by this method."""
    with raw_cursor() as cursor:
        return any(until > now for until in _open(cursor, brand_id, address_ids, method).values())


def paused_until(brand_id: UUID, address_ids: Collection[UUID], now: datetime) -> datetime | None:
    with raw_cursor() as cursor:
        ends = [until for until in _open(cursor, brand_id, address_ids).values() if until > now]
    return max(ends, default=None)


def _locked(
    cursor: Cursor[Any], brand_id: UUID, address_ids: Collection[UUID], method: str | None = None
) -> dict[UUID, datetime]:
    known = _known(cursor, address_ids)
    for address_id in known:
        lock_address(address_id)
    return _open(cursor, brand_id, known, method)


def _known(cursor: Cursor[Any], address_ids: Collection[UUID]) -> list[UUID]:
    """Those that are addresses, by ascending id: a profile without consent of its own has no pseudo-address."""
    cursor.execute("SELECT id FROM customers_address WHERE id = ANY(%b) ORDER BY id", [list(address_ids)])
    return [id_ for (id_,) in cursor]


def _open(
    cursor: Cursor[Any], brand_id: UUID, address_ids: Collection[UUID], method: str | None = None
) -> dict[UUID, datetime]:
    cursor.execute(_OPEN, [brand_id, list(address_ids), method, method])
    return dict(cursor.fetchall())
