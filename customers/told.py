"""Events that a door tells of people it has found already: written at once, without passing the inbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from customers import awaited, stored
from customers.event_columns import EVENT, MATCH, PAYLOAD
from customers.internal import Cause
from customers.models import SegmentInput
from customers.pg import copy_rows
from customers.segments.notice import Items
from customers.stored import Stored

_IDS = "SELECT nextval('customers_event_id_seq') FROM generate_series(1, %s)"


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

    @property
    def payload(self) -> dict[str, Any]:
        said: dict[str, Any] = {"context": {"token": self.token}}
        return said | ({"properties": self.properties} if self.properties else {})


def tell(cursor: Cursor[Any], happening: Happening, now: datetime) -> int:
    """Write it in the caller's transaction, for those too who may await its name; return its id."""
    return tell_all(cursor, [happening], now)[0]


def tell_all(cursor: Cursor[Any], told: Sequence[Happening], now: datetime) -> list[int]:
    """The same of many, by a few statements; return their ids in their order."""
    ids = [row[0] for row in cursor.execute(_IDS, [len(told)]).fetchall()]
    rows = list(zip(ids, told, strict=True))
    copy_rows(
        cursor,
        "customers_event",
        EVENT,
        (
            (id_, now, now, one.brand_id, one.source_id, one.profile_id, "track", one.name, one.message_id, False)
            for id_, one in rows
        ),
    )
    payloads = ((id_, now, Jsonb(one.payload, orjson.dumps)) for id_, one in rows)
    copy_rows(cursor, "customers_eventpayload", PAYLOAD, payloads)
    waited_for = awaited.under_lock()
    items = Items()
    watchers = waited_for.watchers(SegmentInput.Kind.EVENT)
    for id_, one in rows:
        for segment, brand in watchers.get(one.name, ()):
            if brand == one.brand_id:
                items.add(segment, one.profile_id, Cause(id_))
    items.write(cursor, now)
    matched = [
        (id_, now, now, one.profile_id, one.brand_id, one.name, one.message_id)
        for id_, one in rows
        if one.name in waited_for.inside
    ]
    if matched:
        copy_rows(cursor, "customers_match_queue", MATCH, matched)
    subscribed = (
        Stored(id_, now, one.brand_id, one.source_id, one.profile_id, one.name, False)
        for id_, one in rows
        if one.name in waited_for.subscribed
    )
    stored.tell(cursor, subscribed, now)
    return ids
