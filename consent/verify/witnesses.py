"""What was anchored, chain by chain, beside the chains themselves; on the way its Merkle root is made again."""

from collections.abc import Iterator, Mapping
from typing import Final

from consent.anchors.merkle import Tree
from consent.anchors.records import Chain, Head, Witness, pack_head

_NONE: Final[Mapping[int, Witness]] = {}


class Witnesses:
    """Takes the anchored entries by chain and position, each with the number of the anchor that saw it first."""

    def __init__(self, seen: Iterator[tuple[Witness, int]], last: int) -> None:
        self.held = last
        self._seen = seen
        self._next = next(seen, None)
        self._tree = Tree()
        # By chain at hand, from which anchor on each position was covered.
        self._covered: dict[Chain, list[tuple[int, int]]] = {}

    def up_to(self, last: Chain) -> dict[Chain, dict[int, Witness]]:
        """The anchored entries of all chains up to this one that were not taken before."""
        taken: dict[Chain, dict[int, Witness]] = {}
        self._covered = {}
        while self._next is not None and self._next[0].chain <= last:
            witness, number = self._next
            taken.setdefault(witness.chain, {})[witness.position] = witness
            self._covered.setdefault(witness.chain, []).append((witness.position, number))
            self._next = next(self._seen, None)
        for entries in taken.values():
            end = next(reversed(entries.values()))
            self._tree.add(pack_head(*Head(end.ledger, end.key, end.position, end.digest)))
        return taken

    def blame(self, chain: Chain, position: int) -> None:
        """A fault at this place: no anchor holds from the one on that covered it."""
        first = min((number for at, number in self._covered.get(chain, []) if at >= position), default=None)
        if first is not None:
            self.held = min(self.held, first - 1)

    def root(self) -> bytes:
        """Of all that was taken."""
        return self._tree.root()
