"""The file itself: put into the database piece by piece as it comes, and read from any offset."""

import io
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any
from uuid import UUID

from customers.imports.detect import Looker
from customers.imports.limits import CHUNK_BYTES, FileRefused, max_bytes
from customers.models import ImportChunk


def put(parent_id: UUID, parts: Iterable[bytes], looker: Looker) -> tuple[int, str]:
    """Store the parts, never more than a piece in memory; return how many bytes there are, and their digest.

    Runs in the caller's transaction: of a file that is refused half way nothing stays.
    """
    digest, size = sha256(), 0
    for number, piece in enumerate(_pieces(parts)):
        size += len(piece)
        if size > max_bytes():
            raise too_large()
        digest.update(piece)
        looker.look(piece)
        ImportChunk.objects.create(parent_id=parent_id, number=number, data=piece)
    return size, digest.hexdigest()


def too_large() -> FileRefused:
    return FileRefused("file_too_large", limit=_in_words(max_bytes()))


def _in_words(size: int) -> str:
    for unit, bytes_ in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= bytes_:
            return f"{size / bytes_:g} {unit}"
    return f"{size} B"


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size, the last one excepted."""
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES])
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held)


class StoredFile(io.RawIOBase):
    """A stored file from an offset on, one piece in memory at a time."""

    def __init__(self, parent_id: UUID, offset: int) -> None:
        self._parent = parent_id
        self._number, self._at = divmod(offset, CHUNK_BYTES)
        self._piece: memoryview | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._piece is None:
            self._piece = self._load()
        part = self._piece[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        if part and self._at >= len(self._piece):
            self._number, self._at, self._piece = self._number + 1, 0, None
        return len(part)

    def _load(self) -> memoryview:
        pieces = ImportChunk.objects.filter(parent_id=self._parent, number=self._number)
        return memoryview(pieces.values_list("data", flat=True).first() or b"")
