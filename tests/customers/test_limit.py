"""The limit of a unit's work: who hangs is ended, who waits for the database is not."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from customers import work
from customers.limit import Watch, at_work

SECONDS = 5.0


@contextmanager
def hanging(where: threading.Event) -> Iterator[None]:
    """Somebody at work who does not come to an end while this is entered."""
    begun = threading.Event()

    def hang() -> None:
        with at_work("toy", 3):
            begun.set()
            where.wait()

    thread = threading.Thread(target=hang)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        where.set()
        thread.join()


def ends(seconds: float) -> int:
    """How often somebody is ended who looks so many seconds later."""
    ended: list[None] = []
    Watch(SECONDS, lambda: ended.append(None)).look(time.monotonic() + seconds)
    return len(ended)


def test_who_hangs_is_ended_once_the_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    with hanging(threading.Event()):
        assert (ends(SECONDS - 1), ends(SECONDS + 1)) == (0, 1)
    assert [record.getMessage().split(", at ")[0] for record in caplog.records] == ["3 of toy took longer than 5.0 s"]


def test_nobody_is_ended_when_the_work_is_done() -> None:
    with hanging(threading.Event()):
        pass
    assert ends(SECONDS + 1) == 0


def test_work_within_work_has_its_own_time_and_gives_the_outer_one_back() -> None:
    with at_work("outer", 2):
        with at_work("inner", 1):
            assert ends(SECONDS + 1) == 1
        assert ends(SECONDS + 1) == 1
    assert ends(SECONDS + 1) == 0


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_the_database_is_not_at_fault() -> None:
    """A statement has a limit of its own; a database that stands still is nobody's fault."""
    begun = threading.Event()

    def wait() -> None:
        with at_work("toy", 1), connection.cursor() as cursor:
            begun.set()
            cursor.execute("SELECT pg_sleep(2)")
        work.close()
        connection.close()

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    time.sleep(0.5)
    ended_meanwhile = ends(SECONDS + 1)
    thread.join()
    assert ended_meanwhile == 0


_HANGS = """
import time
from customers.limit import Watch, at_work
Watch(0.5).start()
with at_work("toy", 1):
    time.sleep(60)
"""


def test_the_process_is_killed() -> None:
    done = subprocess.run([sys.executable, "-c", _HANGS], env=os.environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == -signal.SIGKILL
    assert "1 of toy took longer than 0.5 s, at __main__:6" in done.stderr
