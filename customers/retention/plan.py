"""The dry run: what exactly would go now, and what is held back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from customers.retention.kinds import Kind, Share, needed_since, shares
from customers.retention.months import Month, over

_REFERENCES: Final = """
    SELECT c.conrelid::regclass::text, quote_ident(a.attname), quote_ident(f.attname)
    FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.confrelid = %s::regclass ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Going:
    """Rows of a share, or one partition of it, that would go."""

    share: Share
    rows: int
    oldest: datetime | None
    newest: datetime | None
    partition: str = ""
    # Something needs what is younger than this: older partitions only go.
    held_since: datetime | None = None


def plan(now: datetime) -> list[Going]:
    """By kind; of kinds that go by the month one line for each month, or one that says that there is none."""
    found: list[Going] = []
    for share in shares(now):
        if share.kind.months:
            # A partition that goes for one kind is not there to go for the next.
            named = {one.partition for one in found if one.partition}
            found += [one for one in _months(share, now) if one.partition not in named]
        else:
            found.append(Going(share, *_measure(share)))
    return found


def months_to_drop(share: Share, now: datetime) -> list[Month]:
    needed = needed_since(share.kind, now)
    return over(share.kind.months, share.cutoff if needed is None else min(share.cutoff, needed))


def condition(share: Share) -> tuple[str, dict[str, Any]]:
    """SQL for the rows `t` that go, and its parameters."""
    kind = share.kind
    parts = [f"{kind.time} < %(cutoff)s", f"({kind.where})", *_unnamed(kind)]
    if share.brand_id is not None:
        parts.append(f"{kind.brand} = %(brand)s")
    elif share.others:
        parts.append(f"NOT coalesce({kind.brand} = ANY(%(others)s), false)")
    values = {"cutoff": share.cutoff, "brand": share.brand_id, "others": list(share.others)}
    return " AND ".join(parts), values


def _months(share: Share, now: datetime) -> list[Going]:
    needed = needed_since(share.kind, now)
    held = needed if needed is not None and needed < share.cutoff else None
    going = [Going(share, *measure_partition(month.name), month.name, held) for month in months_to_drop(share, now)]
    return going or [Going(share, 0, None, None, "", held)]


def measure_partition(name: str) -> tuple[int, datetime | None, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), min(received_at), max(received_at) FROM {name}")
        rows, oldest, newest = cursor.fetchone()
    return rows, oldest, newest


def _measure(share: Share) -> tuple[int, datetime | None, datetime | None]:
    where, values = condition(share)
    kind = share.kind
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), min({kind.time}), max({kind.time}) FROM {kind.table} t WHERE {where}", values)
        rows, oldest, newest = cursor.fetchone()
    return rows, oldest, newest


def _unnamed(kind: Kind) -> list[str]:
    """What rows of other tables still name stays."""
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES, [kind.table])
        return [
            f"NOT EXISTS (SELECT 1 FROM {table} r WHERE r.{column} = t.{key})"
            for table, column, key in cursor.fetchall()
        ]
