"""What became of a batch's calls, counted in one statement into the hour they were made in."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from customers.pg import raw_cursor

# Milliseconds; the last is whatever took longer.
LIMITS: Final[tuple[int, ...]] = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
_COUNT: Final = """
    INSERT INTO channels_connectorhour AS h (connector_id, hour, taken, refused, troubled, unknown, within)
    VALUES (%s, date_trunc('hour', %s::timestamptz, 'UTC'), %s, %s, %s, %s, %s::int[])
    ON CONFLICT (connector_id, hour) DO UPDATE SET
        taken = h.taken + excluded.taken, refused = h.refused + excluded.refused,
        troubled = h.troubled + excluded.troubled, unknown = h.unknown + excluded.unknown,
        within = (SELECT array_agg(a + b ORDER BY n)
                  FROM unnest(h.within, excluded.within) WITH ORDINALITY AS u(a, b, n))
"""


# Anybody may call: an hour's row is written so often at most.
MOST_UNSIGNED: Final = 1_000
_UNSIGNED: Final = f"""
    INSERT INTO channels_connectorhour AS h (connector_id, hour, taken, refused, troubled, unknown, unsigned, within)
    VALUES (%s, date_trunc('hour', %s::timestamptz, 'UTC'), 0, 0, 0, 0, 1, %s::int[])
    ON CONFLICT (connector_id, hour) DO UPDATE SET unsigned = h.unsigned + 1 WHERE h.unsigned < {MOST_UNSIGNED}
"""


@dataclass(slots=True)
class Tally:
    taken: int = 0
    refused: int = 0
    troubled: int = 0
    unknown: int = 0
    within: list[int] = field(default_factory=lambda: [0] * (len(LIMITS) + 1))

    @property
    def calls(self) -> int:
        return self.taken + self.refused + self.troubled + self.unknown

    def add(self, fate: str, seconds: float) -> None:
        """`fate` is the name of one of the counts."""
        setattr(self, fate, getattr(self, fate) + 1)
        self.within[bisect_left(LIMITS, seconds * 1000)] += 1


def keep(connector_id: UUID, tally: Tally, now: datetime) -> None:
    if tally.calls:
        values: list[Any] = [connector_id, now, tally.taken, tally.refused, tally.troubled, tally.unknown, tally.within]
        with raw_cursor() as cursor:
            cursor.execute(_COUNT, values)


def count_unsigned(connector_id: UUID, now: datetime) -> None:
    """One more call at the provider's address that was not the provider's, or of whom we have the wrong secret; of who
    called nothing is kept."""
    with raw_cursor() as cursor:
        cursor.execute(_UNSIGNED, [connector_id, now, [0] * (len(LIMITS) + 1)])


def limit_of(within: Sequence[int], share: float) -> int | None:
    """The limit, in ms, that so large a share of the calls kept within; None: longer than any, or no calls."""
    wanted, seen = share * sum(within), 0
    if not wanted:
        return None
    for limit, count in zip(LIMITS, within, strict=False):
        seen += count
        if seen >= wanted:
            return limit
    return None
