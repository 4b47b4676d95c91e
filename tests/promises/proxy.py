"""A way to the web server on which some replies are lost: the call has been done, and its caller is not told."""

import random
import re
import socket
import threading
from contextlib import suppress
from types import TracebackType

from config.processes import free_port

_KEY = re.compile(rb"\r\nidempotency-key: *([^\r]+)\r", re.IGNORECASE)
_CHUNK = 65536


class Proxy:
    """One call a connection; `lost` holds the replies that did not arrive, by Idempotency-Key."""

    def __init__(self, port: int, share_lost: float, seed: int) -> None:
        self._to = port
        self._share = share_lost
        self._chance = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", free_port()), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.lost: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Wakes up whoever waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _address = self._listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        with caller, suppress(OSError), socket.create_connection(("127.0.0.1", self._to)) as server:
            request = _read_call(caller)
            # Asked to close, the server's reply ends where the connection does.
            server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            reply = _read_all(server)
            with self._lock:
                is_lost = self._chance.random() < self._share
                key = _KEY.search(request)
                if is_lost and key:
                    self.lost.setdefault(key[1].decode(), []).append(reply)
            if not is_lost:
                caller.sendall(reply)


def _read_call(caller: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := caller.recv(_CHUNK)):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]) and (chunk := caller.recv(_CHUNK)):
        body += chunk
    return head + b"\r\n\r\n" + body


def _read_all(server: socket.socket) -> bytes:
    data = b""
    while chunk := server.recv(_CHUNK):
        data += chunk
    return data
