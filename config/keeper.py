"""The keeper: ends process groups whose founder died without ending them.

It reads their numbers, one a line, from a pipe whose other end only the founder holds. Whatever becomes of the
founder, the kernel closes that end; then the keeper asks the groups to end, waits, and ends them.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import IO

from config.processes import PROJECT

_PATIENCE_SECONDS = 8.0


class Keeper:
    """The founder's side: tell it of every group; leaving in order, have ended them already."""

    def __init__(self) -> None:
        self._popen: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Keeper":
        # In a group of its own: what is typed at the terminal is not for it.
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "config.keeper"],
            stdin=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._popen is not None and self._popen.stdin is not None:
            with suppress(BrokenPipeError):
                self._popen.stdin.close()
            self._popen.wait()

    def keep(self, group: int) -> None:
        if self._popen is not None and self._popen.stdin is not None:
            print(group, file=self._popen.stdin, flush=True)


def main(told: IO[str]) -> None:
    groups = [int(line) for line in told if line.strip().isdigit()]
    _signal(groups, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_SECONDS
    while any(_lives(group) for group in groups) and time.monotonic() < until:
        time.sleep(0.05)
    _signal(groups, signal.SIGKILL)


def _signal(groups: Iterable[int], number: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(sys.stdin)
