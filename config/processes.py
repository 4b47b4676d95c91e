"""Programs run beside this one: each in a process group and with a log of its own, ended with all its children."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.error import URLError
from urllib.request import urlopen

PROJECT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 10.0
_TAIL_LINES = 20


class ProcessError(Exception):
    """A program ended, or does not do what must happen."""


class Process:
    """One program in a process group of its own, so that stopping it leaves none of its children."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", *arguments]
        self._environment = {**os.environ, **environment}
        self._popen: subprocess.Popen[bytes] | None = None
        self.log = logs / f"{name}.log"
        self.output = logs / f"{name}.out"
        # Where in the log the present life begins.
        self.began_at = 0

    def __enter__(self) -> "Process":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, told: str = "") -> None:
        """Begin a life; `told` is what the program reads on its standard input."""
        with self.log.open("ab") as log, self.output.open("wb") as output:
            self.began_at = log.tell()
            self._popen = subprocess.Popen(
                self._arguments,
                stdin=subprocess.PIPE if told else subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                cwd=PROJECT,
                env=self._environment,
                start_new_session=True,
            )
        if self._popen.stdin is not None:
            with self._popen.stdin as heard:
                heard.write(told.encode())

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise ProcessError(f"{self.name} was never started")
        return self._popen.pid

    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def kill(self) -> None:
        """SIGKILL to the program; its children are told by the kernel."""
        os.kill(self.pid, signal.SIGKILL)
        self._reap(_STOP_SECONDS)

    def terminate(self) -> None:
        """Ask it to end, and do not wait: several end sooner together."""
        if self.is_alive() and self._popen is not None:
            self._popen.terminate()

    def stop(self, patience: float = _STOP_SECONDS) -> None:
        """Ask it to end, and after so many seconds end it with all its children."""
        if self._popen is None:
            return
        if self.is_alive():
            self._popen.terminate()
            self._reap(patience)
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._reap(_STOP_SECONDS)

    def tail(self) -> str:
        """The last lines of the log that tell of trouble, or of its end when none does."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        trouble = [line for line in lines if '"level":"INFO"' not in line]
        return "\n".join(f"    {line[:1000]}" for line in (trouble or lines)[-_TAIL_LINES:])

    def _reap(self, seconds: float) -> None:
        if self._popen is not None:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)


_WORKER = ("celery", "-A", "config", "worker", "-l", "INFO", "--without-gossip", "--without-mingle")


def web(port: int, environment: Mapping[str, str], logs: Path, workers: int = 1) -> Process:
    """The web server on this port of this machine; a worker that dies is replaced at once."""
    arguments = ("granian", "--interface", "rsgi", "--no-ws", "--port", str(port))
    lives = ("--workers", str(workers), "--respawn-failed-workers", "--respawn-interval", "0.1")
    return Process("web", (*arguments, *lives, "config.front:application"), environment, logs)


def engine(environment: Mapping[str, str], logs: Path, name: str = "engine") -> Process:
    arguments = ("-P", "prefork", "-c", "2", "-Q", "engine,slow", "-n", f"{name}@%h")
    return Process(name, (*_WORKER, *arguments), environment, logs)


def dispatch(threads: int, environment: Mapping[str, str], logs: Path, name: str = "dispatch") -> Process:
    arguments = ("-P", "threads", "-c", str(threads), "-Q", "dispatch,calls", "-n", f"{name}@%h")
    return Process(name, (*_WORKER, *arguments), environment, logs)


def beat(environment: Mapping[str, str], logs: Path, name: str = "beat") -> Process:
    return Process(name, ("celery", "-A", "config", "beat", "-l", "INFO", "--pidfile="), environment, logs)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_from(first: int) -> int:
    """The first port from this one on that nobody listens on."""
    for port in range(first, min(first + 100, 65536)):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise ProcessError(f"no port from {first} on is free")


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
