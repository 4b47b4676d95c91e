"""Keep who was drawn for which arm; only the first time of each unit is a row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Cursor


class NewExposure(NamedTuple):
    brand_id: UUID
    scope_id: UUID
    key: str
    unit: str
    arm: str
    is_holdout: bool
    profile_id: UUID
    run_id: int | None


_KEEP = """
    INSERT INTO channels_exposure (brand_id, scope_id, key, unit, arm, is_holdout, profile_id, run_id, at)
    SELECT u.*, %b::timestamptz
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::bool[], %b::uuid[], %b::bigint[])
        AS u(brand_id, scope_id, key, unit, arm, is_holdout, profile_id, run_id)
    ORDER BY u.scope_id, u.key, u.unit
    ON CONFLICT (scope_id, key, unit) DO NOTHING
"""


def keep_exposures(cursor: Cursor[Any], exposures: Sequence[NewExposure], now: datetime) -> None:
    if exposures:
        cursor.execute(_KEEP, [now, *map(list, zip(*exposures, strict=True))], prepare=True)
