"""How many of a segment would get a broadcast now, by the very rule of who may be written to; of many, by a sample."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from channels.models import Broadcast, BroadcastRecipient
from channels.reached import reached
from consent.permission import Want, choose_addresses
from customers.pg import raw_cursor

# Up to so many everybody is asked; of more, so many.
EVERYBODY: Final = 5_000
SAMPLE: Final = 2_000
_PIECE: Final = 1_000
_SIZE: Final = "SELECT count(*) FROM customers_segmentmembership WHERE segment_id = %b AND left_at IS NULL"
_SOME: Final = """
    SELECT DISTINCT ON (m.customer_id) m.customer_id FROM (
        SELECT customer_id FROM customers_segmentmembership WHERE segment_id = %b AND left_at IS NULL
        ORDER BY CASE WHEN %b THEN random() END LIMIT %b
    ) m JOIN customers_customer c ON c.id = m.customer_id
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of `members`, `looked_at` were asked: these have an address, and of them so many may be written to."""

    members: int
    looked_at: int
    with_address: int
    permitted: int
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def is_sample(self) -> bool:
        return self.members > EVERYBODY

    @property
    def would_get_it(self) -> int:
        """Of all members, as the share of those who were asked says."""
        if not self.is_sample or not self.looked_at:
            return self.permitted
        return round(self.members * self.permitted / self.looked_at)


def estimate(broadcast: Broadcast, now: datetime) -> Estimate:
    with raw_cursor() as cursor:
        [[members]] = cursor.execute(_SIZE, [broadcast.segment_id]).fetchall()
        most = EVERYBODY if members <= EVERYBODY else SAMPLE
        rows = cursor.execute(_SOME, [broadcast.segment_id, members > EVERYBODY, most]).fetchall()
    customers = [row[0] for row in rows]
    reasons: Counter[str] = Counter()
    for start in range(0, len(customers), _PIECE):
        reasons += _asked(broadcast, customers[start : start + _PIECE], now)
    permitted = reasons.pop("", 0)
    with_address = len(customers) - reasons[BroadcastRecipient.Outcome.NO_ADDRESS]
    return Estimate(members, len(customers), with_address, permitted, dict(reasons.most_common()))


def _asked(broadcast: Broadcast, customers: list[Any], now: datetime) -> Counter[str]:
    """By the reason why not; those who may be written to by none."""
    wants = [Want(one, broadcast.channel, broadcast.purpose_id) for one in customers]
    chosen = reached([broadcast] * len(wants), choose_addresses(wants, now))
    return Counter(
        "" if any(choice.verdict.allowed for choice in choices) else choices[0].verdict.reason for choices in chosen
    )
