"""What happens inside, told as events of the reserved source `trilha`: a trait that changed, a segment entered.

Only names that somebody awaits are told. An event that follows from another one names it as its cause and counts its
hops: journeys and rules that feed each other come to an end after `MOST_HOPS`, as a dead letter.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.types.json import Jsonb

from customers import stored
from customers.event_columns import EVENT, MATCH, PAYLOAD
from customers.models import Source
from customers.pg import copy_rows
from customers.stored import Stored

TRAIT_CHANGED: Final = "trait.changed"
CUSTOMER_MERGED: Final = "customer.merged"
CUSTOMER_SPLIT: Final = "customer.split"
SEGMENT_ENTERED: Final = "segment.entered"
SEGMENT_LEFT: Final = "segment.left"
MOST_HOPS: Final = 8
# The queue under which dead letters tell of chains that were cut.
QUEUE: Final = "internal"

# They start and resume nothing, as what is past does not; and yet they happen now.
_NEWS: Final = frozenset((CUSTOMER_MERGED, CUSTOMER_SPLIT))

_reserved = {TRAIT_CHANGED, CUSTOMER_MERGED, CUSTOMER_SPLIT, SEGMENT_ENTERED, SEGMENT_LEFT}

_BRANDS = "SELECT profile_id, brand_id FROM customers_profilebrand WHERE profile_id = ANY(%b) ORDER BY 1, 2"
_LETTER = """
    INSERT INTO customers_deadletter (at, queue, unit_id, reason, attempts, row)
    SELECT %b, %b, u.unit_id, %b, %b, u.row FROM unnest(%b::bigint[], %b::jsonb[]) AS u(unit_id, row)
"""
_EVENT = (
    *EVENT,
    ("cause_id", "int8"),
    ("hops", "int2"),
    ("time_source", "int2"),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that something follows from; `hops` is how many lay between it and what came from outside."""

    event_id: int | None = None
    hops: int = 0
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Internal:
    """Something that happened inside, to be told in one brand; without a brand, in every brand that knows the profile.

    `key` makes the message id: the same thing is told once.
    """

    name: str
    profile_id: UUID
    key: str
    properties: dict[str, Any] = field(default_factory=dict)
    cause: Cause = Cause()
    brand_id: UUID | None = None


def reserve(*names: str) -> None:
    """Keep these names to ourselves: no door takes them."""
    _reserved.update(names)


def is_reserved(name: str) -> bool:
    return name in _reserved


def tell(cursor: Cursor[Any], happened: Iterable[Internal], awaited: frozenset[str], now: datetime) -> int:
    """Write what somebody awaits, within the caller's transaction; return how many events that made."""
    wanted = [one for one in happened if one.name in awaited]
    if not wanted:
        return 0
    _bury(cursor, [one for one in wanted if one.cause.hops >= MOST_HOPS], now)
    told = _in_brands(cursor, [one for one in wanted if one.cause.hops < MOST_HOPS])
    if not told:
        return 0
    ids = _write(cursor, told, now)
    matched = (
        (id_, now, now, one.profile_id, brand, one.name, one.key[:100])
        for id_, (one, brand) in zip(ids, told, strict=True)
        if not one.cause.historical
    )
    copy_rows(cursor, "customers_match_queue", MATCH, matched)
    return len(ids)


def keep(cursor: Cursor[Any], happened: Sequence[Internal], now: datetime) -> list[int]:
    """Write what happened in one brand each, for whoever writes it already knows who is to hear of it; return the ids
    of the events."""
    return _write(cursor, [(one, one.brand_id) for one in happened if one.brand_id], now) if happened else []


def _write(cursor: Cursor[Any], told: Sequence[tuple[Internal, UUID]], now: datetime) -> list[int]:
    sources = reserved_sources({brand for _one, brand in told})
    ids = cursor.execute("SELECT nextval('customers_event_id_seq') FROM generate_series(1, %s)", [len(told)]).fetchall()
    rows = [(id_, one, brand) for (id_,), (one, brand) in zip(ids, told, strict=True)]
    copy_rows(
        cursor,
        "customers_event",
        _EVENT,
        (
            (
                id_, now, now, brand, sources[brand], one.profile_id, "track", one.name, one.key[:100],
                one.cause.historical, one.cause.event_id, one.cause.hops + 1, 1,
            )
            for id_, one, brand in rows
        ),
    )  # fmt: skip
    payloads = ((id_, now, Jsonb({"properties": one.properties}, orjson.dumps)) for id_, one, _brand in rows)
    copy_rows(cursor, "customers_eventpayload", PAYLOAD, payloads)
    stored.tell(
        cursor,
        (
            Stored(
                id_,
                now,
                brand,
                sources[brand],
                one.profile_id,
                one.name,
                one.cause.historical and one.name not in _NEWS,
            )
            for id_, one, brand in rows
        ),
        now,
    )
    return [id_ for id_, _one, _brand in rows]


def _in_brands(cursor: Cursor[Any], wanted: Sequence[Internal]) -> list[tuple[Internal, UUID]]:
    anywhere = {one.profile_id for one in wanted if one.brand_id is None}
    brands: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for profile, brand in cursor.execute(_BRANDS, [list(anywhere)]).fetchall() if anywhere else ():
        brands[profile].append(brand)
    return [
        (one, brand)
        for one in wanted
        for brand in ([one.brand_id] if one.brand_id is not None else brands[one.profile_id])
    ]


def reserved_sources(brands: set[UUID]) -> dict[UUID, UUID]:
    """The reserved source of each brand, made where it is missing."""
    known = dict(
        Source.objects.filter(key=Source.RESERVED_KEY, brand__in=brands).values_list("brand_id", "id"),
    )
    for brand in sorted(brands - known.keys()):
        made, _is_new = Source.objects.get_or_create(
            brand_id=brand, key=Source.RESERVED_KEY, defaults={"name": "Trilha", "namespace": brand}
        )
        known[brand] = made.pk
    return known


def _bury(cursor: Cursor[Any], endless: Sequence[Internal], now: datetime) -> None:
    if endless:
        rows = [Jsonb(_as_row(one), orjson.dumps) for one in endless]
        reason = f"followed from itself {MOST_HOPS} times"
        units = [one.cause.event_id or 0 for one in endless]
        cursor.execute(_LETTER, [now, QUEUE, reason, MOST_HOPS, units, rows])


def _as_row(one: Internal) -> dict[str, Any]:
    row = asdict(one)
    return row | {"profile_id": str(one.profile_id), "brand_id": str(one.brand_id) if one.brand_id else None}
