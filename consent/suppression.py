"""Suppressions: addresses that nothing is sent to, by which way they came; those of the erased come back with the
address, and only a proven word since lifts them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from consent import telling

_ADD: Final = """
    INSERT INTO consent_suppression (address_id, brand_id, reason, created_at)
    SELECT u.*, %b FROM unnest(%b::uuid[], %b::uuid[], %b::text[]) AS u(address_id, brand_id, reason)
    ORDER BY u.address_id ON CONFLICT DO NOTHING RETURNING id
"""
# What stood against the address stands against it again.
_RETURNED: Final = """
    INSERT INTO consent_suppression (address_id, brand_id, reason, created_at)
    SELECT u.fresh, s.brand_id, s.reason, s.created_at
    FROM unnest(%b::uuid[], %b::uuid[]) AS u(fresh, gone) JOIN consent_suppression s ON s.address_id = u.gone
    WHERE s.lifted_at IS NULL ON CONFLICT DO NOTHING
"""
# A grant that was proven after the erasure is a new person's word, or the same one's who came back.
_PROVEN: Final = """
    UPDATE consent_suppression s SET lifted_at = %b
    FROM unnest(%b::uuid[], %b::timestamptz[]) AS u(address_id, proven_at)
    WHERE s.address_id = u.address_id AND s.reason = 'erasure' AND s.lifted_at IS NULL AND s.created_at < u.proven_at
    RETURNING s.id
"""
_SAID: Final = """
    UPDATE consent_suppression SET lifted_at = %b
    WHERE address_id = %b AND reason = %b AND lifted_at IS NULL AND created_at < %b
      AND (%b::uuid IS NULL OR brand_id = %b)
    RETURNING id
"""
_BY_HAND: Final = "UPDATE consent_suppression SET lifted_at = %b WHERE id = ANY(%b) AND lifted_at IS NULL RETURNING id"
_ABOUT: Final = "SELECT id, address_id, brand_id FROM consent_suppression WHERE id = ANY(%b)"


def add(cursor: Cursor[Any], asked: Collection[tuple[UUID | None, UUID | None, str]], now: datetime) -> None:
    """(address, brand or none for all, reason), each once however often; the caller holds the addresses."""
    if asked:
        ordered = sorted(
            ((a, brand, str(reason)) for a, brand, reason in asked), key=lambda one: (str(one[0]), str(one[1]))
        )
        _tell(cursor, cursor.execute(_ADD, [now, *map(list, zip(*ordered, strict=True))]).fetchall(), now)


def returned(cursor: Cursor[Any], fresh: Mapping[UUID, UUID]) -> None:
    """New rows of erased addresses, each with the row that was erased."""
    cursor.execute(_RETURNED, [list(fresh), list(fresh.values())])


def lift_proven(cursor: Cursor[Any], proven: Mapping[UUID, datetime], now: datetime) -> None:
    """Let those addresses of the erased be written to again that somebody has proven to want it since."""
    if proven:
        _tell(cursor, cursor.execute(_PROVEN, [now, list(proven), list(proven.values())]).fetchall(), now)


def lift(
    cursor: Cursor[Any], address_id: UUID, reason: str, before: datetime, now: datetime, *, brand_id: UUID | None = None
) -> None:
    """Lift what stands against the address for this reason since before that, in the brand or wherever it does; the
    caller holds the address."""
    said = [now, address_id, str(reason), before, brand_id, brand_id]
    _tell(cursor, cursor.execute(_SAID, said).fetchall(), now)


def lift_by_hand(cursor: Cursor[Any], ids: Iterable[int], now: datetime) -> int:
    """Lift these, as far as they stand; return how many did."""
    lifted = cursor.execute(_BY_HAND, [now, list(ids)]).fetchall()
    _tell(cursor, lifted, now)
    return len(lifted)


def tell(cursor: Cursor[Any], ids: Iterable[int], now: datetime) -> None:
    """Tell of whose addresses these are, within the transaction that added or lifted them."""
    if not telling.is_told():
        return
    about = cursor.execute(_ABOUT, [list(ids)]).fetchall()
    users = telling.users_of(cursor, {address for _id, address, _brand in about})
    at = int(now.timestamp())
    telling.tell(
        cursor,
        (
            telling.Change(profile, brand, f"suppression-{id_}-{at}")
            for id_, address, brand in about
            for profile in users.get(address, ())
        ),
        now,
    )


def _tell(cursor: Cursor[Any], rows: Iterable[tuple[int]], now: datetime) -> None:
    if ids := [id_ for (id_,) in rows]:
        tell(cursor, ids, now)
