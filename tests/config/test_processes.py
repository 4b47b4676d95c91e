"""Programs beside this one: found a port, ended with their children, and never left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.keeper import Keeper
from config.processes import PROJECT, Process, ProcessError, port_from

# A program with a child of its own; both would sleep for long.
_PARENT = (
    "import subprocess, sys, time;"
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True); time.sleep(600)"
)
_FOUNDER = (
    "import subprocess, sys, time; from config.keeper import Keeper\n"
    "with Keeper() as keeper:\n"
    f"    program = [sys.executable, '-c', {_PARENT!r}]\n"
    "    child = subprocess.Popen(program, stdout=subprocess.PIPE, start_new_session=True)\n"
    "    keeper.keep(child.pid); print(child.pid, child.stdout.readline().decode().strip(), flush=True)\n"
    "    time.sleep(600)\n"
)


def lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be counted by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def await_end(*pids: int) -> None:
    until = time.monotonic() + 20
    while any(map(lives, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(lives, pids))


def test_whoever_is_killed_takes_what_it_founded_along() -> None:
    with subprocess.Popen([sys.executable, "-c", _FOUNDER], stdout=subprocess.PIPE, cwd=PROJECT) as founder:
        assert founder.stdout is not None
        child, grandchild = map(int, founder.stdout.readline().split())
        assert lives(child)
        assert lives(grandchild)
        founder.kill()
        founder.wait()
        await_end(child, grandchild)


def test_a_keeper_with_nothing_to_keep_ends_at_once() -> None:
    began = time.monotonic()
    with Keeper():
        pass
    assert time.monotonic() - began < 5


def test_stopping_a_program_stops_its_children(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(_PARENT)
    process = Process("parent", ("parent",), {"PYTHONPATH": str(tmp_path)}, tmp_path)
    with process:
        until = time.monotonic() + 20
        while not process.output.read_text().endswith("\n") and time.monotonic() < until:
            time.sleep(0.05)
        child = int(process.output.read_text())
        assert lives(child)
    await_end(child, process.pid)


def test_what_it_is_told_comes_by_its_standard_input(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text("import sys\nprint(sys.stdin.read().upper())")
    process = Process("echo", ("echo",), {"PYTHONPATH": str(tmp_path)}, tmp_path)
    process.start("secret")
    while process.is_alive():
        time.sleep(0.05)
    assert process.output.read_text() == "SECRET\n"
    assert "secret" not in str(process._arguments)


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < port_from(port) <= port + 100


def test_no_port_at_all_is_told() -> None:
    with pytest.raises(ProcessError, match="no port"):
        port_from(65536)


def test_a_program_never_started_has_no_number(tmp_path: Path) -> None:
    process = Process("nobody", ("nobody",), {}, tmp_path)
    process.stop()
    assert not process.is_alive()
    with pytest.raises(ProcessError, match="never started"):
        os.kill(process.pid, signal.SIGTERM)
