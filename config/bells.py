"""The ringer: a thread of each process tells the broker that there is work, so that nobody else waits for it."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from celery import Celery
from kombu import Connection

logger = logging.getLogger(__name__)

# By bell, the task that does what it rings for, and the queue that this goes through.
TASKS: Final = {
    "engine": ("journeys.drain", "engine"),
    "dispatch": ("channels.dispatch_due", "dispatch"),
    "broadcasts": ("channels.run_broadcasts", "dispatch"),
    "calls": ("journeys.call_due", "calls"),
    "tests": ("channels.send_tests", "calls"),
    "webhooks": ("channels.deliver_webhooks", "calls"),
    "slow": ("customers.work_on_jobs", "slow"),
    "views": ("channels.count_views", "slow"),
}
# Older bells tell of work that has been found long since.
EXPIRES_SECONDS: Final = 2
# Rings within this time are one: the workers find everything there is at the first.
GAP_SECONDS: Final = 0.02
TROUBLE_PAUSE_SECONDS: Final = 1.0
_QUIET_SECONDS: Final = 60.0


class Publisher:
    """Publishes bells over a connection of its own, which is thrown away at the first trouble."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Connection | None = None
        self._inherited: list[Connection] = []

    def __call__(self, queue: str) -> None:
        used_before = self._connection is not None
        try:
            self._send(queue)
        except Exception:
            self._drop()
            if not used_before:
                raise
            # Brokers and firewalls close what was idle; that says nothing about a new connection.
            self._send_anew(queue)

    def forget(self) -> None:
        """After a fork: the parent's connection is neither used nor closed here."""
        if self._connection is not None:
            self._inherited.append(self._connection)
        self._connection = None

    def _send_anew(self, queue: str) -> None:
        try:
            self._send(queue)
        except Exception:
            self._drop()
            raise

    def _send(self, queue: str) -> None:
        if self._connection is None:
            self._connection = self._connect()
        task, through = TASKS[queue]
        self._app.send_task(
            task,
            queue=through,
            connection=self._connection,
            expires=EXPIRES_SECONDS,
            retry=False,
            ignore_result=True,
        )

    def _connect(self) -> Connection:
        ready = self._app.connection_for_write()
        options: dict[str, Any] = dict(ready.transport_options or {})
        # A publisher only ever reads confirmations: a broker that owes one for so long is as good as dead.
        if ready.transport_cls in ("amqp", "amqps", "pyamqp"):
            options["read_timeout"] = 5
        return ready.clone(transport_options={**options, "max_retries": 0})

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.collect(socket_timeout=0.1)
            except Exception as error:
                logger.debug("closing the broker's connection: %s", type(error).__name__)


class Ringer:
    """`ringer(queue)` returns at once; bells rung while one is being carried become one."""

    def __init__(self, publish: Callable[[str], None], on_fork: Callable[[], None] = lambda: None) -> None:
        self._publish = publish
        self._on_fork = on_fork
        self._silent_until = 0.0
        self._changed = threading.Condition()
        self._rung: set[str] = set()
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._start_afresh)

    def __call__(self, queue: str) -> None:
        try:
            with self._changed:
                self._rung.add(queue)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._carry_all, name="bells", daemon=True)
                    self._thread.start()
                self._changed.notify()
        except RuntimeError as error:
            # No thread can be started, at the end of a process for instance; the sweep finds the work.
            self._thread = None
            logger.warning("bell not rung: %s", error)

    def _start_afresh(self) -> None:
        """Threads and the locks they held stay behind in the parent."""
        self._changed = threading.Condition()
        self._rung = set()
        self._thread = None
        self._on_fork()

    def _carry_all(self) -> None:
        while True:
            with self._changed:
                while not self._rung:
                    self._changed.wait()
                rung, self._rung = self._rung, set()
            time.sleep(self._carry(sorted(rung)))

    def _carry(self, queues: list[str]) -> float:
        """Publish; return how long to rest."""
        try:
            for queue in queues:
                self._publish(queue)
        except Exception as error:
            self._complain(error)
            return TROUBLE_PAUSE_SECONDS
        return GAP_SECONDS

    def _complain(self, error: Exception) -> None:
        """Once a minute: with the broker away every bell fails, and no work is lost by it."""
        if time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + _QUIET_SECONDS
            logger.warning("no bell can be rung, work waits for the sweep: %s", type(error).__name__)


def ringer_of(app: Celery) -> Ringer:
    publisher = Publisher(app)
    return Ringer(publisher, publisher.forget)
