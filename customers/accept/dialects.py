"""The dialects in which messages come in: how each is read, and how long one may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from customers.accept import cloudevents, native, segment
from customers.accept.message import Message, Reading

# What the mappings of webhooks make are items of our own dialect.
HOOK = "hook"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`list_name` is what a batch calls its list of items (nothing: the batch is the list), `id_at` the place of an
    item's id; `sent_at` names the field in which the body tells when it was sent, by the sender's own clock."""

    read: Callable[[dict[str, Any], Reading], Message]
    max_item_bytes: int
    list_name: str
    id_at: str
    sent_at: str = ""


# Rows of imported files, once they are mapped.
CSV_DOOR: Final = "csv"

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        segment.DOOR: Dialect(segment.read, 32 * 1024, "batch", "/messageId", "sentAt"),
        native.DOOR: Dialect(native.read, 64 * 1024, "events", "/id"),
        CSV_DOOR: Dialect(native.read, 64 * 1024, "events", "/id"),
        cloudevents.DOOR: Dialect(cloudevents.read, 64 * 1024, "", "/id"),
        HOOK: Dialect(native.read, 64 * 1024, "events", "/id"),
    }
)
