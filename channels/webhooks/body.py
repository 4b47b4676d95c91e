"""What an endpoint is told of an event: type, timestamp and data, made anew at each attempt of what is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from customers.models import Source
from customers.personal import DOCUMENT, mask
from customers.registry import shapes

TEST: Final = "trilha.test"
# What events of our own say that names nobody: keys, ids, codes and times, each by its name.
_OPEN: Final = frozenset({
    "segment", "from", "to", "purpose", "channel", "valid_until", "entry", "journey", "step", "run", "broadcast",
    "message", "origin", "origin_id", "scope", "code", "state", "reason", "status", "connector", "provider",
    "template", "at", "sent_at", "case", "arm", "entitlement", "key", "quantity", "remaining", "expires_at",
    "by", "task", "kind", "queue", "outcome",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telling:
    """An event as it is stored; `is_masked` where values of people must not be told, and `is_telling` where its very
    segment would tell some."""

    id: int
    message_id: str
    kind: str
    name: str
    source: str
    brand: str
    profile_id: UUID
    customer_id: UUID | None
    occurred_at: datetime
    received_at: datetime
    historical: bool
    schema_version_id: int | None
    payload: dict[str, Any]
    is_masked: bool
    is_telling: bool


def body_of(event: Telling) -> bytes:
    content = shapes.newest(event.payload, event.schema_version_id)
    return _body(
        event.name,
        event.occurred_at,
        {
            # As text: readers that hold numbers as floats would round it.
            "id": str(event.id),
            "message_id": event.message_id,
            "type": event.kind,
            "source": event.source,
            "brand": event.brand,
            "profile": event.profile_id,
            "customer": event.customer_id,
            "occurred_at": event.occurred_at,
            "received_at": event.received_at,
            "historical": event.historical,
            "masked": event.is_masked,
            "content": _masked(content, event) if event.is_masked else content,
        },
    )


def test_body(endpoint: str, at: datetime) -> bytes:
    return _body(TEST, at, {"test": True, "endpoint": endpoint})


def _body(type_: str, at: datetime, data: dict[str, Any]) -> bytes:
    told = {"type": type_, "timestamp": at, "data": data}
    return orjson.dumps(told, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def _masked(content: dict[str, Any], event: Telling) -> Any:
    hidden = mask(content, DOCUMENT)
    if event.source != Source.RESERVED_KEY:
        return hidden
    said = content.get("properties") or {}
    shown = (_OPEN - {"segment"} if event.is_telling else _OPEN) & said.keys()
    return {**hidden, "properties": {**hidden.get("properties", {}), **{name: said[name] for name in shown}}}
