"""Who uses the embedded servers: each user shares a kernel lock, so that no kill leaks a reference.

Everything that starts or stops a server happens between the doors of the lock `control`. A user shares the
lock `users`; whoever can take it alone is the last one and stops the servers. The keeper, a small process of
its own, tries that twice a second, for users who could not say good-bye.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from . import locks
from .home import PROJECT, Home
from .server import Server

KEEPER_SECONDS = 0.5


@contextmanager
def reference(home: Home, wanted: list[Server], everything: list[Server]) -> Iterator[int]:
    """Hold the wanted servers up; yields a descriptor that a child may inherit to hold them up as well."""
    home.make()
    with locks.open_lock(home, "users") as users:
        try:
            with locks.alone(home, "control"):
                locks.share(users)
                for server in wanted:
                    server.ensure()
                _ensure_keeper(home)
            yield users.fileno()
        finally:
            with locks.alone(home, "control"):
                locks.leave(users)
                if locks.take(users):
                    _stop(everything)
                locks.leave(users)


def keep(home: Home, everything: list[Server]) -> None:
    """The keeper: stop the servers once nobody uses them, then end."""
    with locks.open_lock(home, "keeper") as keeper, locks.open_lock(home, "users") as users:
        if not locks.take(keeper):
            return
        while True:
            time.sleep(KEEPER_SECONDS)
            with locks.alone(home, "control"):
                if locks.take(users):
                    _stop(everything)
                    locks.leave(keeper)
                    return


def _stop(servers: list[Server]) -> None:
    for server in servers:
        server.stop()


def _ensure_keeper(home: Home) -> None:
    with locks.open_lock(home, "keeper") as keeper:
        if not locks.take(keeper):
            return
    path = home.folder / "keeper.log"
    with path.open("w") as log:
        home.give(path)
        subprocess.run(
            ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-m", "config.embedded", "keep"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=PROJECT,
            start_new_session=True,
            check=True,
        )
