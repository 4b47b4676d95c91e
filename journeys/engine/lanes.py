"""Lanes: while the database works at one batch, the same process computes another.

A batch is half computing here and half waiting there. A second thread, with connections of its own, fills the
waiting; that two batches are worked on at once is what several workers do anyway.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import cache

from django.db import close_old_connections, connections

from customers import work
from journeys.engine.drain import IN_A_ROW, drain, work_through

# With less to do, a second lane would only find what the first has in hand.
WORTHWHILE = 1000


@cache
def _beside() -> ThreadPoolExecutor:
    """The second lane of this process, made when first needed, so never before a fork; its connections last."""
    return ThreadPoolExecutor(1, thread_name_prefix="lane")


def drain_in_lanes(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """As `drain`, in two lanes for as long as there is enough for both."""
    until = time.monotonic() + seconds
    second: Future[bool] | None = None
    floors: work.Floors = {}
    try:
        while done := work_through(clock, floors, 1 if second is None else IN_A_ROW):
            if time.monotonic() > until:
                return False
            if second is None and done >= WORTHWHILE:
                second = _beside().submit(_drain_beside, clock, until)
        # What the second lane still has in hand may leave more to do; it sees to that itself.
        return second is None or second.result()
    finally:
        if second is not None:
            with suppress(Exception):
                second.result()


def _drain_beside(clock: Callable[[], datetime], until: float) -> bool:
    close_old_connections()
    return drain(clock, until - time.monotonic())


def close() -> None:
    """End the second lane and the connections it holds."""
    if _beside.cache_info().currsize:
        _beside().submit(_close_connections).result()
        _beside().shutdown()
        _beside.cache_clear()


def _close_connections() -> None:
    work.close()
    connections.close_all()
