"""The loop's installation as real processes: web, workers, beat and a mail server."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from config.processes import PROJECT, Process, ProcessError, answers, beat, dispatch, engine, free_port, web

LOGS = PROJECT / ".local" / "loop" / str(os.getpid())
_START_SECONDS = 60.0


class LoopError(ProcessError):
    """The loop cannot go on: a process ended, or what must happen did not."""


class Installation:
    """Everything that runs while the loop is on; `sink_port` is where its mail goes."""

    dispatch_threads = 4

    def __init__(self, environment: Mapping[str, str], answer_delay: float) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.mails = LOGS / "mails.jsonl"
        self.web_port = free_port()
        self.arrivals, others = LOGS / "arrivals.jsonl", free_port()
        called = f"127.0.0.1:{others}"
        environment = {**environment, "TRILHA_PUBLIC_URL": self.url, "TRILHA_CALL_HOSTS": called}
        arguments = ("config.loop.smtp_sink", "--record", str(self.mails), "--delay", str(answer_delay))
        self.sink = Process("smtp", arguments, {}, LOGS)
        serving = ("tests.channels.providers.serving", "--port", str(others), "--record", str(self.arrivals))
        self.others = Process("others", serving, {}, LOGS)
        self.web = web(self.web_port, environment, LOGS)
        self.engine = engine(environment, LOGS)
        self.dispatch = dispatch(self.dispatch_threads, environment, LOGS)
        self.beat = beat(environment, LOGS)
        self.sink_port = 0
        # How the other systems are spoken to.
        self.spoken: dict[str, Any] = {}
        self._running = ExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def processes(self) -> list[Process]:
        return [self.sink, self.others, self.web, self.engine, self.dispatch, self.beat]

    def __enter__(self) -> "Installation":
        with ExitStack() as starting:
            for process in self.processes:
                starting.enter_context(process)
            self.sink_port = int(self._first_line(self.sink, "the mail server"))
            self.spoken = json.loads(self._first_line(self.others, "the other systems"))
            self._await_web()
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def check(self) -> None:
        """Every process that nobody kills must be alive."""
        for process in (self.sink, self.others, self.web, self.engine, self.beat):
            if not process.is_alive():
                raise LoopError(f"the process {process.name} has ended")

    def close_sink(self) -> dict[str, int]:
        """Stop the mail server; what it counted."""
        self.sink.stop()
        counts: dict[str, int] = json.loads(self.sink.output.read_text().splitlines()[-1])
        return counts

    def _first_line(self, process: Process, what: str) -> str:
        """What it says once it is up."""
        self._await(lambda: "\n" in process.output.read_text(), what)
        return process.output.read_text().splitlines()[0]

    def _await_web(self) -> None:
        self._await(lambda: answers(f"{self.url}/healthz/live"), "the web server")

    def _await(self, ready: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > until:
                raise LoopError(f"{what} does not come up")
            time.sleep(0.05)
