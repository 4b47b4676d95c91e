"""Dispatch against opt-outs, stops, itself and kill -9: real threads and processes on a real database.

Where it says so, the same race is run against a build without the lock, which must lose it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Event, Thread
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from channels.dispatch import dispatch_all, dispatch_due, sweep
from channels.dispatch.slots import slot
from channels.models import Message
from channels.stops import stop
from config.loop.smtp_sink import SmtpSink
from consent.unsubscribe import Token, make_token, withdraw_by_token
from tests.channels.doubles import Recorder
from tests.channels.world import NOW, World, make_world, smtp_config, state
from tests.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def together(*actions: Callable[[], object]) -> None:
    """Run the actions in threads that start at the same moment, each with a connection of its own."""
    barrier = Barrier(len(actions))
    failures: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            action()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def recorded(recorder: type[Recorder]) -> World:
    return make_world("recorder")


def test_two_dispatchers_on_one_queue_send_each_message_once(sink: SmtpSink) -> None:
    world = make_world("smtp", smtp_config(sink.port))
    ids = [world.queue(world.person(f"p{n}@example.com")) for n in range(60)]
    together(*[lambda: dispatch_all(NOW, stop_after_seconds=15)] * 3)
    assert sorted(one.recipient for one in sink.received) == sorted(f"p{n}@example.com" for n in range(60))
    assert {state(id_) for id_ in ids} == {("sent", "")}


def _race_opt_outs(world: World, rounds: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Opt people out while they are being written to; count calls that began after the answer.

    In every other round the opt-out comes when permission has been read and the call is about to be made, which is
    when a naive build goes wrong; in the others it comes when it comes.
    """
    late, checked = 0, Event()

    def linger(_ask: object) -> None:
        checked.set()
        time.sleep(0.1)

    monkeypatch.setattr("channels.guards.ask", linger)
    for round_ in range(rounds):
        Recorder.calls.clear()
        person = world.person(f"p{round_}@example.com")
        world.queue(person)
        token = make_token(Token(person.address.pk, world.purpose.pk, world.journey_id))
        answered: list[float] = []

        checked.clear()

        def opt_out(token: str = token, answered: list[float] = answered, wait: bool = round_ % 2 == 0) -> None:
            if wait:
                checked.wait(5)
            withdraw_by_token(token, "one_click", NOW)
            answered.append(time.monotonic())

        together(opt_out, lambda: dispatch_due(world.connector.pk, NOW))
        late += any(call.began > answered[0] for call in Recorder.calls)
    return late


def test_no_call_begins_after_an_opt_out_was_answered(recorded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _race_opt_outs(recorded, 20, monkeypatch) == 0
    states = set(Message.objects.values_list("state", "reason"))
    assert states <= {("sent", ""), ("suppressed", "withdrawn")}
    assert ("sent", "") in states


def test_without_the_addresss_lock_calls_do_begin_after_the_answer(
    recorded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.dispatch.send.lock_address", lambda address_id: None)
    assert _race_opt_outs(recorded, 20, monkeypatch) > 0


def test_a_stop_waits_for_the_call_in_hand_and_lets_no_other_begin(recorded: World) -> None:
    Recorder.seconds = 0.1
    for n in range(10):
        recorded.queue(recorded.person(f"p{n}@example.com"))
    stopped: list[float] = []

    def stop_soon() -> None:
        wait_until(lambda: len(Recorder.calls) >= 2)
        stop(recorded.journey_id, None, "wrong price", NOW)
        stopped.append(time.monotonic())

    together(stop_soon, lambda: dispatch_due(recorded.connector.pk, NOW))
    assert 1 <= len(Recorder.calls) < 10
    assert all(call.began < stopped[0] for call in Recorder.calls)
    held = Message.objects.filter(state="held", reason="stopped").count()
    assert held + len(Recorder.calls) == 10


def test_two_copies_for_one_address_at_once_become_one(recorded: World) -> None:
    Recorder.seconds = 0.05
    person = recorded.person()
    ids = [recorded.queue(person, copy_key="welcome") for _copy in range(2)]
    together(*[lambda: dispatch_due(recorded.connector.pk, NOW, limit=1)] * 2)
    later = NOW + timedelta(seconds=30)
    dispatch_due(recorded.connector.pk, later)
    assert sorted(state(id_) for id_ in ids) == [("sent", ""), ("suppressed", "address_duplicate")]
    assert len(Recorder.calls) == 1


def test_the_sweep_leaves_a_slow_call_alone(recorded: World) -> None:
    Recorder.seconds = 0.6
    id_ = recorded.queue(recorded.person())

    def sweep_meanwhile() -> None:
        wait_until(lambda: bool(Recorder.calls))
        assert state(id_) == ("dispatching", "")
        assert sweep(NOW + timedelta(minutes=5)).unknown == 0

    together(sweep_meanwhile, lambda: dispatch_due(recorded.connector.pk, NOW))
    assert state(id_) == ("sent", "")


def test_no_more_workers_than_the_connector_allows(recorded: World) -> None:
    held: list[bool] = []

    def hold() -> None:
        with slot(recorded.connector.pk, 2) as free:
            held.append(free)
            time.sleep(0.3)

    together(hold, hold, hold)
    assert sorted(held) == [False, True, True]
    with slot(recorded.connector.pk, 1) as free:
        assert free


def test_a_send_takes_few_statements(recorded: World) -> None:
    """Raw cursors are not counted by Django: what each further message of a batch adds."""
    person = [recorded.person(f"p{n}@example.com") for n in range(12)]

    def statements(count: int) -> int:
        seen: list[str] = []
        for n in range(count):
            recorded.queue(person.pop(), visit=n + 10)
        execute: Callable[..., object] = psycopg.Cursor.execute

        def counted(*args: object, **kwargs: object) -> object:
            seen.append(str(args[1]))
            return execute(*args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("psycopg.Cursor.execute", counted)
            dispatch_due(recorded.connector.pk, NOW)
        return len(seen)

    one = statements(1)
    # Two of them are the guard of what is broadcast.
    assert statements(5) - one == 4 * 10


_WORKER = """
import django
django.setup()
from channels.dispatch import dispatch_due
from datetime import datetime
dispatch_due({connector!r}, datetime.fromisoformat({now!r}))
"""


def _dispatcher(connector_id: UUID) -> subprocess.Popen[bytes]:
    """A worker process of its own, on the test's database."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url()}
    program = _WORKER.format(connector=str(connector_id), now=NOW.isoformat())
    return subprocess.Popen([sys.executable, "-c", program], env=environment)


def test_a_worker_killed_within_the_call_leaves_unknown_and_no_second_mail(sink: SmtpSink, settings: Settings) -> None:
    world = make_world("smtp", smtp_config(sink.port))
    interrupted = world.queue(world.person("ana+hang@example.com"))
    waiting = world.queue(world.person("bo@example.com"), due_at=NOW + timedelta(seconds=1))
    worker = _dispatcher(world.connector.pk)
    assert sink.wait_for(1, 30)
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    assert state(interrupted) == ("dispatching", "")
    # The lease counts from the announcement, which a slow start puts seconds after the worker's own NOW.
    after = NOW + timedelta(seconds=2 * settings.LEASE_SECONDS)
    _sweep_until_free(interrupted, after)
    assert state(interrupted) == ("unknown", "interrupted")
    dispatch_all(after)
    assert state(waiting) == ("sent", "")
    assert state(interrupted) == ("unknown", "interrupted")
    assert [one.recipient for one in sink.received] == ["ana+hang@example.com", "bo@example.com"]


def _sweep_until_free(message: UUID, now: datetime) -> None:
    """The server takes a moment to notice that the worker's connection is gone."""
    until = time.monotonic() + 30
    while state(message)[0] == "dispatching" and time.monotonic() < until:
        sweep(now)
        time.sleep(0.02)
