"""A shop of somebody else's: pages on an origin of their own, which use trilha.js as its documents say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from customers.admin.browser_keys import STUB


@dataclass
class Shop:
    """Pages by path; whatever else is asked for, a form's address too, is an empty page."""

    url: str
    pages: dict[str, str] = field(default_factory=dict)
    posted: list[tuple[str, str]] = field(default_factory=list)
    # What its server does with a form before it answers: the type and the very bytes that the browser sent.
    on_form: Callable[[str, bytes], None] = lambda _type, _body: None

    def page(self, script: str, *, path: str = "/", body: str = "", stub: bool = True) -> str:
        """Put up a page with these lines in its head, and say where it is."""
        head = "<title>Coffee</title>" + (f"<script>{STUB}</script>" if stub else "") + script
        self.pages[path] = f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
        return self.url + path


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, shops: list[Shop], *args: Any) -> None:
        self.shops = shops
        super().__init__(*args)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        page = self.shops[0].pages.get(path, "<!doctype html><title>Elsewhere</title>")
        self.send_response(200)
        self.send_header("Content-Type", f"text/{'javascript' if path.endswith('.js') else 'html'}; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.shops[0].posted.append((self.path, body.decode()))
        self.shops[0].on_form(self.headers.get("Content-Type", ""), body)
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # the name is the library's
        """Nobody reads it."""


@contextmanager
def opened() -> Iterator[Shop]:
    shops: list[Shop] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, shops))
    shops.append(Shop(f"http://127.0.0.1:{server.server_port}"))
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield shops[0]
    server.shutdown()
    server.server_close()
    thread.join()
