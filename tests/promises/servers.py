"""The lab's own PostgreSQL and broker, beside those of the other commands: these may be killed."""

import fcntl
import hashlib
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from config import embedded
from config.embedded import home, postgres, valkey
from config.embedded.server import Server
from config.loop.killer import children_of
from config.processes import PROJECT, ProcessError

FOLDER = PROJECT / ".local" / "promises"
# When what was committed shows in the rows, as the promise about publishing asks.
_SETTINGS = ("track_commit_timestamp", "on")


class Servers:
    """Up for as long as the lab is on; each run has a database of its own, copied from one with all tables."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self.url = addresses["DATABASE_URL"]
        self.broker_url = addresses["BROKER_URL"]
        here = home.find()
        self.postgres = postgres.server(here)
        self.valkey = valkey.server(here)

    def kill(self, server: Server) -> None:
        """SIGKILL to the server and all its children at once, then bring it up again."""
        pid = int(server.pid_file.read_text())
        # Stopped first, lest it beget a child meanwhile: that would live on, waiting for a lock of the dead.
        os.kill(pid, signal.SIGSTOP)
        for victim in (pid, *children_of(pid)):
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        server.ensure()

    def at(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def make(self, name: str, like: str = "") -> None:
        """An empty database of this name, or a copy; whoever was connected to an older one is thrown out."""
        self.drop(name)
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        self._execute(statement + sql.SQL(" TEMPLATE {}").format(sql.Identifier(like)) if like else statement)

    def drop(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def names(self) -> set[str]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return {str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")}

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


@contextmanager
def running() -> Iterator[Servers]:
    """The servers of this tree's lab; there is one at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ["TRILHA_LOCAL_DIR"] = str(FOLDER)
    for name in ("DATABASE_URL", "BROKER_URL", "TRILHA_ENV"):
        os.environ.pop(name, None)
    home.find.cache_clear()
    postgres.SETTINGS[_SETTINGS[0]] = _SETTINGS[1]
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProcessError("the lab of this tree is in use already") from None
        with embedded.running() as addresses:
            yield Servers(addresses)


def template_name() -> str:
    """Of the database with all tables: another one as soon as any migration is another."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.glob("*/migrations/*.py")):
        digest.update(str(path.relative_to(PROJECT)).encode() + path.read_bytes())
    return f"lab_template_{digest.hexdigest()[:12]}"


def logs_of(run: str) -> Path:
    folder = FOLDER / "logs" / run
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    return folder
