"""What is due is delivered: many endpoints beside each other, each no more at once than it allows, and no call within a
transaction.

One thread of the process holds the database's connection, claims and settles; others wait for the other systems. An
endpoint that hangs keeps its own slots busy and nothing else; from its first failure on it has one.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from random import sample
from typing import Final
from uuid import UUID

from channels.webhooks.claim import Due, due_endpoints, target
from channels.webhooks.line import Line, lines_of, open_line
from channels.webhooks.secrets import in_force, opened
from customers.sealing import SecretError
from customers.work import describe

logger = logging.getLogger(__name__)

# Waiting threads are cheap, but not free. No endpoint gets more than an eighth of them, and all that fail together no
# more than a quarter.
_AT_ONCE: Final = 64
_OF_ONE: Final = 8
_OF_FAILING: Final = 16
# Between two looks for what is due, while calls are in hand.
_LOOK_SECONDS: Final = 0.1
_one_at_a_time = threading.Lock()


@dataclass(slots=True)
class _Round:
    clock: Callable[[], datetime]
    pool: ThreadPoolExecutor
    lines: dict[UUID, Line] = field(default_factory=dict)
    looked_at: float = 0.0

    def look(self) -> None:
        """Open lines to endpoints that have something to hear."""
        self.looked_at = time.monotonic()
        due = [one for one in due_endpoints(self.clock()) if one.id not in self.lines]
        # In random order: workers spread over the endpoints, and a slow one is nobody's first.
        for one in sample(due, len(due)):
            used = sum(line.width for line in self.lines.values())
            ailing = sum(line.width for line in self.lines.values() if line.due.is_failing)
            most = min(_OF_ONE, _AT_ONCE - used, _OF_FAILING - ailing if one.is_failing else _OF_ONE)
            if most > 0:
                self._open(one, most)

    def _open(self, due: Due, most: int) -> None:
        now = self.clock()
        to = target(due.id, now)
        if to is None:
            return
        try:
            secrets = in_force(opened(to.id, to.sealed), now)
        except SecretError as error:
            logger.error("webhook %s is unusable: %s", to.id, error)
            return
        line = open_line(due, to, secrets, most, self.pool, self.clock) if secrets else None
        if line is not None:
            self.lines[due.id] = line

    def turn(self, *, is_open: bool) -> bool:
        """Go on with every line; whether there was any, so that it is worth looking again."""
        if is_open and (not self.lines or time.monotonic() - self.looked_at > _LOOK_SECONDS):
            self.look()
        had_any = bool(self.lines)
        for line in list(self.lines.values()):
            line.feed(is_open=is_open)
            line.settle_some()
            if line.is_over:
                del self.lines[line.due.id]
                line.end()
        self._wait()
        return had_any

    def _wait(self) -> None:
        futures = lines_of(self.lines)
        for future in wait(futures, _LOOK_SECONDS / 2, FIRST_COMPLETED).done if futures else ():
            futures[future].take(future)

    def end(self) -> None:
        """Wait for what is in hand, and write what became of it, as far as the database still takes it."""
        while futures := lines_of(self.lines):
            for future in wait(futures, None, FIRST_COMPLETED).done:
                futures[future].take(future)
        for line in self.lines.values():
            try:
                line.end()
            except Exception as error:
                # Their leases run out, and they are told once more.
                logger.warning("webhooks were not settled: %s", describe(error))


def deliver_due(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """Deliver what is due, and begin nothing after `seconds`; whether nothing is left. One thread of a process does."""
    if not _one_at_a_time.acquire(blocking=False):
        return True
    try:
        return _deliver_due(clock, time.monotonic() + seconds)
    finally:
        _one_at_a_time.release()


def _deliver_due(clock: Callable[[], datetime], until: float) -> bool:
    if not due_endpoints(clock()):
        return True
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhook") as pool:
        work = _Round(clock, pool)
        try:
            while work.turn(is_open=time.monotonic() < until):
                continue
            return time.monotonic() < until
        finally:
            work.end()
