"""The worker's side of poison: events over which it fails, dies, hangs or wants more memory than there is.

Not a broken build but the product with such events in it; each time one begins to be worked on alone is written down.
"""

import os
import resource
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from psycopg import Cursor

from tests.promises.patching import put

TRIES: Final = "TRILHA_LAB_TRIES"
_MEMORY: Final = 8 << 30


def _fail() -> None:
    raise LookupError("what nobody foresaw")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _hang() -> None:
    time.sleep(3600)


def _devour() -> None:
    bytearray(2 * _MEMORY)


# By what the id of an event begins with. Two kinds more are poison to the product as it is: what the database refuses
# to keep, and what nobody can decode.
_DEEDS: Final[Mapping[str, Callable[[], None]]] = {
    "poison-raises": _fail,
    "poison-kills": _die,
    "poison-hangs": _hang,
    "poison-devours": _devour,
}


def poisoned() -> None:
    from customers.resolve import incoming, stage

    tries = Path(os.environ.get(TRIES, os.devnull))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    read = incoming.read

    def swallow(cursor: Cursor[Any], ids: Sequence[int], now: datetime) -> Any:
        found = cursor.execute(
            "SELECT message_id FROM customers_inbox WHERE id = ANY(%b) AND message_id LIKE 'poison-%%'", [list(ids)]
        )
        swallowed = [str(row[0]) for row in found.fetchall()]
        if len(ids) == 1 and swallowed:
            with tries.open("a") as file:
                file.write(f"{swallowed[0]}\n")
        for one in swallowed:
            if deed := _DEEDS.get(one.rpartition("-")[0]):
                deed()
        return read(cursor, ids, now)

    put(stage, "read", swallow)
