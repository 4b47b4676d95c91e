"""What a process holds while calls are in hand: slots of connectors, and scopes against new stops.

All are advisory locks of the session, since no transaction is open meanwhile; a worker that dies frees them with its
connection.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from channels import stops
from channels.dispatch import slots
from customers.pg import raw_cursor


@dataclass(slots=True)
class Holds:
    # A session may take a lock twice, so which slots are ours is known here.
    _slots: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    _scopes: dict[int, tuple[UUID, ...]] = field(default_factory=dict)

    def take_slots(self, connector_id: UUID, concurrency: int, most: int) -> list[int]:
        """Up to so many of the connector's free slots."""
        free = [number for number in range(concurrency) if number not in self._slots[connector_id]]
        taken = slots.take_some(connector_id, free, most)
        self._slots[connector_id] |= set(taken)
        return taken

    def free_slots(self, connector_id: UUID, numbers: Iterable[int]) -> None:
        freed = list(numbers)
        slots.free_all(connector_id, freed)
        self._slots[connector_id] -= set(freed)

    def share(self, call_id: int, scopes: Sequence[UUID]) -> bool:
        """Hold the scopes against new stops while the call is in hand; False if a stop waits for one."""
        taken: list[UUID] = []
        with raw_cursor() as cursor:
            for scope in scopes:
                if not stops.try_share(cursor, scope):
                    for one in taken:
                        stops.unshare(cursor, one)
                    return False
                taken.append(scope)
        self._scopes[call_id] = tuple(scopes)
        return True

    def release(self, call_id: int) -> None:
        with raw_cursor() as cursor:
            for scope in self._scopes.pop(call_id, ()):
                stops.unshare(cursor, scope)

    def release_all(self) -> None:
        """Nothing is in hand any more, or nothing of it can be settled."""
        for call_id in list(self._scopes):
            self.release(call_id)
        for connector_id, numbers in self._slots.items():
            self.free_slots(connector_id, list(numbers))
