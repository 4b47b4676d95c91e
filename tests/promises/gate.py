"""A way to the broker that can be blocked: who uses it stays connected, and nothing comes through any more."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

_CHUNK = 65536


class Gate:
    """Stands before a broker that listens on a socket in the file system; `url` leads through it."""

    def __init__(self, broker_url: str) -> None:
        self._path = urlsplit(broker_url).path
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._open = threading.Event()
        self._open.set()

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._accept, name="gate", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unblock()
        # Wakes up whoever waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def block(self) -> None:
        self._open.clear()

    def unblock(self) -> None:
        self._open.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _address = self._listener.accept()
                threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        with caller, suppress(OSError), socket.socket(socket.AF_UNIX) as broker:
            self._open.wait()
            broker.connect(self._path)
            back = threading.Thread(target=self._pump, args=(broker, caller), daemon=True)
            back.start()
            self._pump(caller, broker)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self._open.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
