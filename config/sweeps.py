"""Each worker's own timer: what the queues it serves hold is worked off every few seconds, broker or not."""

import logging
import random
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from celery import Celery, signals
from celery.concurrency import get_implementation
from celery.concurrency.prefork import TaskPool as Prefork
from django.conf import settings
from django.db import connections

from channels.broadcasts import turn as broadcasts
from channels.dispatch import dispatch_all, sweep
from channels.entitlements.expiring import expire_due
from channels.webhooks.deliver import deliver_due
from channels.worklist.expiring import expire_tasks, give_back
from config import memory
from customers import jobs, limit, work
from customers.clock import utcnow
from customers.work import describe
from journeys.engine.calls.due import call_due
from journeys.engine.drain import drain

logger = logging.getLogger(__name__)

# So long is worked at a stretch: a worker that shuts down waits no longer for its sweep.
_STRETCH_SECONDS = 1.0
_FAREWELL_SECONDS = 15.0


def _sweep_engine() -> bool:
    return drain(utcnow, seconds=_STRETCH_SECONDS)


def _sweep_dispatch() -> bool:
    sweep(utcnow())
    expire_due(utcnow())
    give_back(utcnow())
    expire_tasks(utcnow())
    written = broadcasts.work(utcnow, _STRETCH_SECONDS)
    return dispatch_all(utcnow(), stop_after_seconds=_STRETCH_SECONDS) == 0 and written


def _sweep_calls() -> bool:
    called = call_due(utcnow, seconds=_STRETCH_SECONDS)
    return deliver_due(utcnow, seconds=_STRETCH_SECONDS) and called


def _sweep_jobs() -> bool:
    return jobs.work_on(utcnow, seconds=_STRETCH_SECONDS)


# Work off a stretch of what the queue's tasks would; whether nothing is left.
SWEEPS: Mapping[str, Callable[[], bool]] = {
    "engine": _sweep_engine,
    "dispatch": _sweep_dispatch,
    "calls": _sweep_calls,
    "slow": _sweep_jobs,
}


class SweepTimer:
    """A thread that sweeps for the given queues until told to stop."""

    def __init__(self, queues: Collection[str], seconds: float) -> None:
        self._sweeps = [sweep for queue, sweep in SWEEPS.items() if queue in queues]
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def start(self) -> None:
        if self._sweeps:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_FAREWELL_SECONDS)

    def _run(self) -> None:
        # The processes of a worker are born together; they need not sweep together.
        rest = self._seconds * random.random()  # noqa: S311 - spreads load, guards nothing
        while not self._stopping.wait(rest):
            self._sweep()
            rest = self._seconds

    def _sweep(self) -> None:
        try:
            for one in self._sweeps:
                while not one() and not self._stopping.is_set():
                    continue
        except Exception as error:
            # The database may be away just now; the timer must outlive that.
            logger.warning("sweep failed: %s", describe(error))
        finally:
            # This thread's own connections, not worth holding from one sweep to the next.
            work.close()
            connections.close_all()


class _Worker:
    """The sweep timer of this process: in each child of a prefork pool, else in the process itself."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._timer: SweepTimer | None = None
        self._watch: limit.Watch | None = None

    def begin(self, **_signal: Any) -> None:
        memory.settle()
        queues = SWEEPS.keys() & self._app.amqp.queues.consume_from.keys()
        self._timer = SweepTimer(queues, settings.SWEEP_SECONDS)
        self._timer.start()
        self._watch = limit.Watch(settings.WORK_SECONDS)
        self._watch.start()

    def begin_unless_forking(self, sender: Any, **_signal: Any) -> None:
        # Asked before the pool is made: a thread must not be there when it forks.
        if not issubclass(get_implementation(sender.pool_cls), Prefork):
            self.begin()

    def end(self, **_signal: Any) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._watch is not None:
            self._watch.stop()


def watch(app: Celery) -> None:
    """Have every Celery worker that this process turns into keep its own time."""
    worker = _Worker(app)
    signals.worker_init.connect(worker.begin_unless_forking, weak=False)
    signals.worker_process_init.connect(worker.begin, weak=False)
    signals.worker_process_shutdown.connect(worker.end, weak=False)
    signals.worker_shutdown.connect(worker.end, weak=False)
