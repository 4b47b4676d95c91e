"""Who goes first where a cap leaves room for one."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol, TypeVar
from uuid import UUID

from consent.models import Purpose

# Of two messages of one priority the lower goes first.
RANK: Final = {Purpose.Kind.LEGAL.value: 0, Purpose.Kind.SERVICE.value: 1, Purpose.Kind.MARKETING.value: 2}


class Due(Protocol):
    """A message of a batch."""

    @property
    def customer_id(self) -> UUID | None: ...

    @property
    def priority(self) -> int: ...

    @property
    def purpose_kind(self) -> str: ...


_D = TypeVar("_D", bound=Due)


def by_priority(batch: Sequence[_D]) -> list[_D]:
    """The batch, with the messages of each customer in the places that they have, the more important first: by their
    journey's priority, then service before marketing, then in the order they came. Nobody else waits for that."""
    places: dict[UUID, list[int]] = defaultdict(list)
    for place, message in enumerate(batch):
        if message.customer_id is not None:
            places[message.customer_id].append(place)
    ordered = list(batch)
    for taken in places.values():
        mine = sorted((batch[place] for place in taken), key=lambda one: (-one.priority, RANK[one.purpose_kind]))
        for place, message in zip(taken, mine, strict=True):
            ordered[place] = message
    return ordered
