"""The installation as real processes: web, workers, beat and a mail server, each with a log of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from urllib.error import URLError
from urllib.request import urlopen

PROJECT = Path(__file__).resolve().parent.parent.parent
LOGS = PROJECT / ".local" / "loop" / str(os.getpid())
_STOP_SECONDS = 10.0
_START_SECONDS = 60.0
_TAIL_LINES = 20


class LoopError(Exception):
    """The loop cannot go on: a process ended, or what must happen did not."""


class Process:
    """One program in a process group of its own, so that stopping it leaves none of its children."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", *arguments]
        self._environment = {**os.environ, **environment}
        self._popen: subprocess.Popen[bytes] | None = None
        self.log = LOGS / f"{name}.log"
        self.output = LOGS / f"{name}.out"
        # Where in the log the present life begins.
        self.began_at = 0

    def __enter__(self) -> "Process":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        with self.log.open("ab") as log, self.output.open("wb") as output:
            self.began_at = log.tell()
            self._popen = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                cwd=PROJECT,
                env=self._environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise LoopError(f"{self.name} was never started")
        return self._popen.pid

    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def kill(self) -> None:
        """SIGKILL to the program; its children are told by the kernel."""
        os.kill(self.pid, signal.SIGKILL)
        self._reap(_STOP_SECONDS)

    def stop(self) -> None:
        if self._popen is None:
            return
        if self.is_alive():
            self._popen.terminate()
            self._reap(_STOP_SECONDS)
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


class Installation:
    """Everything that runs while the loop is on; `sink_port` is where its mail goes."""

    dispatch_threads = 4

    def __init__(self, environment: Mapping[str, str], answer_delay: float) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.mails = LOGS / "mails.jsonl"
        self.web_port = free_port()
        environment = {**environment, "TRILHA_PUBLIC_URL": self.url}
        worker = ("celery", "-A", "config", "worker", "-l", "INFO", "--without-gossip", "--without-mingle")
        self.sink = Process(
            "smtp", ("config.loop.smtp_sink", "--record", str(self.mails), "--delay", str(answer_delay)), {}
        )
        self.web = Process(
            "web",
            ("granian", "--interface", "wsgi", "--port", str(self.web_port), "--blocking-threads", "4",
             "config.wsgi:application"),
            environment,
        )  # fmt: skip
        self.engine = Process(
            "engine", (*worker, "-P", "prefork", "-c", "2", "-Q", "engine,slow", "-n", "engine@%h"), environment
        )
        self.dispatch = Process(
            "dispatch",
            (*worker, "-P", "threads", "-c", str(self.dispatch_threads), "-Q", "dispatch", "-n", "dispatch@%h"),
            environment,
        )
        self.beat = Process("beat", ("celery", "-A", "config", "beat", "-l", "INFO", "--pidfile="), environment)
        self.sink_port = 0
        self._running = ExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def processes(self) -> list[Process]:
        return [self.sink, self.web, self.engine, self.dispatch, self.beat]

    def __enter__(self) -> "Installation":
        with ExitStack() as starting:
            for process in self.processes:
                starting.enter_context(process)
            self.sink_port = self._await_sink()
            self._await_web()
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def check(self) -> None:
        """Every process that nobody kills must be alive."""
        for process in (self.sink, self.web, self.engine, self.beat):
            if not process.is_alive():
                raise LoopError(f"the process {process.name} has ended")

    def close_sink(self) -> dict[str, int]:
        """Stop the mail server; what it counted."""
        self.sink.stop()
        counts: dict[str, int] = json.loads(self.sink.output.read_text().splitlines()[-1])
        return counts

    def _await_sink(self) -> int:
        def port() -> int:
            lines = self.sink.output.read_text().splitlines()
            return int(lines[0]) if lines else 0

        self._await(lambda: port() > 0, "the mail server")
        return port()

    def _await_web(self) -> None:
        self._await(lambda: _answers(f"{self.url}/healthz/live"), "the web server")

    def _await(self, ready: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > until:
                raise LoopError(f"{what} does not come up")
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
