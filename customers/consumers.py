"""What higher layers want to know of every resolved batch, told inside resolve's own transaction."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from customers.registry import shapes

if TYPE_CHECKING:
    from customers.resolve.component import Move


@dataclass(slots=True)
class ResolvedEvent:
    """An event just written. `identifiers` are (kind, value) as named by the message, strongest first."""

    id: int
    received_at: datetime
    occurred_at: datetime
    brand_id: UUID
    source_id: UUID
    profile_id: UUID
    customer_id: UUID
    kind: str
    name: str
    message_id: str
    historical: bool
    identifiers: tuple[tuple[str, str], ...]
    # Empty unless it says what somebody is, tells an address, or has a name that a consumer reads.
    payload_text: str
    schema_version_id: int | None = None
    # How sure its sender says to be of whom, if it said so.
    assurance: int | None = None

    @property
    def hops(self) -> int:
        """How many events lay between what is said inside and what came from outside; no door takes such a number."""
        return int(self.payload().get("hops") or 0) if '"hops"' in self.payload_text else 0

    def payload(self) -> dict[str, Any]:
        """{properties or traits, context} in the newest shape, decoded only for those who need to look inside."""
        decoded: dict[str, Any] = orjson.loads(self.payload_text)
        return shapes.newest(decoded, self.schema_version_id)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a batch has become: its events in the order of receipt, and the profiles that changed their customer."""

    events: Sequence[ResolvedEvent]
    moves: Sequence["Move"]
    now: datetime


Consumer = Callable[[Resolved], None]

_consumers: list[Consumer] = []
_names_read: set[str] = set()


def register(consumer: Consumer, reads: Collection[str] = ()) -> None:
    """Have `consumer` called with every resolved batch; it writes with a few statements and never commits.

    It finds the payloads of the events called as in `reads`; all others stay in the database, for speed.
    """
    if consumer not in _consumers:
        _consumers.append(consumer)
    _names_read.update(reads)


def names_read() -> list[str]:
    return sorted(_names_read)


def tell(resolved: Resolved) -> None:
    for consumer in _consumers:
        consumer(resolved)
