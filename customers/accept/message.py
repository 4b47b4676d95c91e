"""A message as the inbox keeps it, and what is needed to read one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import orjson

from customers.accept.schemas import Plan
from customers.identifiers import ORGANISATION_WIDE
from customers.ids import NIL, hash64
from customers.keys import Writer

Identity = tuple[str, str, str]
_EVERYWHERE = str(NIL)


@dataclass(slots=True)
class Reading:
    """What every item of a request is read against."""

    writer: Writer
    plan: Plan
    received_at: datetime
    source: str = field(init=False)
    namespace: str = field(init=False)

    def __post_init__(self) -> None:
        self.source = str(self.writer.source_id)
        self.namespace = str(self.writer.namespace)


@dataclass(slots=True)
class Message:
    """Field for field what the statement in `store` asks for; not frozen only because that takes time."""

    key: str
    fingerprint: str
    message_id: str
    kind: str
    name: str
    occurred_at: datetime
    schema_version_id: int | None
    identifiers: str
    identifier_keys: list[int]
    payload: str


def digest(*parts: str) -> str:
    """The value of `customers.ids.hash_uuid` in hex: making the UUID takes longer than hashing."""
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def identifier_keys(identities: Iterable[Identity], namespace: str) -> list[int]:
    """One key each, by which a send guard finds the message before it is resolved."""
    return [
        hash64(_EVERYWHERE if kind in ORGANISATION_WIDE else namespace, kind, value)
        for kind, value, _original in identities
    ]


def dump(value: object) -> str:
    """Canonical JSON: the same content gives the same text, whatever the order of its keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
