"""The Merkle tree hash of RFC 6962 over any number of leaves, which need not be in memory together."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

# Told apart, so that no inner node can pass for a leaf.
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class Tree:
    """Takes the leaves in their order; holds one hash for each power of two among them."""

    def __init__(self) -> None:
        self.leaves = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        node = sha256(_LEAF + leaf).digest()
        number = self.leaves
        while number & 1:
            node = _joined(self._peaks.pop(), node)
            number >>= 1
        self._peaks.append(node)
        self.leaves += 1

    def root(self) -> bytes:
        if not self._peaks:
            return sha256(b"").digest()
        *before, node = self._peaks
        for peak in reversed(before):
            node = _joined(peak, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def _joined(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
