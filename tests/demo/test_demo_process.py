"""The demo as people run it: it opens, says who may come in, and leaves nothing behind, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from config.processes import PROJECT
from tests.processes import database_url

pytestmark = pytest.mark.slow

_START_SECONDS = 240
_END_SECONDS = 30


class Demo:
    """One run of the demo on a database of its own; its children are known by a mark in their environment."""

    def __init__(self, url: str, output: Path) -> None:
        self.mark = uuid4().hex
        self.output = output
        with output.open("w") as file:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "config.demo", "--people", "3", "--port", "18100"],
                env={**os.environ, "DATABASE_URL": url, "DEMO_TEST_MARK": self.mark},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=PROJECT,
                start_new_session=True,
            )

    def await_open(self) -> str:
        """The address, once it has been printed."""
        until = time.monotonic() + _START_SECONDS
        while "is open" not in self.output.read_text():
            assert self.popen.poll() is None, self.output.read_text()
            assert time.monotonic() < until, self.output.read_text()
            time.sleep(0.2)
        line = next(line for line in self.output.read_text().splitlines() if "is open" in line)
        return line.split()[-1]

    def left(self) -> list[int]:
        """Processes that carry the mark; the embedded servers have users of their own and do not."""
        found = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if self.mark.encode() in environ.read_bytes() and b"config.embedded" not in _command(environ.parent):
                    found.append(int(environ.parent.name))
        return found

    def await_nothing_left(self) -> None:
        until = time.monotonic() + _END_SECONDS
        while self.left() and time.monotonic() < until:
            time.sleep(0.2)
        assert self.left() == []


def _command(process: Path) -> bytes:
    return (process / "cmdline").read_bytes()


@pytest.fixture
def url(db: None) -> Iterator[str]:
    """An empty database beside the test's."""
    beside = database_url()
    parts = urlsplit(beside)
    name = f"{parts.path.strip('/')}_open"
    with psycopg.connect(beside, autocommit=True) as connection:
        for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
        yield urlunsplit(parts._replace(path=f"/{name}"))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def demo(url: str, tmp_path: Path) -> Iterator[Demo]:
    running = Demo(url, tmp_path / "first")
    yield running
    with suppress(ProcessLookupError):
        running.popen.kill()
    running.popen.wait()
    running.await_nothing_left()


def test_it_opens_and_ends_with_ctrl_c(demo: Demo, url: str, tmp_path: Path) -> None:
    address = demo.await_open()
    with urlopen(f"{address}login/", timeout=10) as page:
        assert page.status == 200
    printed = demo.output.read_text()
    for name in ("admin", "marketer", "squad", "auditor", "agent", "trilha_live_"):
        assert name in printed
    second = Demo(url, tmp_path / "second")
    assert second.popen.wait(60) == 1
    assert address.removesuffix("/admin/") in second.output.read_text()
    demo.popen.send_signal(signal.SIGINT)
    assert demo.popen.wait(_END_SECONDS) == 0
    demo.await_nothing_left()


def test_a_demo_that_is_killed_takes_everything_with_it(demo: Demo) -> None:
    demo.await_open()
    assert len(demo.left()) > 5
    demo.popen.kill()
    demo.popen.wait()
    demo.await_nothing_left()


def test_it_is_not_for_production() -> None:
    environment: dict[str, Any] = {**os.environ, "TRILHA_ENV": "production"}
    done = subprocess.run(
        [sys.executable, "-m", "config.demo"], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "production" in done.stderr
