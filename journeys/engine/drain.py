"""Drain: every stage in turn until none finds work. One bell, one task, one sweep, one function."""

import time
from collections.abc import Callable
from datetime import datetime

from consent.stage import apply_queued
from customers.resolve import resolve_inbox
from journeys.engine.advance import advance_due
from journeys.engine.match import match_events
from journeys.engine.merges import follow_merges
from journeys.engine.recheck import recheck_parked

# In the order data walks: an event is resolved, its consent applied, its runs moved, matched and looked back for,
# and only then may time run out on a hold.
STAGES: tuple[Callable[[datetime], int], ...] = (
    resolve_inbox,
    apply_queued,
    follow_merges,
    match_events,
    recheck_parked,
    advance_due,
)


def drain(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """Work until all queues are empty, at most about `seconds`; whether they are."""
    until = time.monotonic() + seconds
    while sum(stage(clock()) for stage in STAGES):
        if time.monotonic() > until:
            return False
    return True
