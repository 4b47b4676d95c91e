"""What is due is delivered: many endpoints beside each other, each no more at once than it allows, and no call within a
transaction.

One thread of the process holds the database's connection, claims and settles; others wait for the other systems. An
endpoint that hangs keeps its own slots busy and nothing else; from its first failure on it has one. When the time of a
round is over while calls last, it goes on for the others' sake, and then leaves the process to the next one.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from random import sample
from typing import Final
from uuid import UUID

from django.conf import settings

from channels.webhooks.claim import Due, due_endpoints, target
from channels.webhooks.line import Line, lines_of, open_line
from channels.webhooks.off import Off, end_with_tokens, switch_off
from channels.webhooks.pace import PACES
from channels.webhooks.secrets import in_force, opened
from customers.sealing import SecretError
from customers.work import describe

logger = logging.getLogger(__name__)

# Waiting threads are cheap, but not free. No endpoint gets more than an eighth of them, all of one token or without one
# no more than half, and all that fail or are slow together no more than a quarter.
_AT_ONCE: Final = 64
_OF_ONE: Final = 8
_OF_GROUP: Final = 32
_OF_AILING: Final = 16
# Between two looks for what is due, while calls are in hand.
_LOOK_SECONDS: Final = 0.1
_TOKENS_SECONDS: Final = 60.0
_one_at_a_time = threading.Lock()
_looked_at_tokens = -_TOKENS_SECONDS


@dataclass(slots=True)
class _Round:
    """Lines are opened until `until`; and later, while calls of these last, to endpoints that do not fail."""

    clock: Callable[[], datetime]
    pool: ThreadPoolExecutor
    until: float
    lines: dict[UUID, Line] = field(default_factory=dict)
    looked_at: float = 0.0

    @property
    def is_in_time(self) -> bool:
        return time.monotonic() < self.until

    @property
    def is_open(self) -> bool:
        late = settings.WEBHOOK_DEADLINE_SECONDS if self.lines else 0
        return time.monotonic() < self.until + late

    def look(self) -> None:
        """Open lines to endpoints that have something to hear."""
        if self.lines and time.monotonic() - self.looked_at <= _LOOK_SECONDS:
            return
        self.looked_at, is_late = time.monotonic(), not self.is_in_time
        due = [one for one in due_endpoints(self.clock()) if one.id not in self.lines]
        # In random order: workers spread over the endpoints, and a slow one is nobody's first.
        for one in sample(due, len(due)):
            most = 0 if is_late and _is_ailing(one) else self._room(one)
            if most > 0:
                self._open(one, most)

    def _room(self, one: Due) -> int:
        """How many threads it may have of those that are left."""
        widths = [(line.due, line.width) for line in self.lines.values()]
        used = sum(width for _due, width in widths)
        group = sum(width for due, width in widths if due.group == one.group)
        most = min(_OF_ONE, _AT_ONCE - used, _OF_GROUP - group)
        if _is_ailing(one):
            most = min(most, _OF_AILING - sum(width for due, width in widths if _is_ailing(due)))
        return most

    def _open(self, due: Due, most: int) -> None:
        now = self.clock()
        to = target(due.id, now)
        if to is None:
            return
        try:
            secrets = in_force(opened(to.id, to.sealed), now)
        except SecretError as error:
            logger.error("webhook %s is unusable: %s", to.id, error)
            switch_off(to.id, Off.SECRETS, now)
            return
        until = self.until if self.is_in_time else self.until + settings.WEBHOOK_DEADLINE_SECONDS
        line = open_line(due, to, secrets, most, self.pool, self.clock, until) if secrets else None
        if line is not None:
            self.lines[due.id] = line

    def go_on(self) -> None:
        """With every line."""
        for line in list(self.lines.values()):
            line.feed()
            line.settle_some()
            if line.is_over:
                del self.lines[line.due.id]
                line.end()
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


def _look_at_tokens(now: datetime) -> None:
    """Now and then: between their end and the next look nothing is queued or called any more as it is."""
    global _looked_at_tokens
    if time.monotonic() - _looked_at_tokens >= _TOKENS_SECONDS:
        end_with_tokens(now)
        _looked_at_tokens = time.monotonic()


def _is_ailing(due: Due) -> bool:
    return due.is_failing or PACES.is_slow(due.id)


def deliver_due(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """Deliver what is due for so long; whether nothing is left. One thread of a process does, until nothing is left to
    it but to wait for calls in hand: then another may begin."""
    if not _one_at_a_time.acquire(blocking=False):
        return True
    with ExitStack() as turn:
        turn.callback(_one_at_a_time.release)
        _look_at_tokens(clock())
        return _deliver_due(clock, time.monotonic() + seconds, turn)


def _deliver_due(clock: Callable[[], datetime], until: float, turn: ExitStack) -> bool:
    if not due_endpoints(clock()):
        return True
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhook") as pool:
        work = _Round(clock, pool, until)
        try:
            while work.is_open:
                work.look()
                if not work.lines:
                    return work.is_in_time
                work.go_on()
            turn.close()
            while work.lines:
                work.go_on()
            return False
        finally:
            turn.close()
            work.end()
