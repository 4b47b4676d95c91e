"""How quickly endpoints answered this process lately: one that is slow, though it succeeds, is no better than one that
fails for whoever waits beside it."""

from collections import OrderedDict, deque
from statistics import median_low
from typing import Final
from uuid import UUID

SLOW_MILLISECONDS: Final = 2_000
_FEWEST: Final = 3
_LATEST: Final = 15
# Of so many endpoints it is known; of others nothing is, until they are called again.
_MOST: Final = 2_000


class Paces:
    """Used by one thread at a time for each endpoint; of several, nothing worse than an answer that is not counted."""

    def __init__(self) -> None:
        self._of: OrderedDict[UUID, deque[int]] = OrderedDict()

    def note(self, endpoint_id: UUID, milliseconds: int) -> None:
        lately = self._of.pop(endpoint_id, None) or deque(maxlen=_LATEST)
        lately.append(milliseconds)
        self._of[endpoint_id] = lately
        while len(self._of) > _MOST:
            self._of.popitem(last=False)

    def is_slow(self, endpoint_id: UUID) -> bool:
        """Whether half of its latest answers took longer than they should."""
        lately = list(self._of.get(endpoint_id, ()))
        return len(lately) >= _FEWEST and median_low(lately) > SLOW_MILLISECONDS

    def forget(self) -> None:
        self._of.clear()


PACES: Final = Paces()
