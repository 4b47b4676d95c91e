"""The engine at work as in a worker, until nothing is left to do at one moment."""

import time
from datetime import datetime

from django.db import connection

from customers import work
from journeys.engine import lanes


def drain(now: datetime) -> float:
    """How many seconds it took."""
    began = time.perf_counter()
    while not lanes.drain_in_lanes(lambda: now):
        pass
    return time.perf_counter() - began


def close() -> None:
    lanes.close()
    work.close()
    connection.close()
