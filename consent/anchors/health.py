"""Whether the ledgers are anchored as they should be."""

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
    """By the rows of the database, for the pages of the staff."""
    last = LedgerAnchor.objects.values_list("at", "deviations").first()
    last_at, deviations = last or (None, 0)
    return Health(last_at, is_late(last_at, now), deviations)


def is_late(last_at: datetime | None, now: datetime) -> bool:
    """An installation that was never anchored is late when it has had something to anchor for so long."""
    if last_at is None:
        last_at = ConsentEntry.objects.order_by("id").values_list("recorded_at", flat=True).first()
    return last_at is not None and now - last_at > LATE
