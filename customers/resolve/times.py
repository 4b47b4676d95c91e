"""How long messages took: on their way to us by their own word, and waiting to be resolved."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from customers import tally
from customers.models import Outcome, TimeSource
from customers.resolve.incoming import Incoming

_DELAY, _WAIT = Outcome.DELAY.value, Outcome.WAIT.value
# Whose word on when it occurred is worth comparing with our clock.
_TOLD: Final = (TimeSource.TOLD.value, TimeSource.CORRECTED.value)


def count_times(cursor: Cursor[Any], messages: Iterable[Incoming], now: datetime) -> None:
    """Count every message by the limits its times kept within; imports tell of the past and are left out."""
    counts: Counter[tally.Counted] = Counter()
    # What came in one call has waited equally long.
    waits: Counter[tuple[UUID, datetime]] = Counter()
    for message in messages:
        if message.historical:
            continue
        source, received_at = message.source_id, message.received_at
        waits[source, received_at] += 1
        if message.time_source in _TOLD:
            counts[source, _DELAY, tally.within(received_at - message.occurred_at), ""] += 1
    for (source, received_at), count in waits.items():
        counts[source, _WAIT, tally.within(now - received_at), ""] += count
    tally.add(cursor, counts, now)
