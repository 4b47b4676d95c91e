"""Events that carry consent, queued while they are resolved so that none is applied twice or lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from psycopg import Cursor

from consent import queue, refusals, requests
from consent.addresses import Place, ids_of, person
from consent.queue import Item, Told
from consent.refusals import Refused
from consent.requests import Problem, Request
from customers.consumers import Resolved, ResolvedEvent
from customers.models.identity import Assurance
from customers.pg import raw_cursor


@dataclass(frozen=True, slots=True)
class Found:
    """A consent that an event carries, and where it hangs."""

    told: Told
    place: Place
    request: Request

    @property
    def purpose(self) -> str:
        return str(self.request.body["purpose"])


def consume(resolved: Resolved) -> None:
    """Queue every consent these events carry; imported history counts as much as what happens now."""
    carrying = [_told(event) for event in resolved.events if event.kind == "track" and event.name in requests.NAMES]
    if not carrying:
        return
    found, refused = [], []
    for told in carrying:
        asked, problems = read(told)
        found += asked
        if problems:
            refused.append(_refused(told, asked, problems))
    with raw_cursor() as cursor:
        queue_found(cursor, found)
        refusals.keep(cursor, refused)


def read(told: Told) -> tuple[list[Found], list[Problem]]:
    """The consents in an event that are not queued yet, and what had to be refused."""
    asked, problems = requests.read(told.name, told.payload, told.identifiers, is_claim=told.is_claim)
    found = (Found(told, request.place or person(told.profile_id), request) for request in asked)
    return [one for one in found if one.purpose not in told.queued], problems


def queue_found(cursor: Cursor[Any], found: Sequence[Found]) -> None:
    """Queue these consents, with the addresses they hang on."""
    if not found:
        return
    originals: dict[Place, str] = {}
    for one in found:
        originals.setdefault(one.place, one.request.original or one.place.value)
    addresses = ids_of(cursor, originals, found[0].told.received_at)
    queue.put(
        cursor,
        (
            Item(
                address_id=addresses[one.place],
                profile_id=one.told.profile_id,
                brand_id=one.told.brand_id,
                source_id=one.told.source_id,
                event_id=one.told.event_id,
                message_id=one.told.message_id,
                occurred_at=one.told.occurred_at,
                received_at=one.told.received_at,
                request=one.request.body,
            )
            for one in found
        ),
    )


def _told(event: ResolvedEvent) -> Told:
    return Told(
        profile_id=event.profile_id,
        brand_id=event.brand_id,
        source_id=event.source_id,
        event_id=event.id,
        message_id=event.message_id,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        name=event.name,
        identifiers=event.identifiers,
        payload=event.payload(),
        is_claim=event.assurance == Assurance.CLAIMED,
    )


def _refused(told: Told, found: Sequence[Found], problems: Sequence[Problem]) -> Refused:
    """One row per event, since it can only be replayed as a whole."""
    first, *others = problems
    also = "".join(f" Also {problem.code} at {problem.pointer}." for problem in others)
    return Refused(
        received_at=told.received_at,
        source_id=told.source_id,
        code=first.code,
        pointer=first.pointer,
        detail=first.detail + also,
        message_id=told.message_id,
        name=told.name,
        raw=queue.pack(replace(told, queued=tuple(one.purpose for one in found))),
    )
