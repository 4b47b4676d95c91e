"""Suppressions of erased addresses: they come back with the address, and only a proven word since lifts them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

# What stood against the address stands against it again.
_RETURNED: Final = """
    INSERT INTO consent_suppression (address_id, brand_id, reason, created_at)
    SELECT u.fresh, s.brand_id, s.reason, s.created_at
    FROM unnest(%b::uuid[], %b::uuid[]) AS u(fresh, gone) JOIN consent_suppression s ON s.address_id = u.gone
    WHERE s.lifted_at IS NULL ON CONFLICT DO NOTHING
"""
# A grant that was proven after the erasure is a new person's word, or the same one's who came back.
_LIFT: Final = """
    UPDATE consent_suppression s SET lifted_at = %b
    FROM unnest(%b::uuid[], %b::timestamptz[]) AS u(address_id, proven_at)
    WHERE s.address_id = u.address_id AND s.reason = 'erasure' AND s.lifted_at IS NULL AND s.created_at < u.proven_at
"""


def returned(cursor: Cursor[Any], fresh: Mapping[UUID, UUID]) -> None:
    """New rows of erased addresses, each with the row that was erased."""
    cursor.execute(_RETURNED, [list(fresh), list(fresh.values())])


def lift(cursor: Cursor[Any], proven: Mapping[UUID, datetime], now: datetime) -> None:
    """Let those addresses be written to again that somebody has proven to want it since."""
    if proven:
        cursor.execute(_LIFT, [now, list(proven), list(proven.values())])
