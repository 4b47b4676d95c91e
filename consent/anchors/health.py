"""Whether the ledgers are anchored as they should be, for the pages of the staff."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from consent.models import ConsentEntry, LedgerAnchor

LATE: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Health:
    """`last_at` is None before the first anchor; `deviations` are those that the last one found."""

    last_at: datetime | None
    is_late: bool
    deviations: int


def health(now: datetime) -> Health:
    last = LedgerAnchor.objects.values_list("at", "deviations").first()
    if last is not None:
        return Health(last[0], now - last[0] > LATE, last[1])
    first = ConsentEntry.objects.order_by("id").values_list("recorded_at", flat=True).first()
    return Health(None, first is not None and now - first > LATE, 0)
