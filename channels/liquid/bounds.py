"""How much work and memory one rendering may take.

python-liquid limits loops, output and what is assigned, each by itself; what filters make of a value, and many small
loops one after another, it does not. So everything that can repeat or grow is counted here. Counting comes first, so
that a message fails or not whatever else the machine does; the thread's own clock is the net under it.
"""

import time
from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

from liquid.exceptions import ResourceLimitError
from liquid.undefined import Undefined

# Of what one message may cost: a path looked up is 1, as is a node in a loop.
MAX_WORK: Final = 50_000
MAX_SECONDS: Final = 0.15
# Of any one value that a filter takes or makes, in characters; and how many things a list or a range may hold.
MAX_VALUE: Final = 100_000
MAX_ITEMS: Final = 10_000
MAX_BITS: Final = 1_000
# Of all that is assigned or captured at one time, and of what is written.
MAX_KEPT: Final = 1_000_000
MAX_OUTPUT: Final = 1_000_000
_LOOK_EVERY: Final = 32
# What a number or a date is taken for.
_SMALL: Final = 16
_SHORT: Final = 255


class LimitError(ResourceLimitError):
    """More work or memory than a message may take."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class Budget:
    """What is left for one message, over all its texts."""

    __slots__ = ("is_forgiven", "look_at", "spent", "until")

    def __init__(self) -> None:
        self.spent = 0
        self.until = time.thread_time() + MAX_SECONDS
        self.look_at = _LOOK_EVERY
        self.is_forgiven = False

    def spend(self, work: int) -> None:
        self.spent += work
        if self.spent >= self.look_at:
            self.look()

    def lengthen(self, seconds: float) -> None:
        """What is parsed once is not the message's: else the first after a restart would fail for it."""
        self.until += seconds

    def look(self) -> None:
        self.look_at = self.spent + _LOOK_EVERY
        if self.spent > MAX_WORK:
            raise LimitError("too much work")
        if time.thread_time() > self.until:
            self._overtime()

    def _overtime(self) -> None:
        """Once it may have been something else's: memory that is tidied up in this thread, a processor that was away.
        What really takes long is over its time again soon."""
        if self.is_forgiven:
            raise LimitError("takes too long")
        self.is_forgiven = True
        self.until = time.thread_time() + MAX_SECONDS


class Output(StringIO):
    """What is written, or captured; the characters count, whichever of them they are."""

    def __init__(self, budget: Budget, room: int = MAX_OUTPUT) -> None:
        super().__init__(newline="")
        self.budget = budget
        self.room = room

    def write(self, text: str) -> int:
        size = len(text)
        self.room -= size
        if self.room < 0:
            raise LimitError("too long")
        if size > _SHORT:
            self.budget.spend(size >> 8)
        return StringIO.write(self, text)


def weigh(value: Any) -> int:
    """About how many characters it would take to say; raises LimitError rather than count on."""
    # By its type: a field that is missing lets nothing else be asked.
    kind = type(value)
    if issubclass(kind, str):
        if len(value) > MAX_VALUE:
            raise LimitError("too long a value")
        return len(value)
    if issubclass(kind, Undefined):
        return 0
    if issubclass(kind, list | tuple | Mapping | range):
        return _weigh_all(value)
    if issubclass(kind, int) and value.bit_length() > MAX_BITS:
        raise LimitError("too large a number")
    return _SMALL


def _weigh_all(values: Any) -> int:
    # The length of a range can be more than a machine's integer.
    size = max(values.stop - values.start, 0) if isinstance(values, range) else len(values)
    if size > MAX_ITEMS:
        raise LimitError("too many items")
    if isinstance(values, range):
        return size
    weight = size
    for one in values.values() if isinstance(values, Mapping) else values:
        weight += weigh(one)
        if weight > MAX_VALUE:
            raise LimitError("too long a value")
    return weight
