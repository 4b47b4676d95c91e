"""Messages of a batch as read from the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor

from customers import consumers, kinds
from customers.ids import NIL
from customers.kinds import Kinds
from customers.models.identity import Assurance

# Kinds of messages that say what somebody is.
TELLING = frozenset(("identify", "group"))


class Named(NamedTuple):
    """An identifier as a message names it; `namespace` is nil for kinds that are organisation-wide."""

    namespace: UUID
    kind: str
    value: str


@dataclass(slots=True)
class Incoming:
    id: int
    received_at: datetime
    source_id: UUID
    brand_id: UUID
    message_id: str
    kind: str
    name: str
    occurred_at: datetime
    schema_version_id: int | None
    historical: bool
    time_source: int
    assurance: int | None
    # The country of phone numbers that name none, "" where there is none to assume.
    region: str
    payload_text: str
    # Strongest first: by rank of kind, then by value.
    named: list[Named]
    # Of an alias, what the strongest was called before.
    former: list[Named]

    @property
    def at(self) -> datetime:
        """When it happened, as far as it is believed: a clock that is ahead is not."""
        return min(self.occurred_at, self.received_at)

    @property
    def sureness(self) -> int:
        """As the sender says; what it says nothing of, it saw itself. A page has no say in this: it claims."""
        return int(self.assurance or Assurance.OBSERVED)


@dataclass(slots=True)
class Batch:
    messages: list[Incoming]
    # The spelling each identifier was first given in, kept for sending.
    originals: dict[Named, str]
    kinds: Kinds


# Words travel from the inbox to the events within the database; only those that are looked into come out.
_READ = """
    SELECT i.id, i.received_at, i.source_id, s.brand_id, i.message_id, i.kind, i.name, i.occurred_at,
           i.schema_version_id, i.historical, i.time_source, i.assurance, s.region,
           CASE WHEN i.kind = ANY(%b) OR i.name = ANY(%b) OR strpos(i.payload, '"phone"') > 0
                OR strpos(i.payload, '"token"') > 0 THEN i.payload ELSE '' END,
           s.namespace,
           i.identifiers
    FROM customers_inbox i JOIN customers_source s ON s.id = i.source_id
    WHERE i.id = ANY(%b) ORDER BY i.id FOR UPDATE OF i SKIP LOCKED
"""


def read(cursor: Cursor[Any], ids: Sequence[int], now: datetime) -> Batch:
    """Lock and decode the inbox rows that nobody else holds, oldest first."""
    batch = Batch([], {}, kinds.current(now))
    for row in cursor.execute(_READ, [list(TELLING), consumers.names_read(), list(ids)], prepare=True).fetchall():
        columns: list[Any] = [*row[:-2], *_named(batch, row[-2], orjson.loads(row[-1]))]
        batch.messages.append(Incoming(*columns))
    return batch


def _named(batch: Batch, namespace: UUID, identifiers: list[list[Any]]) -> tuple[list[Named], list[Named]]:
    known = batch.kinds
    named: list[Named] = []
    former: list[Named] = []
    for kind, value, original, *is_former in identifiers:
        one = Named(NIL if known[kind].organisation_wide else namespace, kind, value)
        batch.originals.setdefault(one, original)
        (former if is_former else named).append(one)
    if len(named) > 1:
        named.sort(key=lambda one: (known[one.kind].rank, one.value))
    return named, former
