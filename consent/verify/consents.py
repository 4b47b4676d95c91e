"""The consent ledger: every chain, its row, its evidence, and the current consents that follow from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from consent import chain
from consent.anchors.records import Chain, Witness
from consent.verify import reading
from consent.verify.chains import Anchored, first_fault, row_fault
from consent.verify.fault import Fault, Reason
from consent.verify.reading import Held, Range
from consent.verify.witnesses import Witnesses
from customers.pg import raw_cursor


@dataclass(slots=True)
class Tally:
    """What was gone through; `unproven` entries have no evidence any more, as of the erased."""

    chains: int = 0
    entries: int = 0
    unproven: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify_consents(witnesses: Witnesses) -> Iterator[Tally]:
    """Go through the whole ledger; what was found in each of its parts."""
    with raw_cursor() as cursor:
        for within in reading.ranges(cursor):
            yield _verify(cursor, within, witnesses)


def first_broken(address_id: UUID) -> int | None:
    """The first position of one address's chain that does not hold by itself, or None when all of it does."""
    with transaction.atomic(), raw_cursor() as cursor:
        reading.lock(cursor, address_id)
        held = reading.read(cursor, Range(address_id, address_id))
    found = _chain_fault(address_id, held.get(address_id, Held()), {})
    return found.position if found else None


def _verify(cursor: Cursor[Any], within: Range, witnesses: Witnesses) -> Tally:
    tally = Tally()
    anchored = witnesses.up_to(Chain.of_address(within.last))
    held = reading.read(cursor, within)
    for address_id, one in held.items():
        tally.chains += 1
        tally.entries += len(one.entries)
        tally.unproven += one.unproven
        of_chain = anchored.pop(Chain.of_address(address_id), {})
        if _faults(address_id, one, of_chain) and (found := _confirmed(address_id, of_chain)):
            tally.faults.append(found)
    for gone, of_chain in anchored.items():
        if found := first_fault(gone, [], chain.GENESIS, of_chain):
            tally.faults.append(found)
    return tally


def _confirmed(address_id: UUID, anchored: Anchored) -> Fault | None:
    """What looked wrong may only have been half written: look again with the chain locked."""
    with transaction.atomic(), raw_cursor() as cursor:
        reading.lock(cursor, address_id)
        held = reading.read(cursor, Range(address_id, address_id))
    return _faults(address_id, held.get(address_id, Held()), anchored)


def _faults(address_id: UUID, held: Held, anchored: Anchored) -> Fault | None:
    return _chain_fault(address_id, held, anchored) or _head_fault(address_id, held)


def _chain_fault(address_id: UUID, held: Held, anchored: Mapping[int, Witness]) -> Fault | None:
    of = Chain.of_address(address_id)
    last = held.entries[-1] if held.entries else None
    return first_fault(of, held.entries, chain.GENESIS, anchored) or row_fault(of, held.row, last, len(held.entries))


def _head_fault(address_id: UUID, held: Held) -> Fault | None:
    if held.heads == held.due:
        return None
    positions = {entry.entry_id: entry.position or 0 for entry in held.entries}
    wrong = [key for key in {**held.heads, **held.due} if held.heads.get(key) != held.due.get(key)]
    ids = sorted(head.entry_id for key in wrong if (head := held.due.get(key) or held.heads.get(key)) is not None)
    entry_id = ids[0] if ids else None
    position = positions.get(entry_id, 0) if entry_id is not None else 0
    return Fault(Reason.HEAD, Chain.of_address(address_id), position, entry_id)
