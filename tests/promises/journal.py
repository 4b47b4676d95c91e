"""What the loader did and was told, line by line on disk before it goes on; what an oracle judges by.

The classes are Jepsen's: `ok` was told done, `fail` was told not done, of `info` nobody knows.
"""

import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson


class Journal:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND)
        self._path = path
        self._lock = threading.Lock()

    def write(self, what: str, ids: Sequence[str]) -> None:
        line = orjson.dumps({"what": what, "ids": ids}) + b"\n"
        with self._lock:
            os.write(self._file, line)
        # Outside: several may wait for the disk at once.
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)

    def read(self) -> "Told":
        told = Told()
        for line in self._path.read_bytes().splitlines():
            entry = orjson.loads(line)
            getattr(told, entry["what"]).update(entry["ids"])
        # A call that was begun and never ended is one of which nobody knows.
        told.info |= told.invoke - told.ok - told.fail
        return told


@dataclass(slots=True)
class Told:
    invoke: set[str] = field(default_factory=set)
    ok: set[str] = field(default_factory=set)
    fail: set[str] = field(default_factory=set)
    info: set[str] = field(default_factory=set)

    def lost(self, stored: Collection[str]) -> int:
        return len(self.ok.difference(stored))

    def unexpected(self, stored: Collection[str]) -> int:
        """Stored although it was refused, or never sent."""
        return len(set(stored) & self.fail) + len(set(stored) - self.invoke)

    def recovered(self, stored: Collection[str]) -> int:
        """Stored although nobody was told so."""
        return len(self.info & set(stored))
