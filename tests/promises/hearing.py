"""A system that hears webhooks, and notes every call before it answers; it does as the path of each endpoint says."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

# The path of who is sent elsewhere leads here, where nobody may come.
ELSEWHERE: Final = "/elsewhere"
# So many calls at a path find a busy one busy, once it is.
_BUSY_TIMES: Final = 2


@dataclass(frozen=True, slots=True)
class Heard:
    at: float
    kind: str
    path: str
    id: str
    headers: dict[str, str]
    body: bytes


class Hearer:
    """`mended` are kinds that behave from now on. `failures` says how often a flaky one fails before it hears."""

    def __init__(self, failures: int) -> None:
        self.heard: list[Heard] = []
        self.mended: set[str] = set()
        self.failures = failures
        self._busy_times = 0
        self._lock = threading.Lock()
        self._times: Counter[str] = Counter()
        hearer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                hearer.answer(self, headers, body)

            do_GET = do_POST  # noqa: N815 - as http.server calls them

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "Hearer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def of(self, *kinds: str) -> list[Heard]:
        with self._lock:
            return [one for one in self.heard if one.kind in kinds]

    def be_busy(self) -> None:
        """From now on, with whoever is called so."""
        with self._lock:
            for path in [one for one in self._times if one.startswith("/busy/")]:
                del self._times[path]
            self._busy_times = _BUSY_TIMES

    def answer(self, handler: BaseHTTPRequestHandler, headers: dict[str, str], body: bytes) -> None:
        kind, id_ = handler.path.split("/")[1], headers.get("webhook-id", "")
        with self._lock:
            self.heard.append(Heard(time.monotonic(), kind, handler.path, id_, headers, body))
            counted = handler.path if kind == "busy" else f"{kind}:{id_}"
            self._times[counted] += 1
            times = self._times[counted]
        answers: dict[str, Callable[[], tuple[int, dict[str, str]]]] = {
            "flaky": lambda: (500 if times <= self.failures else 200, {}),
            "down": lambda: (500, {}),
            "dead": lambda: (503, {}),
            "away": lambda: (302, {"location": f"http://{self.host}{ELSEWHERE}"}),
            "gone": lambda: (410, {}),
            "busy": lambda: (429 if times <= self._busy_times else 200, {"retry-after": "1"}),
        }
        if kind == "hangs" and kind not in self.mended:
            time.sleep(4)
        usual: Callable[[], tuple[int, dict[str, str]]] = lambda: (204, {})  # noqa: E731
        status, told = usual() if kind in self.mended else answers.get(kind, usual)()
        try:
            handler.send_response(status)
            for name, value in told.items():
                handler.send_header(name, value)
            handler.send_header("content-length", "0")
            handler.end_headers()
        except OSError:
            # Whoever called was killed meanwhile.
            handler.close_connection = True
