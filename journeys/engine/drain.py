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
from customers.work import MOST, Floors, Queue, Waiting, waiting, work_once
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


# Asking all stages what they have costs a tenth of a batch: who has a full one may have so many before all are asked.
IN_A_ROW = 4


def drain(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """Work until all queues are empty, at most about `seconds`; whether they are."""
    until = time.monotonic() + seconds
    floors: Floors = {}
    while work_through(clock, floors):
        if time.monotonic() > until:
            return False
    return True


def work_through(clock: Callable[[], datetime], floors: Floors, in_a_row: int = IN_A_ROW) -> int:
    """A batch of every stage that has something to do, or several full ones; how many units were done."""
    done = _pass(clock, floors, in_a_row)
    if not done and floors:
        floors.clear()
        done = _pass(clock, floors, in_a_row)
    return done


def _pass(clock: Callable[[], datetime], floors: Floors, in_a_row: int) -> int:
    return sum(_work(one, clock, floors, in_a_row) for one in waiting(STAGES, clock(), floors))


def _work(one: Waiting, clock: Callable[[], datetime], floors: Floors, in_a_row: int) -> int:
    done = last = work_once(one.queue, clock(), floors=floors, to_mend=one.to_mend)
    for _more in range(in_a_row - 1):
        if last < MOST:
            break
        last = work_once(one.queue, clock(), floors=floors, to_mend=False)
        done += last
    return done
