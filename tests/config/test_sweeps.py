"""The workers' own timer: with no broker at all, work is done within the time between two sweeps."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from config import sweeps
from config.sweeps import SweepTimer
from customers import keys
from customers.models import Brand, Event, InboxItem, Source
from tests.channels.world import make_world, state
from tests.customers.segment_door import Door, track
from tests.processes import database_url

START_SECONDS = 60


@contextmanager
def worker(queue: str, pool: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A real Celery worker whose broker is a closed port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
    environment = {"DATABASE_URL": database_url(), "BROKER_URL": broker, "SWEEP_SECONDS": "1"}
    arguments = ["-m", "celery", "-A", "config", "worker", "-P", pool, "-c", "1", "-Q", queue]
    process = subprocess.Popen([sys.executable, *arguments], env=os.environ | environment, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def seconds_until(condition: Callable[[], bool], limit: float) -> float:
    began = time.monotonic()
    while not condition() and time.monotonic() < began + limit:
        time.sleep(0.02)
    return time.monotonic() - began


def make_door() -> Door:
    source = Source.objects.create(brand=Brand.objects.create(key="acme", name="Acme"), key="shop", name="Shop")
    return Door(source, keys.issue(source)[1])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_engine_worker_without_a_broker_resolves_what_was_accepted() -> None:
    door = make_door()

    def accept(message_id: str) -> None:
        door.post("/v1/track", track(messageId=message_id, timestamp=datetime.now(UTC).isoformat()))

    accept("m-1")
    with worker("engine", "prefork"):
        assert seconds_until(lambda: Event.objects.count() == 1, START_SECONDS) < START_SECONDS
        accept("m-2")
        assert seconds_until(lambda: Event.objects.count() == 2, 10) < 3
    assert InboxItem.objects.count() == 0


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_dispatch_worker_without_a_broker_sends_what_is_due() -> None:
    world = make_world()
    now = datetime.now(UTC)
    times = {"created_at": now, "due_at": now, "expires_at": datetime(2100, 1, 1, tzinfo=UTC)}
    person = world.person()
    first = world.queue(person, **times)
    with worker("dispatch", "threads"):
        assert seconds_until(lambda: state(first) == ("sent", ""), START_SECONDS) < START_SECONDS
        second = world.queue(person, **times)
        assert seconds_until(lambda: state(second) == ("sent", ""), 10) < 3


def test_a_sweep_goes_on_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [3]

    def sweep() -> bool:
        left[0] = max(0, left[0] - 1)
        return left[0] == 0

    monkeypatch.setattr(sweeps, "SWEEPS", {"engine": sweep})
    timer = SweepTimer(["engine"], 0.01)
    timer.start()
    assert seconds_until(lambda: left == [0], 5) < 5
    timer.stop()


def test_a_failed_sweep_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps_made: list[float] = []

    def sweep() -> bool:
        sweeps_made.append(time.monotonic())
        raise ConnectionError("the database is away")

    monkeypatch.setattr(sweeps, "SWEEPS", {"engine": sweep})
    timer = SweepTimer(["engine"], 0.01)
    timer.start()
    assert seconds_until(lambda: len(sweeps_made) > 2, 5) < 5
    timer.stop()


def test_a_stopped_timer_sweeps_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps_made: list[float] = []

    def sweep() -> bool:
        sweeps_made.append(time.monotonic())
        return True

    monkeypatch.setattr(sweeps, "SWEEPS", {"engine": sweep})
    timer = SweepTimer(["engine"], 0.01)
    timer.start()
    seconds_until(lambda: len(sweeps_made) > 0, 5)
    timer.stop()
    before = len(sweeps_made)
    time.sleep(0.1)
    assert len(sweeps_made) == before


def test_a_worker_of_other_queues_keeps_no_timer() -> None:
    timer = SweepTimer([], 0.01)
    timer.start()
    timer.stop()
    assert not timer._thread.is_alive()
