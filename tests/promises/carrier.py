"""`python -m tests.promises.carrier`: a provider, of the kinds that speak HTTP, as a process that is never killed.

It notes every message that comes in on disk before it answers. To some it answers nothing after it has taken them, to
some only when nobody waits any more, to some with a fault; which, the key of each says, the first time it comes.
"""

import argparse
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.channels.providers.esp_server import EspServer
from tests.channels.providers.twilio_server import TwilioServer
from tests.channels.providers.whatsapp_server import WhatsAppServer
from tests.channels.web_server import Handler, OtherSystem, Received, drops, other_system

WELL, DROP, HANG, FAULT = "well", "drop", "hang", "fault"
# Here the lab says how all are treated from now on.
MOOD: Final = "/lab/mood"
# Longer than anybody waits.
_HANG_SECONDS: Final = 6.0


class AskedServer:
    """Another company's system: what it says follows from whom it is asked about, and in which of its matters."""

    def __init__(self, system: OtherSystem) -> None:
        system.answers = [self.answer]

    def answer(self, handler: Handler) -> None:
        asked = json.loads(handler.asked.body)
        _say_json(handler, {"code": code_of(asked["matter"], asked["unit"])})


def code_of(matter: str, unit: str) -> str:
    return f"{matter} of {unit}"


def _say_json(handler: Handler, what: Mapping[str, str]) -> None:
    said = json.dumps(what).encode()
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(said)))
    handler.end_headers()
    handler.wfile.write(said)


class KeyedServer:
    """Knows a key that comes again, and answers as it did."""

    def __init__(self, system: OtherSystem) -> None:
        self.taken: dict[str, str] = {}
        system.answers = [self.answer]

    def answer(self, handler: Handler) -> None:
        key = handler.asked.headers["idempotency-key"]
        _say_json(handler, {"id": self.taken.setdefault(key, f"taken-{len(self.taken)}")})


Named = tuple[str, str]


def _by_twilio(asked: Received) -> Named:
    said = dict(parse_qsl(asked.body.decode()))
    return said["StatusCallback"].rpartition("message=")[2], said["To"]


def _by_whatsapp(asked: Received) -> Named:
    said = json.loads(asked.body)
    return said["biz_opaque_callback_data"], f"+{said['to']}"


def _by_key(asked: Received) -> Named:
    return asked.headers["idempotency-key"], json.loads(asked.body)["to"]


def _by_question(asked: Received) -> Named:
    return asked.headers["idempotency-key"], asked.body.decode()


def _by_mailgun(asked: Received) -> Named:
    said = dict(parse_qsl(asked.body.decode()))
    return said["v:message"], said["to"]


# How each kind answers, and where a message has its name and its address.
KINDS: Final[Mapping[str, tuple[Callable[[OtherSystem], Any], Callable[[Received], Named]]]] = {
    "twilio": (TwilioServer, _by_twilio),
    "whatsapp": (WhatsAppServer, _by_whatsapp),
    "keyed": (KeyedServer, _by_key),
    "asked": (AskedServer, _by_question),
    "mailgun": (lambda system: EspServer(system, "mailgun"), _by_mailgun),
}


class Carrier:
    def __init__(self, system: OtherSystem, options: argparse.Namespace) -> None:
        make, self._name = KINDS[options.kind]
        self._server = make(system)
        self._seed, self._delay = options.seed, options.delay
        self._shares = {DROP: options.drop, HANG: options.hang, FAULT: options.fault}
        self._mood = ""
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._file = os.open(options.record, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        system.answers = [self.answer]

    def answer(self, handler: Handler) -> None:
        if handler.path == MOOD:
            self._mood = handler.asked.body.decode()
            self._say(handler, 204)
            return
        key, to = self._name(handler.asked)
        does = self._does(key)
        line = json.dumps({"at": time.time(), "key": key, "to": to, "does": does}).encode() + b"\n"
        os.write(self._file, line)
        os.fsync(self._file)
        self._do(handler, does)

    def _does(self, key: str) -> str:
        with self._lock:
            is_new = key not in self._known
            self._known.add(key)
        if self._mood or not is_new:
            return self._mood or WELL
        place = random.Random(f"{self._seed}-{key}").random()
        for does, share in self._shares.items():
            if place < share:
                return does
            place -= share
        return WELL

    def _do(self, handler: Handler, does: str) -> None:
        if does == HANG:
            time.sleep(_HANG_SECONDS)
        else:
            time.sleep(self._delay)
        # Whoever called may be dead by now.
        with suppress(OSError):
            if does in (DROP, HANG):
                drops(handler)
            elif does == FAULT:
                self._say(handler, 500)
            else:
                # One after the other, as the servers number what they take.
                with self._lock:
                    self._server.answer(handler)

    @staticmethod
    def _say(handler: Handler, status: int) -> None:
        handler.send_response(status)
        handler.send_header("content-length", "0")
        handler.end_headers()


def main() -> None:
    parser = argparse.ArgumentParser(description="Take messages, and note each.")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--seed", default="")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each message is answered")
    for share in (DROP, HANG, FAULT):
        parser.add_argument(f"--{share}", type=float, default=0.0, help="of how many, as in 0.05")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with other_system() as system:
        Carrier(system, options)
        print(system.port, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
