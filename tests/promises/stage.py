"""Where one promise is played: a database of its own, the processes it asks for, and everything stopped at the end."""

import random
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from django.db import connection, connections

from config.keeper import Keeper
from config.loop.quiet import waiting
from config.processes import Process, ProcessError, answers, beat, engine, free_port, web
from customers import clock, keys, tokens, work
from customers.models import Brand, Scope, Source
from tests.promises.client import Client
from tests.promises.servers import Servers

DATABASE = "lab_run"
_START_SECONDS = 60.0
_SETTLE_SECONDS = 300.0
_UNLIMITED = 2_000_000_000
# What dead workers left behind is taken up soon, and bells are rung late.
_HASTE = {"LEASE_SECONDS": "6", "SWEEP_SECONDS": "1", "PROVIDER_DEADLINE_SECONDS": "2", "LOG_LEVEL": "ERROR"}


@dataclass
class Stage:
    """`control` is the broken build to run instead of the product; `chance` repeats itself by its seed."""

    servers: Servers
    keeper: Keeper
    logs: Path
    full: bool
    control: str
    chance: random.Random
    processes: list[Process] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._running = ExitStack()
        # By which way processes started from now on reach the broker.
        self.broker_url = self.servers.broker_url

    def __enter__(self) -> "Stage":
        self.brand = Brand.objects.create(key="lab", name="Lab")
        self.source = Source.objects.create(brand=self.brand, key="lab", name="Lab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.terminate()
        self._running.close()
        work.close()
        connections.close_all()

    def size(self, full: int, quick: int) -> int:
        return full if self.full else quick

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {
            **_HASTE,
            "DATABASE_URL": self.servers.at(DATABASE),
            "BROKER_URL": self.broker_url,
            "DJANGO_SETTINGS_MODULE": "tests.promises.settings",
            "TRILHA_LAB_CONTROL": self.control,
            **(more or {}),
        }

    def start_web(self, workers: int, more: Mapping[str, str] | None = None) -> Process:
        """The web server with so many worker processes, ready; `url` is where it listens."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        process = self.start(web(port, self.environment(more), self.logs, workers))
        self.until(lambda: answers(f"{self.url}/healthz/live"), "the web server")
        return process

    def start_engine(self, more: Mapping[str, str] | None = None, name: str = "engine") -> Process:
        return self.start(engine(self.environment(more), self.logs, name))

    def start_beat(self, name: str = "beat") -> Process:
        return self.start(beat(self.environment(), self.logs, name))

    def start(self, process: Process) -> Process:
        self._running.enter_context(process)
        self.keeper.keep(process.pid)
        self.processes.append(process)
        return process

    def partner(self, url: str = "") -> Client:
        """A client of the native door."""
        now = clock.utcnow()
        _token, plaintext = tokens.issue(
            brand_id=self.brand.id,
            sources=[self.source],
            name="Lab",
            scopes=[scope.value for scope in Scope],
            expires_at=now + timedelta(days=400),
            now=now,
            per_minute=_UNLIMITED,
        )
        return Client(url or self.url, f"Bearer {plaintext}")

    def segment(self) -> str:
        """A write key of the Segment-compatible door."""
        return keys.issue(self.source)[1]

    def until(self, true: Callable[[], object], what: str, seconds: float = _START_SECONDS) -> None:
        """Wait until it is so; raises ProcessError when it does not come to be."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise ProcessError(f"after {seconds:.0f} s there is no end of waiting for {what}")
            time.sleep(0.05)

    def dwindle(self, left: Callable[[], int], what: str, seconds: float) -> None:
        """Wait until none are left, however long that takes; ProcessError once they have been no fewer for so long."""
        fewest, since = left(), time.monotonic()
        while fewest:
            if time.monotonic() - since > seconds:
                raise ProcessError(f"for {seconds:.0f} s there have been {fewest} of {what}, and no fewer")
            time.sleep(0.25)
            if (now := left()) < fewest:
                fewest, since = now, time.monotonic()

    def settle(self, what: str, seconds: float = _SETTLE_SECONDS, *, stays: Collection[str] = ()) -> None:
        """Wait until nothing is left to do, but in the places that stay as they are."""
        self.until(lambda: not waiting().keys() - set(stays), what, seconds)

    def count(self, query: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return int(cursor.fetchone()[0])

    def show_logs(self) -> None:
        for process in self.processes:
            print(f"--- {process.name}: {process.log}\n{process.tail()}")
