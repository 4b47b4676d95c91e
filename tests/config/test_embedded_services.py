"""The embedded servers, with real processes: they start for the first user and stop after the last."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
SHOW = "import os; print(os.environ['DATABASE_URL'], os.environ['BROKER_URL'], flush=True); input()"

Start = Callable[..., "User"]


class User:
    """A command that uses the servers until it is told to end."""

    def __init__(self, local: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "run", "--", sys.executable, "-c", SHOW],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=environment(local),
            start_new_session=True,
        )

    def uses_them(self) -> "User":
        assert self.process.stdout
        self.database, self.broker = self.process.stdout.readline().split()
        return self

    def ends(self) -> int:
        self.process.communicate("\n", timeout=30)
        return self.process.returncode

    def is_killed(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=30)


def environment(local: Path) -> dict[str, str]:
    unset = {"DATABASE_URL", "BROKER_URL", "TRILHA_ENV"}
    return {name: value for name, value in os.environ.items() if name not in unset} | {"TRILHA_LOCAL_DIR": str(local)}


def run(local: Path, *command: str, **extra: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "config.embedded", "run", "--", *command],
        cwd=PROJECT,
        env=environment(local) | extra,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pids(local: Path) -> list[int]:
    return [int((local / "embedded" / f"{name}.pid").read_text()) for name in ("postgres", "valkey")]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A container without an init leaves the dead in the table.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def running(local: Path) -> list[bool]:
    return [alive(pid) for pid in pids(local)]


def keeper_has_gone(local: Path) -> bool:
    with (local / "embedded" / "keeper.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def eventually(condition: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 10
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.05)
    return condition()


@pytest.fixture(scope="module")
def local() -> Iterator[Path]:
    # Not pytest's own folder, which the user that runs the servers for root cannot enter.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="trilha-test-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        assert eventually(lambda: not any(running(path)) and keeper_has_gone(path))


@pytest.fixture
def start(local: Path) -> Iterator[Start]:
    users: list[User] = []

    def begin() -> User:
        users.append(User(local))
        return users[-1].uses_them()

    yield begin
    for user in users:
        user.is_killed()
    assert eventually(lambda: running(local) == [False, False])


def test_two_users_share_the_servers_and_the_last_one_out_stops_them(start: Start, local: Path) -> None:
    first, second = start(), start()
    servers = pids(local)
    assert (first.database, first.broker) == (second.database, second.broker)
    assert first.ends() == 0
    assert pids(local) == servers
    assert running(local) == [True, True]
    assert second.ends() == 0
    assert running(local) == [False, False]


def test_a_killed_user_leaves_no_reference_behind(start: Start, local: Path) -> None:
    killed, other = start(), start()
    killed.is_killed()
    assert running(local) == [True, True]
    other.ends()
    assert running(local) == [False, False]


def test_servers_stop_after_the_last_user_was_killed(start: Start, local: Path) -> None:
    start().is_killed()
    assert eventually(lambda: running(local) == [False, False])


def test_a_command_keeps_its_servers_when_only_its_starter_is_killed(start: Start, local: Path) -> None:
    user = start()
    user.process.kill()
    user.process.wait(timeout=10)
    time.sleep(1.2)  # more than two looks of the keeper
    assert running(local) == [True, True]
    user.process.communicate("\n", timeout=10)
    assert eventually(lambda: running(local) == [False, False])


def test_the_next_user_revives_killed_servers_and_nothing_committed_is_lost(start: Start, local: Path) -> None:
    user = start()
    with psycopg.connect(user.database, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        before = pids(local)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        start()
        assert not set(before) & set(pids(local))
        assert running(local) == [True, True]
    with psycopg.connect(user.database) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_a_stale_pid_file_that_names_another_process_is_no_obstacle(start: Start, local: Path) -> None:
    start().ends()
    [data] = (local / "embedded").glob("postgres-*")
    shutil.copy(local / "embedded" / "postgres.pid", data / "postmaster.pid")
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    start()
    assert running(local) == [True, True]


def test_an_interrupted_creation_starts_over(local: Path) -> None:
    [data] = (local / "embedded").glob("postgres-*")
    shutil.rmtree(data)
    half = data.with_name(f"{data.name}.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("half\n")
    done = run(local, sys.executable, "-c", "print('used')")
    assert (done.returncode, done.stdout) == (0, "used\n")
    assert data.exists()
    assert not half.exists()


def test_the_exit_code_of_the_command_is_kept(local: Path) -> None:
    assert run(local, "sh", "-c", "exit 7").returncode == 7
    assert run(local, "sh", "-c", "kill -9 $$").returncode == 137
    assert run(local, "no-such-command").returncode == 127


def test_a_signal_reaches_the_command(start: Start, local: Path) -> None:
    user = start()
    user.process.send_signal(signal.SIGTERM)
    assert user.process.wait(timeout=10) == 128 + signal.SIGTERM
    assert running(local) == [False, False]


def test_nothing_is_started_where_both_addresses_are_given() -> None:
    with tempfile.TemporaryDirectory() as folder:
        given = {"DATABASE_URL": "postgres://elsewhere/x", "BROKER_URL": "redis://elsewhere"}
        done = run(Path(folder), "sh", "-c", "echo $DATABASE_URL $BROKER_URL", **given)
        assert done.stdout == "postgres://elsewhere/x redis://elsewhere\n"
        assert list(Path(folder).iterdir()) == []


def test_nothing_is_started_in_production() -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = run(Path(folder), "sh", "-c", "echo [$DATABASE_URL]", TRILHA_ENV="production")
        assert done.stdout == "[]\n"
        assert list(Path(folder).iterdir()) == []
