"""What an anchor keeps of an entry and of a chain, in bytes that sort as chains and positions do."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple
from uuid import UUID


class Ledger(IntEnum):
    """Consent has a chain per address, the audit trail one per day; a published notice version is a chain of one."""

    CONSENT = 1
    AUDIT = 2
    NOTICE = 3


class Chain(NamedTuple):
    """`key` names it among those of its ledger: the address's id, the number of the day, or the version's."""

    ledger: Ledger
    key: bytes

    @classmethod
    def of_address(cls, address_id: UUID) -> "Chain":
        return cls(Ledger.CONSENT, address_id.bytes)

    @classmethod
    def of_day(cls, day: date) -> "Chain":
        return cls(Ledger.AUDIT, day.toordinal().to_bytes(16, "big"))

    @classmethod
    def of_notice(cls, version_id: int) -> "Chain":
        return cls(Ledger.NOTICE, version_id.to_bytes(16, "big"))

    def __str__(self) -> str:
        if self.ledger is Ledger.CONSENT:
            return str(UUID(bytes=self.key))
        number = int.from_bytes(self.key, "big")
        return str(number) if self.ledger is Ledger.NOTICE else date.fromordinal(number).isoformat()


class Witness(NamedTuple):
    """One entry as it was anchored."""

    ledger: int
    key: bytes
    position: int
    entry_id: int
    digest: bytes

    @property
    def chain(self) -> Chain:
        return Chain(Ledger(self.ledger), self.key)


class Head(NamedTuple):
    """The end of a chain as it was anchored: a leaf of the tree."""

    ledger: int
    key: bytes
    length: int
    digest: bytes

    @property
    def chain(self) -> Chain:
        return Chain(Ledger(self.ledger), self.key)


_WITNESS: Final = Struct(">B16sIq32s")
_HEAD: Final = Struct(">B16sI32s")
WITNESS_BYTES: Final = _WITNESS.size
HEAD_BYTES: Final = _HEAD.size

pack_witness = _WITNESS.pack
pack_head = _HEAD.pack


def unpack_witness(record: bytes) -> Witness:
    return Witness._make(_WITNESS.unpack(record))


def unpack_head(record: bytes) -> Head:
    return Head._make(_HEAD.unpack(record))


def heads_of(witnesses: Iterable[Witness]) -> Iterator[Head]:
    """The ends of the chains that these entries make up, which come in order."""
    last: Witness | None = None
    for one in witnesses:
        if last is not None and last[:2] != one[:2]:
            yield _end(last)
        last = one
    if last is not None:
        yield _end(last)


def _end(last: Witness) -> Head:
    return Head(last.ledger, last.key, last.position, last.digest)
