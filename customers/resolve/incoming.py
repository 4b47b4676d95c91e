"""Messages of a batch as read from the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor

from customers.ids import NIL
from customers.models import IdentifierKind


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
    payload_text: str
    # Strongest first: by rank of kind, then by value.
    named: list[Named]


@dataclass(slots=True)
class Batch:
    messages: list[Incoming]
    # The spelling each identifier was first given in, kept for sending.
    originals: dict[Named, str]
    kinds: dict[str, IdentifierKind]


_READ = """
    SELECT i.id, i.received_at, i.source_id, s.brand_id, s.namespace, i.message_id, i.kind, i.name, i.occurred_at,
           i.schema_version_id, i.historical, i.payload, i.identifiers
    FROM customers_inbox i JOIN customers_source s ON s.id = i.source_id
    WHERE i.id = ANY(%b) ORDER BY i.id FOR UPDATE OF i SKIP LOCKED
"""


def read(cursor: Cursor[Any], ids: Sequence[int]) -> Batch:
    """Lock and decode the inbox rows that nobody else holds, oldest first."""
    kinds = {kind.key: kind for kind in IdentifierKind.objects.all()}
    originals: dict[Named, str] = {}
    messages = []
    for row in cursor.execute(_READ, [list(ids)]).fetchall():
        namespace, identifiers = row[4], orjson.loads(row[12])
        named = []
        for kind, value, original in identifiers:
            one = Named(NIL if kinds[kind].organisation_wide else namespace, kind, value)
            originals.setdefault(one, original)
            named.append(one)
        named.sort(key=lambda one: (kinds[one.kind].rank, one.value))
        columns: list[Any] = [*row[:4], *row[5:12], named]
        messages.append(Incoming(*columns))
    return Batch(messages, originals, kinds)
