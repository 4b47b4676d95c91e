"""The club: another company's system, as far as the demo needs one. It keeps stamp cards, and all it says is made up.

`python -m config.demo.club --port 8101` runs it beside the demo; a history has it answer from a thread. It speaks over
HTTP as any system would, so whoever asks it asks as they would ask any other.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from zlib import crc32

from django.conf import settings

HERE: Final = "127.0.0.1"
# A card has so many fields.
_FIELDS: Final = 12
_LOTS: Final = "/lots/"
_MOST_BYTES: Final = 64 * 1024


def card_of(email: str) -> dict[str, Any] | None:
    """What the club knows of somebody, the same each time; some are no members."""
    lot = crc32(email.encode())
    if lot % 9 == 0:
        return None
    return {"stamps": lot // 9 % (_FIELDS + 1), "has_profile": lot // 200 % 3 > 0}


def lots_of(brand: str) -> dict[str, Any]:
    """What the roaster has left of a brand's lots of the week."""
    return {"bags": 12 + crc32(brand.encode()) % 40}


class _Desk(BaseHTTPRequestHandler):
    """POST /stamps with an e-mail address; one call in five finds the club busy at first, as it happens. GET /lots/ and
    a brand tells of the roaster's bags, which hang behind the same desk."""

    server: "Club"

    def do_POST(self) -> None:
        told = self.rfile.read(min(int(self.headers.get("content-length") or 0), _MOST_BYTES))
        key = self.headers.get("idempotency-key", "")
        try:
            email = str(json.loads(told)["email"])
        except (ValueError, KeyError, TypeError):
            self._answer(422, {"error": "no email"})
            return
        if crc32(email[::-1].encode()) % 5 == 0 and key not in self.server.met:
            self.server.met.add(key)
            self._answer(503, {"error": "busy"})
            return
        card = card_of(email)
        self._answer(404 if card is None else 200, {"error": "no member"} if card is None else card)

    def do_GET(self) -> None:
        brand = self.path.removeprefix(_LOTS)
        is_known = self.path.startswith(_LOTS) and brand.replace("-", "").isalnum()
        self._answer(200 if is_known else 404, lots_of(brand) if is_known else {"error": "nothing here"})

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Whoever asks keeps what was asked and answered."""


class Club(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__((HERE, port), _Desk)
        # Idempotency-Keys of calls that were turned away once.
        self.met: set[str] = set()

    @property
    def address(self) -> str:
        return f"{HERE}:{self.server_port}"


@contextmanager
def at_work() -> Iterator[str]:
    """Have it answer within this process, and be allowed to be called; where it is."""
    with Club() as club:
        named = settings.TRILHA_CALL_HOSTS
        thread = Thread(target=club.serve_forever, name="club", daemon=True)
        thread.start()
        settings.TRILHA_CALL_HOSTS = [*named, club.address]
        try:
            yield club.address
        finally:
            settings.TRILHA_CALL_HOSTS = named
            club.shutdown()
            thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.demo.club")
    parser.add_argument("--port", type=int, required=True)
    with Club(parser.parse_args().port) as club:
        club.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
