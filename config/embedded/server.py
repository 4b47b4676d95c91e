"""One embedded server process: alive for as long as any of its processes holds the lock it was born with."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import locks
from .home import EmbeddedError, Home

START_SECONDS = 120  # crash recovery of a big write-ahead log takes its time
STOP_SECONDS = 30
LONGEST_LOG = 10_000_000


@dataclass(frozen=True)
class Server:
    """How to start, ask and stop one program; `prepare` runs while it is certain that none of it lives."""

    name: str
    home: Home
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    stop_signal: signal.Signals
    prepare: Callable[[], None]
    is_ready: Callable[[], bool]

    @property
    def log(self) -> Path:
        return self.home.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return self.home.folder / f"{self.name}.pid"

    def ensure(self) -> None:
        """Return once it answers; a server that is starting, recovering or dying is waited for."""
        give_up = time.monotonic() + START_SECONDS
        with locks.open_lock(self.home, self.name) as lock:
            while not locks.take(lock):
                if self.is_ready():
                    return
                self._give_up_after(give_up, "lives but does not answer")
            self.prepare()
            self._spawn(lock.fileno())
        self._await_birth(give_up)

    def stop(self) -> None:
        """Return once all of its processes have gone."""
        with locks.open_lock(self.home, self.name) as lock:
            if locks.take(lock):
                return
            # One that does not answer was killed and its children are about to notice; its pid means nothing.
            if self.is_ready():
                os.kill(int(self.pid_file.read_text()), self.stop_signal)
            if not locks.take_within(lock, STOP_SECONDS):
                raise EmbeddedError(f"{self.name} does not stop; see {self.log}")

    def _spawn(self, lock: int) -> None:
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.unlink()
        # The shell ends at once, so that the server is nobody's child and outlives whoever started it.
        with self.log.open("a") as log:
            self.home.give(self.log)
            shell = subprocess.run(
                ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(self.environment),
                cwd=self.home.folder,
                pass_fds=[lock],
                start_new_session=True,
                check=True,
                **self.home.login,
            )
        self.pid_file.write_bytes(shell.stdout)
        self.home.give(self.pid_file)

    def _await_birth(self, give_up: float) -> None:
        while not self.is_ready():
            with locks.open_lock(self.home, self.name) as lock:
                if locks.take(lock):
                    raise EmbeddedError(f"{self.name} ended at once:\n{self._last_words()}")
            self._give_up_after(give_up, "does not answer")

    def _give_up_after(self, deadline: float, fault: str) -> None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{self.name} {fault}; see {self.log}\n{self._last_words()}")
        time.sleep(0.02)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
