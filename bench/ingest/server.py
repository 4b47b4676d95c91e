"""One web worker of ours, and clients that keep their connections and post one body after the other."""

import os
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import orjson

CLIENTS = 4
_ROOT = Path(__file__).parents[2]


@contextmanager
def web_worker() -> Iterator[int]:
    """Yields the port it listens at."""
    port = _free_port()
    command = (
        sys.executable, "-m", "granian", "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--no-ws", "--log-level", "warning",
        "config.front:application",
    )  # fmt: skip
    worker = subprocess.Popen(command, cwd=_ROOT, env={**os.environ, "LOG_LEVEL": "WARNING"})
    try:
        _wait_for(port, worker)
        yield port
    finally:
        worker.terminate()
        worker.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, worker: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and worker.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web worker does not answer")


def post_all(port: int, write_key: str, bodies: Sequence[bytes]) -> int:
    """Post every body once, over as many connections as there are clients; how many events were accepted."""
    token = b64encode(f"{write_key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    with ThreadPoolExecutor(CLIENTS) as clients:
        shares = [bodies[start::CLIENTS] for start in range(CLIENTS)]
        return sum(clients.map(lambda share: _post(port, headers, share), shares))


def _post(port: int, headers: dict[str, str], bodies: Sequence[bytes]) -> int:
    accepted = 0
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for body in bodies:
        connection.request("POST", "/v1/batch", body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer[:500]!r}")
        accepted += orjson.loads(answer)["accepted"]
    connection.close()
    return accepted
