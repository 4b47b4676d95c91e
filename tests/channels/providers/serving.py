"""`python -m tests.channels.providers.serving`: Twilio, WhatsApp, Firebase and a customer system behind one port, as a
process of its own.

Its first line tells, as JSON, how each is to be spoken to: the settings of a connector and its credentials. Each
message that is taken becomes a line of the record: by whom, and what was said.
"""

import argparse
import json
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.channels.providers import twilio_server, whatsapp_server
from tests.channels.providers.fcm_server import FcmServer
from tests.channels.providers.twilio_server import TwilioServer
from tests.channels.providers.whatsapp_server import WhatsAppServer
from tests.channels.web_server import Handler, OtherSystem, other_system

_CUSTOMER_SYSTEM: Final = "/crm"


class CustomerSystem:
    """Gives a present for each code, and the same one when it is asked again."""

    def __init__(self, system: OtherSystem) -> None:
        self.system = system
        self.taken: list[dict[str, Any]] = []

    def answer(self, handler: Handler) -> None:
        asked = json.loads(handler.asked.body)
        self.taken.append(asked)
        said = json.dumps({"gift": f"gift-{asked['code']}"}).encode()
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(said)))
        handler.end_headers()
        handler.wfile.write(said)


class Everybody:
    def __init__(self, system: OtherSystem, note: Callable[[str, dict[str, Any]], None]) -> None:
        self._note, self._lock = note, threading.Lock()
        self._system = system
        self._twilio, self._whatsapp = TwilioServer(system), WhatsAppServer(system)
        self._firebase, self._crm = FcmServer(system), CustomerSystem(system)
        system.answers = [self.answer]

    def settings(self) -> dict[str, Any]:
        return {
            "twilio": [self._twilio.config(), {"auth_token": twilio_server.TOKEN}],
            "whatsapp": [
                self._whatsapp.config(),
                {"access_token": whatsapp_server.TOKEN, "app_secret": whatsapp_server.SECRET},
            ],
            "fcm": [self._firebase.config(), {"service_account": self._firebase.service_account()}],
            "webhook": [{"base_url": self._system.url + _CUSTOMER_SYSTEM}, {}],
        }

    def answer(self, handler: Handler) -> None:
        by, server = self._whose(handler.asked.path)
        # One after the other, as the servers number what they take.
        with self._lock:
            before = len(server.taken)
            # Whoever called may be dead by now.
            with suppress(OSError):
                server.answer(handler)
            for said in server.taken[before:]:
                self._note(by, said)

    def _whose(self, path: str) -> tuple[str, Any]:
        if path.startswith(_CUSTOMER_SYSTEM):
            return "webhook", self._crm
        if path.startswith("/2010-04-01/"):
            return "twilio", self._twilio
        if path == "/token" or path.startswith("/v1/projects/"):
            return "fcm", self._firebase
        return "whatsapp", self._whatsapp


def main() -> None:
    parser = argparse.ArgumentParser(description="Take messages, and note each.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with options.record.open("a") as record, other_system(port=options.port) as system:

        def note(by: str, said: dict[str, Any]) -> None:
            record.write(json.dumps({"at": time.time(), "by": by, "said": said}) + "\n")
            record.flush()

        everybody = Everybody(system, note)
        print(json.dumps(everybody.settings()), flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
