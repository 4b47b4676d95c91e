"""The limit of a unit's work: a worker in which work does not come to its end is ended, for that cannot be undone
otherwise. What it held is then counted and set aside as after any death of a worker.

Statements have a limit of their own, the server's; and whoever waits for a database that stands still is not at fault.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NamedTuple

logger = logging.getLogger(__name__)

_LOOKS: Final = 10


class _Work(NamedTuple):
    queue: str
    units: int
    since: float


# By thread, what it has in hand: each writes its own place only.
_in_hand: dict[int, _Work] = {}


@contextmanager
def at_work(queue: str, units: int) -> Iterator[None]:
    """Within this, units are worked on by this thread, and the limit runs."""
    thread = threading.get_ident()
    before = _in_hand.get(thread)
    _in_hand[thread] = _Work(queue, units, time.monotonic())
    try:
        yield
    finally:
        if before is None:
            del _in_hand[thread]
        else:
            _in_hand[thread] = before


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Watch:
    """A thread that ends this process once units were worked on for so many seconds, until told to stop."""

    def __init__(self, seconds: float, end: Callable[[], None] = die) -> None:
        self._seconds, self._end = seconds, end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="limit", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds / _LOOKS):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        frames = sys._current_frames()
        for thread, work in list(_in_hand.items()):
            frame = frames.get(thread)
            if now - work.since > self._seconds and frame is not None and not _waits_for_the_database(frame):
                # The module and the line, and nothing of what they were about.
                where = f"{frame.f_globals.get('__name__')}:{frame.f_lineno}"
                logger.error("%d of %s took longer than %s s, at %s", work.units, work.queue, self._seconds, where)
                self._end()


def _waits_for_the_database(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_globals.get("__name__") != "customers.work":
        if str(frame.f_globals.get("__name__")).partition(".")[0] == "psycopg":
            return True
        frame = frame.f_back
    return False
