"""The demo as running processes: web, workers, beat and the people who come by."""

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from config.keeper import Keeper
from config.processes import Process, ProcessError, answers, beat, dispatch, engine, web

# Where the club answers, that a journey asks.
CLUB_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_DISPATCH_THREADS = 2
# Nothing is lost with a worker that is ended, and whoever typed Ctrl-C wants to go.
_PATIENCE_SECONDS = 2.0


class Installation:
    """Everything that runs while the demo is on; ended with it, however it ends."""

    def __init__(
        self, environment: Mapping[str, str], port: int, club_port: int, logs: Path, write_keys: Mapping[str, str]
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        for old in logs.iterdir():
            old.unlink()
        environment = {**environment, "LOG_LEVEL": "WARNING"}
        self._url = f"http://127.0.0.1:{port}"
        self._write_keys = write_keys
        self.web = web(port, environment, logs)
        self.club = Process("club", ("config.demo.club", "--port", str(club_port)), environment, logs)
        self.workers = [
            engine(environment, logs),
            dispatch(_DISPATCH_THREADS, environment, logs),
            beat(environment, logs),
        ]
        self.traffic = Process("traffic", ("config.demo.traffic", "--url", self._url), environment, logs)
        self._running = ExitStack()
        self._begun: list[Process] = []

    def __enter__(self) -> "Installation":
        with ExitStack() as starting:
            keeper = starting.enter_context(Keeper())
            for process in (self.club, self.web, *self.workers):
                self._begin(starting, keeper, process)
            self._await_web()
            if self._write_keys:
                self._begin(starting, keeper, self.traffic, json.dumps(self._write_keys))
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._begun:
            process.terminate()
        self._running.close()

    def check(self) -> None:
        """Every process must be alive."""
        for process in self._begun:
            if not process.is_alive():
                raise ProcessError(f"the process {process.name} has ended:\n{process.tail()}")

    def _begin(self, starting: ExitStack, keeper: Keeper, process: Process, told: str = "") -> None:
        starting.callback(process.stop, _PATIENCE_SECONDS)
        process.start(told)
        keeper.keep(process.pid)
        self._begun.append(process)

    def _await_web(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while not answers(f"{self._url}/healthz/live"):
            self.check()
            if time.monotonic() > until:
                raise ProcessError(f"the web server does not come up:\n{self.web.tail()}")
            time.sleep(0.05)
