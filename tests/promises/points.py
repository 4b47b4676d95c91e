"""Moments of a worker's life at which the lab has it die: the lab lays down a mark, and the first that comes by dies.

A mark is a file, and whoever can remove it took it: so each death that is asked for happens once, in one process, and
the lab sees that it has.
"""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from customers import work
from customers.work import Queue
from tests.promises.patching import put

BEFORE_NOTE: Final = "the units locked, and no note of them yet"
AFTER_NOTE: Final = "the note committed, and nothing done"
AFTER_WORK: Final = "the work done, and nothing committed"
AFTER_COMMIT: Final = "all committed, and nobody told"
POINTS: Final = (BEFORE_NOTE, AFTER_NOTE, AFTER_WORK, AFTER_COMMIT)
FOLDER: Final = "TRILHA_LAB_POINTS"


class Marks:
    """The lab's side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        for left in folder.iterdir():
            left.unlink()
        self.environment = {"TRILHA_LAB_FAULT": "dies where it is marked", FOLDER: str(folder)}

    def lay(self, point: str) -> None:
        _mark(self._folder, point).touch()

    def lies(self, point: str) -> bool:
        return _mark(self._folder, point).exists()


def _mark(folder: Path, point: str) -> Path:
    return folder / str(POINTS.index(point))


def die_where_marked() -> None:
    """The worker's side: not a broken build, the product with a hand that kills it."""
    folder = Path(os.environ.get(FOLDER, ""))
    noted, attempt = work._note, work._attempt

    def die_at(point: str) -> None:
        try:
            _mark(folder, point).unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def note(queue: str, ids: Sequence[int], now: datetime) -> None:
        die_at(BEFORE_NOTE)
        noted(queue, ids, now)
        die_at(AFTER_NOTE)

    def attempted(queue: Queue, choose: Callable[[], Sequence[int]], now: datetime) -> int:
        def worked(ids: Sequence[int], now: datetime) -> int:
            done = queue.work(ids, now)
            die_at(AFTER_WORK)
            return done

        done = attempt(replace(queue, work=worked), choose, now)
        if done:
            die_at(AFTER_COMMIT)
        return done

    put(work, "_note", note)
    put(work, "_attempt", attempted)
