"""The frames of a GIF by what it says of them, read without a pixel of theirs.

The decoder enlarges an image to hold whatever frame comes, and fills the place of one that is to vanish before anybody
asked for it: by then the memory is taken. So a GIF is read here first, sign by sign as the decoder reads it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_SIGNS: Final = (b"GIF87a", b"GIF89a")
_HEADER: Final = 13
_DESCRIPTOR: Final = 10
_COMMENT: Final = 0xFE


class Extent(NamedTuple):
    """How far to the right and down something reaches."""

    width: int
    height: int


def is_gif(data: bytes) -> bool:
    return data.startswith(_SIGNS)


def screen(data: bytes) -> Extent:
    """What the file says that it measures; its first frame may reach farther."""
    return Extent(_number(data, 6), _number(data, 8))


def frames(data: bytes) -> Iterator[Extent]:
    """As many as there are, one after the other; where the file breaks off, no more."""
    reading = _Reading(data, _HEADER + _palette(data, 10))
    while (extent := reading.frame()) is not None:
        yield extent


@dataclass(slots=True)
class _Reading:
    data: bytes
    at: int

    def frame(self) -> Extent | None:
        """The next one; what is no sign of a GIF is passed over, as the decoder does."""
        while (sign := self.data[self.at : self.at + 1]) not in (b"", b";"):
            if sign == b",":
                return self._described()
            self.at += 1
            if sign == b"!":
                self._extension()
        return None

    def _described(self) -> Extent | None:
        if self.at + _DESCRIPTOR > len(self.data):
            return None
        left, top, width, height = (_number(self.data, self.at + place) for place in (1, 3, 5, 7))
        # Behind the colours stands one byte more: how its pixels are packed.
        self.at += _DESCRIPTOR + _palette(self.data, self.at + _DESCRIPTOR - 1) + 1
        self._blocks()
        return Extent(left + width, top + height)

    def _extension(self) -> None:
        label = self.data[self.at : self.at + 1]
        self.at += 1
        if self._block() or label != bytes([_COMMENT]):
            self._blocks()

    def _blocks(self) -> None:
        while self._block():
            pass

    def _block(self) -> bool:
        """Pass over one; False for the empty one that ends them."""
        length = self.data[self.at] if self.at < len(self.data) else 0
        self.at += 1 + length
        return length > 0


def _palette(data: bytes, at: int) -> int:
    """How many bytes its colours take, by what stands there."""
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 128 else 0


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
