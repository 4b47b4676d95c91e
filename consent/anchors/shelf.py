"""The folder of anchors: `anchors.jsonl`, `restores.jsonl` and monthly `entries-*.bin` only ever grow; `heads-*.bin` is
a convenience.

An anchor is there once its line is; what lies in other files without one is the leftover of a writer that died.
"""

import fcntl
import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from heapq import merge
from pathlib import Path
from typing import IO, Final

from django.conf import settings

from consent.anchors import line as lines
from consent.anchors import restore as restores
from consent.anchors.line import Line, Segment, Torn
from consent.anchors.records import HEAD_BYTES, WITNESS_BYTES, Head, Witness, unpack_head, unpack_witness
from consent.anchors.restore import Noted

_LINES: Final = "anchors.jsonl"
_RESTORES: Final = "restores.jsonl"
_MANY: Final = 1 << 16


class Busy(Exception):
    """Somebody else writes an anchor just now."""


class Sink:
    """Writes to a file, and remembers how much and its hash."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = sha256()
        self.size = 0

    def write(self, record: bytes) -> None:
        self._file.write(record)
        self._hash.update(record)
        self.size += len(record)

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


@dataclass(frozen=True, slots=True)
class Draft:
    """An anchor being made."""

    file: str
    offset: int
    entries: Sink
    heads: Sink

    @property
    def segment(self) -> Segment:
        return Segment(file=self.file, offset=self.offset, size=self.entries.size, digest=self.entries.digest)


@dataclass(frozen=True, slots=True)
class Shelf:
    folder: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one who writes; raises Busy."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy from None
            yield

    def lines(self) -> Iterator[Line | None]:
        """Every line from the first on; None for one that is no anchor."""
        return (_read(text) for text in self._texts(_LINES))

    def restores(self) -> Iterator[Noted | None]:
        """Every restore that was noted, from the first on; None for a line that is none."""
        return (_noted(text) for text in self._texts(_RESTORES))

    def last(self) -> Line | None:
        """The latest anchor that is ours; where no key of those days is known any more, the latest that may be."""
        ours = perhaps = None
        for line in self.lines():
            if line is not None and line.is_signed is not False:
                ours, perhaps = (line, perhaps) if line.is_signed else (ours, line)
        return ours or perhaps

    def append_line(self, text: bytes) -> None:
        self._append(_LINES, text)

    def append_restore(self, text: bytes) -> None:
        self._append(_RESTORES, text)

    @contextmanager
    def draft(self, number: int, now: datetime) -> "Iterator[Draft]":
        """Where the entries and heads of an anchor are written; on disk when it is left."""
        path, heads = self.folder / f"entries-{now:%Y-%m}.bin", self._heads(number)
        unfinished = heads.with_suffix(".new")
        with _appended(path) as file, _opened(unfinished, "wb") as beside:
            yield Draft(path.name, file.tell(), Sink(file), Sink(beside))
        unfinished.replace(heads)

    def witnesses(self, anchors: Iterable[tuple[int, Segment]]) -> Iterator[tuple[Witness, int]]:
        """What these anchors saw, by chain and position, each with the number of the anchor; a segment that is cut
        short gives what there is."""
        asked = [(number, segment) for number, segment in anchors if segment.size]
        files = {name: _mapped(self.folder / name) for name in {segment.file for _number, segment in asked}}
        parts = [_records(files[segment.file], segment, number) for number, segment in asked]
        return ((unpack_witness(record), number) for record, number in merge(*parts))

    def is_whole(self, segment: Segment) -> bool:
        """Whether the segment's bytes are those that were written."""
        digest, left = sha256(), segment.size
        with suppress(FileNotFoundError), (self.folder / segment.file).open("rb") as file:
            file.seek(segment.offset)
            while left and (part := file.read(min(left, _MANY))):
                digest.update(part)
                left -= len(part)
        return not left and digest.digest() == segment.digest

    def read_heads(self, number: int, digest: bytes) -> Iterator[Head] | None:
        """The heads of that anchor in order; None if they are not there as they were written."""
        try:
            with self._heads(number).open("rb") as file:
                if file_digest(file, "sha256").digest() != digest:
                    return None
        except FileNotFoundError:
            return None
        return _heads(self._heads(number))

    def forget_heads(self, before: int) -> None:
        """Only the latest are needed: all others follow from the entries."""
        kept = self._heads(before).name
        for path in self.folder.glob("heads-*"):
            if path.name < kept:
                path.unlink(missing_ok=True)

    def _texts(self, name: str) -> Iterator[bytes]:
        with suppress(FileNotFoundError), (self.folder / name).open("rb") as file:
            for text in file:
                if text.strip():
                    yield text.removesuffix(b"\n")

    def _append(self, name: str, text: bytes) -> None:
        with _appended(self.folder / name) as file:
            # The line of a writer that died has no end.
            if file.tell() and not _ends_in_newline(self.folder / name):
                file.write(b"\n")
            file.write(text + b"\n")

    def _heads(self, number: int) -> Path:
        return self.folder / f"heads-{number:09}.bin"


def shelf() -> Shelf:
    """The installation's own."""
    return Shelf(Path(settings.TRILHA_ANCHOR_DIR))


def _read(text: bytes) -> Line | None:
    try:
        return lines.read(text)
    except Torn:
        return None


def _noted(text: bytes) -> Noted | None:
    try:
        return restores.read(text)
    except Torn:
        return None


def _mapped(path: Path) -> bytes | mmap.mmap:
    """The file's content, read as it is asked for."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        if path.stat().st_size:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return b""


def _records(content: bytes | mmap.mmap, segment: Segment, number: int) -> Iterator[tuple[bytes, int]]:
    end = min(segment.offset + segment.size, len(content))
    for start in range(segment.offset, end - WITNESS_BYTES + 1, WITNESS_BYTES):
        yield content[start : start + WITNESS_BYTES], number


def _heads(path: Path) -> Iterator[Head]:
    with path.open("rb") as file:
        while record := file.read(HEAD_BYTES):
            yield unpack_head(record)


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


@contextmanager
def _appended(path: Path) -> Iterator[IO[bytes]]:
    with _opened(path, "ab") as file:
        file.seek(0, os.SEEK_END)
        yield file


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[IO[bytes]]:
    """For nobody else to read, and on disk before anything is said that rests on it."""
    with open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
