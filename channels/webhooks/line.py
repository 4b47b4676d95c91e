"""A line: one process's turn with one endpoint. It claims some deliveries at a time, has as many made at once as it
holds slots, and settles those that are over together."""

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import Error
from psycopg import Error as DriverError

from channels.dispatch import slots
from channels.webhooks.body import body_of, test_body
from channels.webhooks.claim import Claimed, Due, Target, begun, claim, give_back, load
from channels.webhooks.make import Attempt, make
from channels.webhooks.pace import PACES
from channels.webhooks.schedule import MOST_CRASHES, Outcome, State, Tried, judge, unreadable
from channels.webhooks.settle import Made, settle
from customers.ids import hash64
from customers.work import describe

logger = logging.getLogger(__name__)

# When the database could not be read.
_SOON: Final = timedelta(seconds=5)
# A claim is for one round of calls; of an endpoint that takes what it is told, for more and more, up to this many.
_MORE: Final = 5
_MOST_ROUNDS: Final = 25
_TURN_SECONDS: Final = 1.0
_SETTLE_AT: Final = 50
_SETTLE_SECONDS: Final = 0.05
_PARTS: Final = 2**64


@dataclass(slots=True)
class Line:
    due: Due
    target: Target
    secrets: tuple[str, ...]
    pool: ThreadPoolExecutor
    clock: Callable[[], datetime]
    # Nothing is begun after this instant of `time.monotonic()`.
    until: float
    # Slots that are ours: free ones, and how many there are in all.
    free: list[int]
    width: int = 0
    began: float = field(default_factory=time.monotonic)
    claimed_at: float = 0.0
    token: int = 0
    queue: deque[Claimed] = field(default_factory=deque)
    in_hand: dict[Future[Attempt], tuple[Claimed, int]] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)
    oldest: float = 0.0
    rounds: int = 1
    is_dry: bool = False
    settled: int = 0

    def __post_init__(self) -> None:
        self.width = len(self.free)

    @property
    def is_over(self) -> bool:
        return self.is_dry and not self.queue and not self.in_hand and not self.made

    def feed(self) -> None:
        """Begin as many calls as there are free slots; claim more while it is this endpoint's turn."""
        is_open = time.monotonic() < self.until
        if not self.queue and not self.is_dry and self.free:
            if is_open and time.monotonic() - self.began < _TURN_SECONDS:
                self._claim()
            else:
                self.is_dry = True
        while self.queue and self.free:
            # What is begun late would be taken for a dead worker's.
            if not is_open or time.monotonic() - self.claimed_at > settings.LEASE_SECONDS / 2:
                self._stop()
            else:
                self._begin(self.queue.popleft())

    def take(self, future: Future[Attempt]) -> None:
        """What came of a call."""
        claimed, slot = self.in_hand.pop(future)
        self.free.append(slot)
        try:
            attempt = future.result()
        except Exception as error:
            # Its lease runs out, and it is made again; five times at most.
            logger.warning("a webhook was not called: %s", describe(error), extra={"delivery_id": str(claimed.id)})
            return
        PACES.note(self.due.id, attempt.milliseconds)
        outcome = judge(_tried(claimed), attempt.answer, self.secrets, self.clock(), _fraction(claimed))
        self._keep(Made(claimed.id, claimed.token, outcome, attempt.at, attempt.milliseconds, self.target.url))
        self.rounds = min(self.rounds * _MORE, _MOST_ROUNDS) if outcome.succeeded else 1
        if outcome.rests_until or outcome.is_gone:
            self._stop()

    def settle_some(self) -> None:
        """Write what is over, some together: when there is much, when it has waited, or nothing else is to be done."""
        is_ripe = len(self.made) >= _SETTLE_AT or time.monotonic() - self.oldest > _SETTLE_SECONDS
        if self.made and (is_ripe or not self.in_hand):
            made, self.made = self.made, []
            self.settled += settle(self.due.id, made, self.clock())

    def end(self) -> None:
        """Give back what was not begun, settle what is over, and free the slots."""
        try:
            if self.queue:
                give_back([one.id for one in self.queue], self.token, self.clock())
            if self.made:
                self.settled += settle(self.due.id, self.made, self.clock())
        finally:
            slots.free_all(self.due.id, self.free)

    def _claim(self) -> None:
        now, self.claimed_at = self.clock(), time.monotonic()
        most = self.width * self.rounds
        self.token, ids, self.is_dry = claim(self.due.id, now, most)
        self.queue.extend(load(ids, self.token) if ids else ())

    def _begin(self, claimed: Claimed) -> None:
        """Have it called, or say at once why not."""
        if claimed.crashes > MOST_CRASHES:
            self._end(claimed, Outcome(State.FAILED, "crashed", tries=claimed.tries))
            return
        try:
            body = self._body(claimed)
        except (Error, DriverError) as error:
            # It is the database that cannot be read, not the event.
            logger.warning("a webhook cannot be read: %s", describe(error))
            self.queue.appendleft(claimed)
            self._stop(_SOON)
            return
        except Exception as error:
            logger.warning("a webhook cannot be told: %s", describe(error), extra={"delivery_id": str(claimed.id)})
            self._end(claimed, unreadable(_tried(claimed), self.clock(), _fraction(claimed)))
            return
        if body is None:
            self._end(claimed, Outcome(State.CANCELLED, "forgotten", tries=claimed.tries))
            return
        future = self.pool.submit(make, self.target.url, claimed.id, body, self.secrets, self.clock)
        self.in_hand[future] = (claimed, self.free.pop())
        if claimed.crashes:
            begun(claimed)

    def _end(self, claimed: Claimed, outcome: Outcome) -> None:
        """Without a call."""
        self._keep(Made(claimed.id, claimed.token, outcome))

    def _body(self, claimed: Claimed) -> bytes | None:
        """None where nothing is left to tell: it was erased, or its time is over."""
        if claimed.is_test:
            return test_body(self.target.name, claimed.queued_at)
        return None if claimed.telling is None else body_of(claimed.telling)

    def _keep(self, made: Made) -> None:
        if not self.made:
            self.oldest = time.monotonic()
        self.made.append(made)

    def _stop(self, pause: timedelta = timedelta()) -> None:
        """It is not called any more for now: what was not begun goes back."""
        if self.queue:
            give_back([one.id for one in self.queue], self.token, self.clock() + pause)
            self.queue.clear()
        self.is_dry = True


def open_line(
    due: Due,
    target: Target,
    secrets: tuple[str, ...],
    most: int,
    pool: ThreadPoolExecutor,
    clock: Callable[[], datetime],
    until: float,
) -> Line | None:
    """None where all slots of the endpoint are in use."""
    taken = slots.take_some(due.id, range(due.at_once), most)
    return Line(due, target, secrets, pool, clock, until, taken) if taken else None


def lines_of(lines: dict[UUID, Line]) -> dict[Future[Attempt], Line]:
    return {future: line for line in lines.values() for future in line.in_hand}


def _tried(claimed: Claimed) -> Tried:
    return Tried(claimed.tries, claimed.queued_at, claimed.attempts)


def _fraction(claimed: Claimed) -> float:
    return (hash64(str(claimed.id), str(claimed.tries)) % _PARTS) / _PARTS
