"""The list of the erased outside the database: keyed hashes with their time, read again after a backup was restored.

A backup brings back whoever was erased since it was taken. The list must not lie where the backup puts back old files.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from django.conf import settings

Kind = Literal["identifier", "address"]


class BrokenList(Exception):
    """A line of the list cannot be read; the list is not applied in part."""


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
    # One write, so that two workers' lines never mix.
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, "".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(kind: Kind, digest: bytes, at: datetime) -> str:
    return json.dumps({"kind": kind, "digest": digest.hex(), "at": at.isoformat()}) + "\n"


def read(file: Path) -> Iterator[Line]:
    """Every line; the last may be cut off by a crash, before which nothing was erased."""
    texts = file.read_text().split("\n")
    for number, text in enumerate(texts[:-1], start=1):
        try:
            told = json.loads(text)
            kind: Kind = {"identifier": "identifier", "address": "address"}[told["kind"]]  # type: ignore[assignment]
            yield Line(kind, bytes.fromhex(told["digest"]), datetime.fromisoformat(told["at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenList(f"line {number} of {file} is not one of ours") from error
