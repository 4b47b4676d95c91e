"""The list of the erased outside the database: keyed hashes with their time, read again after a backup was restored.

A backup brings back whoever was erased since it was taken. The list must not lie where the backup puts back old files.
"""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from django.conf import settings

Kind = Literal["identifier", "address"]

_DIGEST_BYTES = 32

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    kind: Kind
    digest: bytes
    at: datetime


def path() -> Path | None:
    named = str(settings.ERASURE_LIST)
    return Path(named) if named else None


def add(identifiers: Iterable[bytes], addresses: Iterable[bytes], at: datetime) -> None:
    """Append to the list and have it on disk before anything is erased; nothing where there is no list."""
    file = path()
    if file is None:
        return
    lines = [_line("identifier", one, at) for one in identifiers] + [_line("address", one, at) for one in addresses]
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # Two workers' lines never mix.
        fcntl.flock(handle, fcntl.LOCK_EX)
        _write(handle, _after_what_was_cut_off(handle) + "".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _after_what_was_cut_off(handle: int) -> bytes:
    """An end for the last line where a crash or a full disk left it without one."""
    size = os.fstat(handle).st_size
    return b"\n" if size and os.pread(handle, 1, size - 1) != b"\n" else b""


def _write(handle: int, data: bytes) -> None:
    """All of it; a write may take less than it is given."""
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def _line(kind: Kind, digest: bytes, at: datetime) -> str:
    return json.dumps({"kind": kind, "digest": digest.hex(), "at": at.isoformat()}) + "\n"


def _warn(number: int) -> None:
    logger.warning("Line %s of the list of erasures cannot be read", number)


def read(file: Path, broken: Callable[[int], object] = _warn) -> Iterator[Line]:
    """Every line that can be read; `broken` is told the numbers of the others, which keep nobody else from being
    erased again."""
    for number, text in enumerate(file.read_bytes().split(b"\n"), start=1):
        if not text:
            continue
        try:
            line = _parse(text)
        except (ValueError, KeyError, TypeError):
            broken(number)
        else:
            yield line


def _parse(text: bytes) -> Line:
    told = json.loads(text)
    kind: Kind = {"identifier": "identifier", "address": "address"}[told["kind"]]  # type: ignore[assignment]
    line = Line(kind, bytes.fromhex(told["digest"]), datetime.fromisoformat(told["at"]))
    if len(line.digest) != _DIGEST_BYTES or line.at.tzinfo is None:
        raise ValueError
    return line
