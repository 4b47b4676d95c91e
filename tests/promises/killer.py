"""Kills whatever runs, without warning and over and over: web, workers, broker, PostgreSQL."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType

from config.embedded import EmbeddedError
from config.loop.killer import await_ready, children_of
from config.processes import Process, ProcessError, answers
from tests.promises.stage import Stage

# How often each is killed of two hundred times.
SHARES: Mapping[str, int] = {
    "a child of the web server": 80,
    "the web server": 20,
    "a worker or its child": 60,
    "the broker": 20,
    "PostgreSQL": 20,
}


class Killer:
    """Kills in a thread of its own, each time after what was killed before is back; `counts` what it killed."""

    def __init__(self, stage: Stage, web: Process, worker: Process, kills: int) -> None:
        self._stage, self._web, self._worker = stage, web, worker
        victims = [name for name, share in SHARES.items() for _time in range(max(1, round(share * kills / 200)))]
        self._victims = stage.chance.sample(victims, len(victims))
        self._chance = random.Random(stage.chance.random())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self._fault: Exception | None = None
        self.counts: Counter[str] = Counter()

    @property
    def planned(self) -> dict[str, int]:
        return dict(Counter(self._victims))

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        if self._fault is not None and error is None:
            raise ProcessError("what was killed did not come back") from self._fault

    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._kill_all()
        except (ProcessError, EmbeddedError) as error:
            self._fault = error

    def _kill_all(self) -> None:
        for victim in self._victims:
            self._stage.until(lambda: answers(f"{self._stage.url}/healthz/live"), "the web server's return")
            if victim == "a worker or its child":
                await_ready(self._worker)
            if self._stopping.wait(self._chance.uniform(0.2, 0.8)):
                return
            self._kill(victim)
            self.counts[victim] += 1

    def _kill(self, victim: str) -> None:
        if victim == "PostgreSQL":
            self._stage.servers.kill(self._stage.servers.postgres)
        elif victim == "the broker":
            self._stage.servers.kill(self._stage.servers.valkey)
        elif victim == "the web server":
            end_at_once(self._web)
            self._web.start()
            self._stage.keeper.keep(self._web.pid)
        elif victim == "a child of the web server" or self._chance.random() < 0.5:
            process = self._web if victim == "a child of the web server" else self._worker
            for child in self._chance.sample(children := children_of(process.pid), min(1, len(children))):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        else:
            end_at_once(self._worker)
            self._worker.start()
            self._stage.keeper.keep(self._worker.pid)


def end_at_once(process: Process) -> None:
    """SIGKILL to the program with all its children."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.stop()
