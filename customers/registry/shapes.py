"""Events read in the newest shape of their type, whichever version they were accepted under.

What was stored stays as it was. An event without a version was planned by nobody, so its shape is not known and it
is read as it is.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection

from customers import clock
from customers.belief import Belief
from customers.registry import upcast
from customers.registry.upcast_sql import Fragment, chain

Chains = Mapping[int, list[upcast.Operation]]
# What an event says, of an identify or group its traits.
_PARTS = ("properties", "traits")
_SAID = "coalesce(p.payload -> 'properties', p.payload -> 'traits')"


def newest(payload: dict[str, Any], version_id: int | None) -> dict[str, Any]:
    """The payload of an event of that version, with what it says in the newest shape."""
    operations = chains().get(version_id) if version_id is not None else None
    if not operations:
        return payload
    made = {part: upcast.apply(operations, payload[part]) for part in _PARTS if part in payload}
    # A planned event that said nothing may be given defaults all the same.
    return payload | (made or {"properties": upcast.apply(operations, {})})


def said(properties: Mapping[str, Any] | None, version_id: int | None) -> dict[str, Any]:
    """What an event of that version says, in the newest shape."""
    operations = chains().get(version_id) if version_id is not None else None
    told = dict(properties or {})
    return upcast.apply(operations, told) if operations else told


def said_in_sql() -> Fragment:
    """The same as jsonb, over `e`, a row of customers_event, and `p`, its payload; `e` only if anything is upcast."""
    whens, values = [], []
    for version_id, operations in sorted(chains().items()):
        expression, own = chain(operations, (f"coalesce({_SAID}, '{{}}')", []))
        whens.append(f"WHEN %s THEN {expression}")
        values += [version_id, *own]
    if not whens:
        return _SAID, []
    return f"(CASE e.schema_version_id {' '.join(whens)} ELSE {_SAID} END)", values


def chains() -> Chains:
    """By version, the operations from it to the newest; versions that need none are left out."""
    # What is believed a second longer decides nothing that depends on the time.
    return _believed.current(clock.utcnow())


def _load() -> Chains:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_type_id, id, upcast::text FROM customers_schemaversion"
            " WHERE status <> 'draft' ORDER BY event_type_id, number DESC"
        )
        rows = cursor.fetchall()
    made: dict[int, list[upcast.Operation]] = {}
    type_, later = None, list[upcast.Operation]()
    for event_type, version, document in rows:
        if event_type != type_:
            type_, later = event_type, []
        if later:
            made[version] = later
        later = [*upcast.read(orjson.loads(document))[0], *later]
    return made


_believed: Belief[Chains] = Belief(("customers_schemaversion",), _load)
