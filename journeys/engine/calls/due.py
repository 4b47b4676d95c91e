"""What is due is called: many at once, each connector no more than it allows, and none within a transaction.

One thread of the process holds the database's connection, claims and settles; others wait for the other systems. So a
slow one keeps its own slots busy and nothing else: no journey, no message, no other system.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from random import sample
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from channels.care.state import Leave, ask_leave
from channels.care.state import give_back as give_leave_back
from channels.models import Connector
from channels.providers.base import ConfigurationError, build
from channels.providers.calls import CallService
from channels.secrets import SecretError, credentials_aad, open_sealed
from channels.web import CallError, Reply
from customers.work import describe
from journeys.engine.calls.claim import REST, Claimed, claim, due_connectors, give_back, load
from journeys.engine.calls.hold import Holds
from journeys.engine.calls.make import make
from journeys.engine.calls.permitted import not_permitted
from journeys.engine.calls.settle import LEFT, MOST_CRASHES, Outcome, settle, step_of
from journeys.models import Call
from journeys.request import LONGEST_CALL

logger = logging.getLogger(__name__)

# Waiting threads are cheap, but not free; and no single system gets more than a quarter of them.
_AT_ONCE: Final = 32
_OF_ONE: Final = 8
# What is put off is written and not called.
_PUT_OFF: Final = 1_000
# Between two looks for what is due, while other calls are in hand.
_LOOK_SECONDS: Final = 0.1
_one_at_a_time = threading.Lock()


@dataclass(slots=True)
class _InHand:
    call: Claimed
    connector_id: UUID
    slot: int


@dataclass(slots=True)
class _Batch:
    """Calls of one connector that are begun together, and which of them may not be; slots are taken out as they are."""

    connector_id: UUID
    service: CallService | None
    slots: list[int]
    denied: dict[int, int | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Round:
    """One process's calls in hand; `clock` goes on while they are."""

    clock: Callable[[], datetime]
    pool: ThreadPoolExecutor
    holds: Holds = field(default_factory=Holds)
    in_hand: dict[Future[Reply], _InHand] = field(default_factory=dict)
    settled: int = 0

    def start_due(self) -> int:
        """Claim and begin what is due; how many calls were looked at."""
        looked_at = 0
        due = due_connectors(self.clock())
        # In random order: workers spread over the systems, and a slow one is nobody's first.
        for connector_id, concurrency in sample(due, len(due)):
            try:
                looked_at += self._start_some(connector_id, concurrency)
            except (OperationalError, InterfaceError):
                # No connection, so no slot is ours any more.
                raise
            except Exception as error:
                # What was claimed comes again when its lease runs out; the others are not to wait for that.
                logger.error("no call of connector %s was begun: %s", connector_id, describe(error))
        return looked_at

    def _start_some(self, connector_id: UUID, concurrency: int) -> int:
        mine = sum(one.connector_id == connector_id for one in self.in_hand.values())
        most = min(concurrency, _OF_ONE - mine, _AT_ONCE - len(self.in_hand))
        slots = self.holds.take_slots(connector_id, concurrency, most)
        try:
            return self._start(connector_id, slots) if slots else 0
        finally:
            self.holds.free_slots(connector_id, slots)

    def _start(self, connector_id: UUID, slots: list[int]) -> int:
        """Begin as many as there are slots for, and as the connector has leave for by its rate, quota and money."""
        connector = Connector.objects.select_related("brand").get(pk=connector_id)
        leave = ask_leave(connector, self.clock(), len(slots))
        if not leave.count:
            return _put_off(connector_id, leave, self.clock())
        before = len(self.in_hand)
        try:
            return self._start_claimed(connector, slots, leave.count)
        finally:
            give_leave_back(connector, leave, len(self.in_hand) - before, self.clock())

    def _start_claimed(self, connector: Connector, slots: list[int], most: int) -> int:
        began, now, connector_id = time.monotonic(), self.clock(), connector.pk
        token, journeys = claim(connector_id, now, most)
        if not journeys:
            return 0
        batch = _Batch(connector_id, _service(connector), slots)
        held = []
        try:
            if batch.service is not None:
                brand = connector.brand_id
                held = [id_ for id_, of in journeys.items() if self.holds.share(id_, (of, connector_id, brand))]
            if others := journeys.keys() - set(held):
                give_back(others, token, now + REST)
            # Begun only in the first half of the lease: what is begun late would be taken for a dead worker's.
            if time.monotonic() - began < settings.LEASE_SECONDS / 2:
                calls = load(held, token, now)
                batch.denied = not_permitted([call for call in calls if call.is_here], now)
                for call in calls:
                    self._begin_safely(call, batch)
            else:
                give_back(held, token, now)
        finally:
            in_hand = {one.call.id for one in self.in_hand.values()}
            for id_ in set(held) - in_hand:
                self.holds.release(id_)
        return len(journeys)

    def _begin_safely(self, call: Claimed, batch: _Batch) -> None:
        try:
            self._begin(call, batch)
        except Exception as error:
            # Its lease runs out, and it is looked at again; five times at most.
            logger.warning("a call was not begun: %s", describe(error), extra={"call_id": call.id})

    def _begin(self, call: Claimed, batch: _Batch) -> None:
        """Have the call in hand; or it is settled or put to rest."""
        now = self.clock()
        if not call.is_here:
            settle(call, LEFT, now)
        elif call.is_stopped or batch.service is None:
            give_back([call.id], call.token, now + REST)
        elif call.is_late:
            # Its run's time is over: the stage of timers says what follows.
            settle(call, _never("expired"), now)
        elif call.id in batch.denied:
            settle(call, _never("not_permitted", batch.denied[call.id]), now)
        elif call.crashes >= MOST_CRASHES:
            settle(call, _never("crashed"), now)
        else:
            future = self.pool.submit(make, call, step_of(call), batch.service, now)
            self.in_hand[future] = _InHand(call, batch.connector_id, batch.slots.pop())
            return
        self.settled += 1

    def settle_done(self, seconds: float) -> None:
        """Write what became of calls that are over, waiting so long for the first of them."""
        done, _others = wait(self.in_hand, seconds, FIRST_COMPLETED)
        for future in done:
            one = self.in_hand.pop(future)
            try:
                self._settle(one, future)
            except Exception as error:
                # Its lease runs out, and it is made again by the same key.
                logger.warning("a call was not settled: %s", describe(error), extra={"call_id": one.call.id})

    def _settle(self, one: _InHand, future: Future[Reply]) -> None:
        try:
            settle(one.call, _answer(future), self.clock())
            self.settled += 1
        finally:
            self.holds.release(one.call.id)
            self.holds.free_slots(one.connector_id, [one.slot])

    def end(self) -> None:
        """Settle what is in hand, however it came to the end: until it is over, a stop must wait for it."""
        while self.in_hand:
            self.settle_done(LONGEST_CALL.total_seconds())
        self.holds.release_all()


def call_due(clock: Callable[[], datetime], seconds: float = 20.0) -> bool:
    """Make what is due, and begin nothing after `seconds`; whether nothing is left. One thread of a process does."""
    if not _one_at_a_time.acquire(blocking=False):
        return True
    try:
        return _call_due(clock, time.monotonic() + seconds)
    finally:
        _one_at_a_time.release()


def _call_due(clock: Callable[[], datetime], until: float) -> bool:
    if not due_connectors(clock()):
        return True
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="call") as pool:
        work = _Round(clock, pool)
        try:
            while True:
                is_open = time.monotonic() < until
                looked_at = work.start_due() if is_open and len(work.in_hand) < _AT_ONCE else 0
                if work.in_hand:
                    work.settle_done(_LOOK_SECONDS)
                elif not looked_at:
                    return is_open
        finally:
            work.end()


def _put_off(connector_id: UUID, leave: Leave, now: datetime) -> int:
    """By its rate it has its turn in a moment. What the day has no room for waits until there is; how many calls do."""
    if leave.until is None or not leave.reason:
        return 0
    token, journeys = claim(connector_id, now, _PUT_OFF)
    give_back(list(journeys), token, leave.until)
    return len(journeys)


def _never(error: str, consent: int | None = None) -> Outcome:
    """A call that failed without being made."""
    return Outcome(Call.State.FAILED, error, attempts=0, consent=consent)


def _answer(future: Future[Reply]) -> Reply | CallError:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, CallError):
        return error
    raise error


def _service(connector: Connector) -> CallService | None:
    """None where nothing can be called: switched off, or its settings do not fit."""
    if not connector.is_active:
        return None
    try:
        credentials = open_sealed(bytes(connector.credentials), credentials_aad(connector.pk))
        service = build(connector.provider, connector.config, credentials)
    except (ConfigurationError, SecretError) as error:
        logger.error("connector %s is unusable: %s", connector.pk, error)
        return None
    except Exception as error:
        # Whatever its settings make of whoever reads them: its calls rest, as with any that do not fit.
        logger.error("connector %s is unusable: %s", connector.pk, describe(error))
        return None
    return service if isinstance(service, CallService) else None
