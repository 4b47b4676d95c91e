"""Kills workers without warning: a child of the engine's pool, then the whole dispatch worker, and so on."""

import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from config.loop.processes import Installation
from config.processes import Process

_READY = b"ready."
_READY_SECONDS = 30.0


class Killer:
    """Kills `count` times in a thread of its own; the engine replaces its child, we restart the dispatcher."""

    def __init__(self, installation: Installation, count: int) -> None:
        self._installation = installation
        self._count = count
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self._random = random.Random()  # noqa: S311 - moments, not secrets
        self.children = 0
        self.workers = 0

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for number in range(self._count):
            victim = self._installation.dispatch if number % 2 else self._installation.engine
            await_ready(victim)
            if self._stopping.wait(self._random.uniform(0.2, 1.5)):
                return
            if number % 2:
                victim.kill()
                victim.start()
                self.workers += 1
            else:
                self._kill_child(victim)

    def _kill_child(self, victim: Process) -> None:
        children = children_of(victim.pid)
        if children:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(children), signal.SIGKILL)
                self.children += 1


def children_of(pid: int) -> list[int]:
    """The processes whose parent is `pid`, as Linux tells."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            # The name in brackets may hold anything; the parent is the second field after it.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def await_ready(process: Process) -> None:
    """Wait until the worker has said that it is ready, since it was last started."""
    until = time.monotonic() + _READY_SECONDS
    while _READY not in process.log.read_bytes()[process.began_at :] and time.monotonic() < until:
        time.sleep(0.05)
