"""A message as the inbox keeps it, and what is needed to read one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

import orjson

from customers import erased
from customers.accept.listing import Listed
from customers.accept.schemas import Plan
from customers.ids import NIL, hash64
from customers.keys import Writer
from customers.kinds import Kinds

# (kind, value, as given); the former name in an alias has a fourth member, True.
Identity = tuple[str, str, str] | tuple[str, str, str, bool]
_EVERYWHERE = str(NIL)
# Shorter values are a message's id or nobody's name in it; those of this length are told from chance anywhere.
_WORD = 3
_TELLING = 8
# A difference of clocks that the way through the network explains.
_TOLERATED = timedelta(seconds=10)


@dataclass(slots=True)
class Reading:
    """What every item of a request is read against."""

    writer: Writer
    plan: Plan
    kinds: Kinds
    received_at: datetime
    # When the sender's own clock says that it sent all this, if it said so.
    sent_at: datetime | None = None
    listed: Listed = field(default_factory=dict)
    # Within which an id means one message. Pages are apart from their source's servers: whoever opens one could else
    # use up the ids of what the servers are about to send.
    sender: str = field(init=False)
    namespace: str = field(init=False)
    # By how much the sender's clock is behind ours.
    behind: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self.sender = f"{self.writer.source_id}{'/page' if self.writer.is_public else ''}"
        self.namespace = str(self.writer.namespace)
        behind = timedelta(0) if self.sent_at is None else self.received_at - self.sent_at
        self.behind = behind if abs(behind) > _TOLERATED else timedelta(0)


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
    historical: bool = False
    time_source: int = 0
    assurance: int | None = None
    unplanned: bool = False


def digest(*parts: str) -> str:
    """The value of `customers.ids.hash_uuid` in hex: making the UUID takes longer than hashing."""
    return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def identifier_keys(identities: Iterable[Identity], reading: Reading) -> list[int]:
    """One key each, by which a send guard finds the message before it is resolved."""
    kinds, namespace = reading.kinds, reading.namespace
    return [hash64(_EVERYWHERE if kinds[one[0]].organisation_wide else namespace, one[0], one[1]) for one in identities]


def kept_id(told: str, identities: Iterable[Identity]) -> str:
    """A message's id as the facts keep it, which nobody can change: one that names somebody is veiled.

    Repetitions are known by the id as it was told (`MessageKey`).
    """
    return erased.veil(told) if "@" in told or _names_one(told.lower(), identities) else told


def _names_one(told: str, identities: Iterable[Identity]) -> bool:
    return any(_stands_in(told, value.lower()) for one in identities for value in (one[1], one[2]))


def _stands_in(told: str, value: str) -> bool:
    """A short value counts as a word alone, digits count whatever stands between them."""
    if told == value:
        return True
    if len(value) < _WORD:
        return False
    at = told.find(value)
    while at >= 0:
        before, after = told[at - 1 : at], told[at + len(value) : at + len(value) + 1]
        if len(value) >= _TELLING or not (before.isalnum() or after.isalnum()):
            return True
        at = told.find(value, at + 1)
    digits = "".join(filter(str.isdigit, value)) if any(map(str.isdigit, value)) else ""
    return len(digits) >= _TELLING and digits in "".join(filter(str.isdigit, told))


def dump(value: object) -> str:
    """Canonical JSON: the same content gives the same text, whatever the order of its keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
