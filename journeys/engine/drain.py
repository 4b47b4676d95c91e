"""Drain: every stage in turn until none finds work. One bell, one task, one sweep, one function."""

import time
from collections.abc import Callable
from datetime import datetime

from channels.receipts import apply as receipts
from channels.receipts import read as callbacks
from consent import stage as consent
from customers.hooks import interpret as hooks
from customers.resolve import stage as resolve
from customers.segments import stage as segments
from customers.work import Floors, Queue, waiting, work_once
from journeys.engine import advance, changeovers, halts, match, merges, recheck
from journeys.entry import occurrences

# In the order data walks: what providers say of messages and what came to a webhook becomes events, an event is
# resolved, its consent applied, its runs moved, its segments settled, it is matched and looked back for, and only then
# may time run out on a hold.
STAGES: tuple[Queue, ...] = (
    callbacks.QUEUE,
    receipts.QUEUE,
    hooks.QUEUE,
    resolve.QUEUE,
    consent.QUEUE,
    merges.QUEUE,
    segments.QUEUE,
    segments.TURNS,
    match.QUEUE,
    recheck.QUEUE,
    halts.QUEUE,
    changeovers.QUEUE,
    occurrences.QUEUE,
    advance.QUEUE,
)


def drain(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """Work until all queues are empty, at most about `seconds`; whether they are."""
    until = time.monotonic() + seconds
    floors: Floors = {}
    while work_through(clock, floors):
        if time.monotonic() > until:
            return False
    return True


def work_through(clock: Callable[[], datetime], floors: Floors) -> int:
    """A batch of every stage that has something to do; how many units were done."""
    done = _pass(clock, floors)
    if not done and floors:
        floors.clear()
        done = _pass(clock, floors)
    return done


def _pass(clock: Callable[[], datetime], floors: Floors) -> int:
    return sum(work_once(queue, clock(), floors=floors) for queue in waiting(STAGES, clock(), floors))
