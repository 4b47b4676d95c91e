"""Kernel locks on files: they end with the last process that holds them, however that process ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .home import Home


def open_lock(home: Home, name: str) -> IO[str]:
    path = home.folder / f"{name}.lock"
    lock = path.open("a")
    home.give(path)
    return lock


def share(lock: IO[str]) -> None:
    fcntl.flock(lock, fcntl.LOCK_SH)


def take(lock: IO[str]) -> bool:
    """Take it alone, if nobody else holds it in any way."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def take_within(lock: IO[str], seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while not take(lock):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def leave(lock: IO[str]) -> None:
    fcntl.flock(lock, fcntl.LOCK_UN)


@contextmanager
def alone(home: Home, name: str) -> Iterator[None]:
    """Wait until nobody else is between these doors."""
    with open_lock(home, name) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
