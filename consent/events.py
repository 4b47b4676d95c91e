"""Events that carry consent, queued while they are resolved so that none is applied twice or lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg import Cursor

from consent import refusals, requests
from consent.addresses import Place, ids_of, person
from consent.refusals import Refused
from consent.requests import Request
from customers.consumers import ResolvedEvent
from customers.pg import copy_rows, raw_cursor, raw_json

_QUEUE = (
    ("address_id", "uuid"),
    ("profile_id", "uuid"),
    ("brand_id", "uuid"),
    ("source_id", "uuid"),
    ("event_id", "int8"),
    ("message_id", "varchar"),
    ("occurred_at", "timestamptz"),
    ("received_at", "timestamptz"),
    ("request", "jsonb"),
)


@dataclass(frozen=True, slots=True)
class _Found:
    event: ResolvedEvent
    place: Place
    request: Request


def consume(events: Sequence[ResolvedEvent]) -> None:
    """Queue every consent these events carry; imported history counts as much as what happens now."""
    carrying = [event for event in events if event.kind == "track" and event.name in requests.NAMES]
    if not carrying:
        return
    found, refused = _read(carrying)
    with raw_cursor() as cursor:
        if found:
            _queue(cursor, found)
        refusals.keep(cursor, refused)


def _read(events: Iterable[ResolvedEvent]) -> tuple[list[_Found], list[Refused]]:
    found, refused = [], []
    for event in events:
        asked, problems = requests.read(event.name, event.payload(), event.identifiers)
        found += [_Found(event, request.place or person(event.profile_id), request) for request in asked]
        refused += [
            Refused(
                received_at=event.received_at,
                source_id=event.source_id,
                code=problem.code,
                pointer=problem.pointer,
                detail=problem.detail,
                message_id=event.message_id,
                name=event.name,
                raw=event.payload_text,
            )
            for problem in problems
        ]
    return found, refused


def _queue(cursor: Cursor[Any], found: Sequence[_Found]) -> None:
    originals: dict[Place, str] = {}
    for one in found:
        originals.setdefault(one.place, one.request.original or one.place.value)
    addresses = ids_of(cursor, originals, found[0].event.received_at)
    copy_rows(cursor, "consent_queue", _QUEUE, (_row(one, addresses[one.place]) for one in found))


def _row(one: _Found, address_id: UUID) -> tuple[object, ...]:
    event = one.event
    return (
        address_id,
        event.profile_id,
        event.brand_id,
        event.source_id,
        event.id,
        event.message_id,
        event.occurred_at,
        event.received_at,
        raw_json(orjson.dumps(one.request.body).decode()),
    )
