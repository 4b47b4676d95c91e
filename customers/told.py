"""An event that a door tells of a person it has found already: written at once, without passing the inbox."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from customers import awaited
from customers.internal import Cause
from customers.models import SegmentInput
from customers.segments.notice import Items

_EVENT = """
    INSERT INTO customers_event
        (id, received_at, occurred_at, brand_id, source_id, profile_id, kind, name, message_id, historical)
    VALUES (nextval('customers_event_id_seq'), %(now)s, %(now)s, %(brand)s, %(source)s, %(profile)s, 'track', %(name)s,
            %(message_id)s, false)
    RETURNING id
"""
_PAYLOAD = "INSERT INTO customers_eventpayload (event_id, received_at, payload) VALUES (%s, %s, %s)"
_MATCH = """
    INSERT INTO customers_match_queue
        (event_id, received_at, occurred_at, profile_id, brand_id, name, message_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


class Happening(NamedTuple):
    """What is told, and by which token. The profile is one that the source has named before, so that nothing is left
    to resolve."""

    name: str
    brand_id: UUID
    source_id: UUID
    profile_id: UUID
    message_id: str
    properties: dict[str, Any]
    token: str


def tell(cursor: Cursor[Any], happening: Happening, now: datetime) -> int:
    """Write it in the caller's transaction, for those too who may await its name; return its id."""
    named = happening._asdict()
    values = {key: named[f"{key}_id"] for key in ("brand", "source", "profile")}
    row = cursor.execute(
        _EVENT, {**values, "name": happening.name, "message_id": happening.message_id, "now": now}
    ).fetchone()
    assert row is not None
    payload: dict[str, Any] = {"context": {"token": happening.token}}
    if happening.properties:
        payload["properties"] = happening.properties
    cursor.execute(_PAYLOAD, [row[0], now, Jsonb(payload, orjson.dumps)])
    waited_for = awaited.under_lock()
    items = Items()
    for segment, brand in waited_for.watchers(SegmentInput.Kind.EVENT).get(happening.name, ()):
        if brand == happening.brand_id:
            items.add(segment, happening.profile_id, Cause(int(row[0])))
    items.write(cursor, now)
    if happening.name in waited_for.names:
        cursor.execute(
            _MATCH,
            [row[0], now, now, happening.profile_id, happening.brand_id, happening.name, happening.message_id],
        )
    return int(row[0])
