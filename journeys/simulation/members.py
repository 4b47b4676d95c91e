"""Who was in a segment at a moment past: memberships are intervals, and never forgotten."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from customers.pg import raw_cursor

_SPELLS: Final = """
    SELECT m.customer_id, m.segment_id, m.entered_at, m.left_at FROM customers_segmentmembership m
    WHERE m.customer_id = ANY(%b) AND m.segment_id = ANY(%b)
"""


@dataclass(slots=True)
class Members:
    """Read for some customers at a time."""

    _spells: dict[tuple[UUID, UUID], list[tuple[datetime, datetime | None]]] = field(default_factory=dict)

    def read(self, customers: Collection[UUID], segments: Collection[UUID]) -> None:
        self._spells = defaultdict(list)
        if not segments:
            return
        with raw_cursor() as cursor:
            for customer, segment, entered, left in cursor.execute(_SPELLS, [list(customers), list(segments)]):
                self._spells[customer, segment].append((entered, left))

    def has(self, customer: UUID, segment: UUID, at: datetime) -> bool:
        spells = self._spells.get((customer, segment), ())
        return any(entered <= at and (left is None or left > at) for entered, left in spells)
