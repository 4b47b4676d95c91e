"""Calls counted against a limit a minute: exactly as many pass as there are, however many come at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

WINDOW = timedelta(minutes=1)
# A counter need not survive a power cut: its commit does not wait for the disk.
_COUNT = """
    UPDATE {table} SET {also}
        window_at = CASE WHEN window_at > %(before)s THEN window_at ELSE %(now)s END,
        used = CASE WHEN window_at > %(before)s THEN used + 1 ELSE 1 END
    WHERE id = %(id)s
        AND (per_minute IS NULL OR used < per_minute OR window_at IS NULL OR window_at <= %(before)s)
    RETURNING coalesce(per_minute - used, 0), window_at, set_config('synchronous_commit', 'off', true)
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How a call was counted: `left` calls remain until `renews_in`; None: this one was one too many."""

    left: int | None
    renews_in: timedelta


def count(table: str, id_: UUID, now: datetime, also: str = "") -> Count:
    """Count one call of whoever has this row, with columns `per_minute`, `window_at` and `used`."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(table=table, also=also), {"id": id_, "now": now, "before": now - WINDOW})
        row = cursor.fetchone()
        if row is not None:
            return Count(row[0], row[1] + WINDOW - now)
        cursor.execute(f"SELECT window_at FROM {table} WHERE id = %s", [id_])
        row = cursor.fetchone()
    # Whoever believes in a row for a moment after it is gone has no calls left.
    return Count(None, WINDOW if row is None else row[0] + WINDOW - now)
