"""Bells: they reach the broker in time, and a broker that does not answer holds up nobody."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery

from config.bells import Publisher, Ringer, ringer_of
from customers import bells, keys
from customers.models import Brand, InboxItem, Source
from tests.customers.segment_door import Door, track


@pytest.fixture
def memory_app() -> Iterator[Celery]:
    app = Celery("test-bells", broker="memory://localhost", set_as_current=False)
    with app.connection_for_write() as connection:
        # This broker lives as long as the process.
        for queue in ("engine", "dispatch"):
            connection.SimpleQueue(queue).clear()
    yield app
    app.close()


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def test_a_bell_is_a_message_for_the_queues_own_task_that_soon_expires(memory_app: Celery) -> None:
    Publisher(memory_app)("engine")
    with memory_app.connection_for_read() as connection:
        message = connection.SimpleQueue("engine").get(timeout=2)
    assert message.headers["task"] == "journeys.drain"
    left = datetime.fromisoformat(message.headers["expires"]) - datetime.now(UTC)
    assert 1 < left.total_seconds() <= 2


def test_each_queue_has_its_bell(memory_app: Celery) -> None:
    publisher = Publisher(memory_app)
    publisher("engine")
    publisher("dispatch")
    with memory_app.connection_for_read() as connection:
        message = connection.SimpleQueue("dispatch").get(timeout=2)
        assert connection.SimpleQueue("engine").qsize() == 1
    assert message.headers["task"] == "channels.dispatch_due"


def test_rings_while_one_is_carried_become_one() -> None:
    carried: list[str] = []
    begun, free = threading.Event(), threading.Event()

    def publish(queue: str) -> None:
        begun.set()
        free.wait(5)
        carried.append(queue)

    ringer = Ringer(publish)
    ringer("engine")
    assert begun.wait(5)
    for _ring in range(500):
        ringer("engine")
        ringer("dispatch")
    free.set()
    assert wait_for(lambda: len(carried) == 3)
    time.sleep(0.1)
    assert carried == ["engine", "dispatch", "engine"]


def test_a_bell_after_trouble_is_rung_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.bells.TROUBLE_PAUSE_SECONDS", 0.01)
    carried: list[str] = []

    def publish(queue: str) -> None:
        carried.append(queue)
        if len(carried) == 1:
            raise ConnectionError("the broker is away")

    ringer = Ringer(publish)
    ringer("engine")
    assert wait_for(lambda: len(carried) == 1)
    ringer("engine")
    assert wait_for(lambda: len(carried) == 2)


def test_a_connection_that_went_stale_costs_no_bell(memory_app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(memory_app)
    publisher("engine")
    sent = memory_app.send_task
    calls: list[str] = []

    def send_task(name: str, **options: Any) -> object:
        calls.append(name)
        if len(calls) == 1:
            raise ConnectionError("closed by the other side while idle")
        return sent(name, **options)

    monkeypatch.setattr(memory_app, "send_task", send_task)
    publisher("engine")
    with memory_app.connection_for_read() as connection:
        assert connection.SimpleQueue("engine").qsize() == 2


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize("port", ["closed_port", "blackhole"])
def test_ringing_takes_no_time_whatever_the_broker_does(scheme: str, port: str, request: pytest.FixtureRequest) -> None:
    app = Celery("test-dead", broker=f"{scheme}://127.0.0.1:{request.getfixturevalue(port)}//", set_as_current=False)
    ringer = ringer_of(app)
    took = []
    for _ring in range(100):
        began = time.perf_counter()
        ringer("engine")
        took.append(time.perf_counter() - began)
    assert sorted(took)[50] < 0.005


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_does_not_slow_acceptance(blackhole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery("test-accept", broker=f"redis://127.0.0.1:{blackhole}/0", set_as_current=False)
    monkeypatch.setattr(bells, "_ringers", [ringer_of(app)])
    source = Source.objects.create(brand=Brand.objects.create(key="acme", name="Acme"), key="shop", name="Shop")
    door = Door(source, keys.issue(source)[1])

    def told(name: str) -> float:
        began = time.perf_counter()
        for number in range(20):
            answer = door.post(
                "/v1/track", track(messageId=f"{name}-{number}", timestamp=datetime.now(UTC).isoformat())
            )
            assert answer.status_code == 200
        return time.perf_counter() - began

    with monkeypatch.context() as silent:
        silent.setattr(bells, "_ringers", [])
        without = told("silent")
    # Two seconds, on a machine that is not so busy as to take as long without a broker.
    assert told("m") < max(2, 2 * without)
    assert InboxItem.objects.count() == 40


_FORK = """
import os, time
from config.bells import Ringer
ringer = Ringer(lambda queue: print(queue, os.getpid(), flush=True))
ringer("parent")
time.sleep(0.2)
child = os.fork()
if child == 0:
    ringer("child")
    time.sleep(0.2)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_a_forked_process_rings_its_own_bells() -> None:
    output = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORK], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    (parent, its_pid), (child, own_pid) = (line.split() for line in output.splitlines())
    assert (parent, child) == ("parent", "child")
    assert its_pid != own_pid
