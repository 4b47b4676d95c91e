"""The audit trail, day by day."""

from collections.abc import Iterator
from datetime import date
from itertools import chain as one_after_another
from typing import Final

from django.db import DataError, connection

from consent.anchors.records import Chain, Ledger
from consent.verify.chains import Entry, first_fault
from consent.verify.consents import Tally
from consent.verify.fault import Fault, Reason
from consent.verify.witnesses import Witnesses
from customers import audit
from customers.models import AuditEntry

_LAST: Final = Chain(Ledger.AUDIT, b"\xff" * 16)
_READABLE: Final = "day IS NOT NULL AND isfinite(day) AND day < '10000-01-01' AND day > '0001-01-01'"
_AT_ONCE: Final = 2_000


def verify_trail(witnesses: Witnesses) -> Iterator[Tally]:
    """Go through all days; what was found in each."""
    anchored = witnesses.up_to(_LAST)
    yield Tally(faults=[Fault(Reason.ALTERED, None, 0, entry_id) for entry_id in _of_no_day()])
    for day in _days():
        of = Chain.of_day(day)
        entries = _entries(day)
        genesis = audit.last_before(entries[0].entry_id) if entries else b""
        found = first_fault(of, entries, genesis, anchored.pop(of, {}))
        yield Tally(chains=1, entries=len(entries), faults=[found] if found else [])
    gone = [first_fault(of, [], b"", entries) for of, entries in anchored.items()]
    yield Tally(faults=[found for found in gone if found])


def _days() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT day FROM customers_auditentry WHERE {_READABLE} ORDER BY day")
        return [day for (day,) in cursor.fetchall()]


def _of_no_day() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM customers_auditentry WHERE NOT coalesce({_READABLE}, false) ORDER BY id")
        return [id_ for (id_,) in cursor.fetchall()]


def _entries(day: date) -> list[Entry]:
    rows = AuditEntry.objects.filter(day=day).order_by("position", "pk")
    try:
        return [_entry(one) for one in rows.iterator(_AT_ONCE)]
    except DataError:
        return list(one_after_another.from_iterable(map(_alone, rows.values_list("pk", "position"))))


def _alone(row: tuple[int, int]) -> Iterator[Entry]:
    try:
        yield _entry(AuditEntry.objects.get(pk=row[0]))
    except DataError:
        yield Entry(row[0], row[1], None, None, None)


def _entry(entry: AuditEntry) -> Entry:
    previous, digest = _bytes(entry.previous), _bytes(entry.digest)
    return Entry(entry.pk, entry.position, previous, digest, _recomputed(entry))


def _recomputed(entry: AuditEntry) -> bytes | None:
    try:
        return audit.digest_of(entry)
    except (TypeError, ValueError, AttributeError):
        return None


def _bytes(value: object) -> bytes | None:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else None
