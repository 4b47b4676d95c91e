"""What partners send: Segment batches of about 48 KB, most events awaited by nobody."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import orjson

from bench.journey import LOG_IN, SIGN_UP
from customers.models import EventType, SchemaVersion, Source

BATCH = 100
VIEWED = "product.viewed"
_SCHEMA = {
    "type": "object",
    "required": ["sku", "price", "currency", "category"],
    "properties": {
        "sku": {"type": "string", "maxLength": 40},
        "price": {"type": "integer", "minimum": 0},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "category": {"type": "string"},
        "url": {"type": "string", "maxLength": 200},
    },
}


def plan_events(source: Source) -> None:
    """Have every event of the traffic validated against an approved schema."""
    for name in (VIEWED, SIGN_UP, LOG_IN):
        event_type = EventType.objects.create(brand=source.brand, name=name)
        SchemaVersion.objects.create(event_type=event_type, number=1, schema=_SCHEMA, status="approved")


def bodies(events: int, people: int, now: datetime) -> list[bytes]:
    """Request bodies with `events` events in all; one in a hundred is of somebody unknown."""
    numbers = iter(range(events))
    return [orjson.dumps({"batch": batch, "sentAt": now.isoformat()}) for batch in _batches(numbers, people, now)]


def _batches(numbers: Iterator[int], people: int, now: datetime) -> Iterator[list[dict[str, Any]]]:
    while batch := [_event(n, people, now) for n in islice(numbers, BATCH)]:
        yield batch


def _event(n: int, people: int, now: datetime) -> dict[str, Any]:
    known = n % 100 != 0
    return {
        "type": "track",
        "event": {0: SIGN_UP, 10: LOG_IN}.get(n % 20, VIEWED),
        "userId": f"u{n * 7919 % people + 1}" if known else f"new{n}",
        # Neither in the order of sending nor at random: as version 4 keys, but the same in every round.
        "messageId": str(UUID(int=(n + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128)),
        "timestamp": now.isoformat(),
        "properties": {
            "sku": f"sku-{n % 5000}",
            "price": n % 10_000,
            "currency": "BRL",
            "category": "shoes",
            "url": f"https://shop.example/products/{n % 5000}",
        },
        "context": {"library": {"name": "analytics-python", "version": "2.3.2"}, "locale": "pt-BR"},
    }
