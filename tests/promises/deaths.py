"""Kills workers without warning: their children, whole workers, and whoever comes to a chosen point of its work."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final

from django.db import connections

from config.loop.killer import await_ready, children_of
from config.processes import Process, ProcessError
from tests.promises.killer import end_at_once
from tests.promises.points import POINTS, Marks
from tests.promises.stage import Stage

CHILD: Final = "a child of a worker"
WORKER: Final = "a worker with its children"
_PATIENCE_SECONDS: Final = 120.0
_CONTROL_SECONDS: Final = 20.0
# A unit over which five died is given up, whoever killed them. What one unit may do to its workers is P10's; here the
# sound must come through, so nobody is killed while one of them has been under three deaths.
_HARD_HIT: Final = "SELECT count(*) FROM customers_unitattempt WHERE attempts >= 3"


class Deaths:
    """Kills in a thread of its own while this is entered; `counts` what died, `after` is called after each."""

    def __init__(
        self,
        stage: Stage,
        workers: Sequence[Process],
        victims: Sequence[str],
        marks: Marks | None = None,
        after: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._stage, self._workers, self._marks, self._after = stage, workers, marks, after
        self._victims = stage.chance.sample(victims, len(victims))
        self._chance = random.Random(stage.chance.random())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deaths", daemon=True)
        self._fault: ProcessError | None = None
        self.counts: Counter[str] = Counter()

    @property
    def planned(self) -> dict[str, int]:
        return dict(Counter(self._victims))

    def __enter__(self) -> "Deaths":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        if self._fault is not None and error is None:
            raise self._fault

    def wait(self) -> None:
        """Until all that was planned is done, or can be done no more."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for number, victim in enumerate(self._victims, 1):
                if not self._kill_next(victim):
                    return
                self.counts[victim] += 1
                self._after(number)
        except ProcessError as error:
            self._fault = error
        finally:
            connections.close_all()

    def _kill_next(self, victim: str) -> bool:
        for worker in self._workers:
            await_ready(worker)
        if not self._soon(lambda: not self._stage.count(_HARD_HIT)):
            return False
        if self._stopping.wait(self._chance.uniform(0.2, 1.2)):
            return False
        if victim in POINTS:
            return self._comes_to(victim)
        worker = self._chance.choice(self._workers)
        if victim == CHILD:
            for child in self._chance.sample(children := children_of(worker.pid), min(1, len(children))):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        else:
            end_at_once(worker)
            worker.start()
            self._stage.keeper.keep(worker.pid)
        return True

    def _comes_to(self, point: str) -> bool:
        if self._marks is None:
            raise ProcessError("nobody was told to look out for marks")
        marks = self._marks
        marks.lay(point)
        return self._soon(lambda: not marks.lies(point))

    def _soon(self, true: Callable[[], object]) -> bool:
        """Whether it comes to be so; a broken build is waited for a little only, and counts tell that it was."""
        until = time.monotonic() + (_CONTROL_SECONDS if self._stage.control else _PATIENCE_SECONDS)
        while not (is_so := bool(true())) and time.monotonic() < until:
            time.sleep(0.02)
        return is_so


def lives(count: int) -> Sequence[str]:
    """So many deaths at no chosen moment, of children and of whole workers in turns."""
    return [(CHILD, WORKER)[number % 2] for number in range(count)]
