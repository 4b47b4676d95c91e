"""Two ledgers to tamper with: chains of several entries, an audit trail of several days, and anchors of both."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from consent import chain
from consent.anchors.make import make_anchor
from consent.anchors.shelf import Shelf
from consent.chain import Link
from consent.models import ConsentChain, ConsentEntry, ConsentEvidence, ErasedEvidence, Purpose
from consent.verify.fault import Fault
from consent.verify.report import Report, verify_ledgers
from customers import audit
from customers.models import Address, AuditEntry, Brand, Profile
from tests.consent import people
from tests.consent.people import T0, hours, tell

# Anchored after the second and after the fourth entry of each chain; the fifth came later.
FIRST, SECOND, THIRD = hours(2.5), hours(4.5), hours(6)
LENGTH = 5


@dataclass
class Ledgers:
    brand: Brand
    purpose: Purpose
    profile: Profile
    victim: Address
    others: Sequence[Address]
    place: Shelf

    def entry(self, position: int, address: Address | None = None) -> ConsentEntry:
        return ConsentEntry.objects.get(address=address or self.victim, position=position)

    def verify(self, now: datetime = THIRD) -> Report:
        return verify_ledgers(self.place, now)

    def fault(self) -> Fault:
        """The first; there must be one."""
        return self.verify().faults[0]


def make_ledgers(folder: Path, *, anchored: bool = True) -> Ledgers:
    """Three chains, of which the second is the victim."""

    def anchor(position: int) -> None:
        if anchored:
            make_anchor(FIRST if position == 2 else SECOND)

    brand = people.make_brand()
    purpose, profile = people.make_purpose(brand), people.make_profile(people.make_customer())
    first, victim, last = make_chains(purpose, profile, 3, anchor)
    return Ledgers(brand, purpose, profile, victim, [first, last], Shelf(folder))


def make_chains(purpose: Purpose, profile: Profile, count: int, anchor: Callable[[int], None]) -> list[Address]:
    """Chains of five entries and a trail of two days beside them; `anchor` is called after the second and fourth."""
    addresses = [people.make_address(f"p{number}@example.com") for number in range(count)]
    for position in range(1, LENGTH + 1):
        for address in addresses:
            tell(address, profile, purpose, "given" if position % 2 else "withdrawn", hours(position))
        at = T0 + timedelta(days=position // 3, hours=position)
        audit.record(None, "change", purpose.brand, {"name": str(position)}, {"name": "y"}, now=at)
        if position in (2, 4):
            anchor(position)
    return addresses


def unguarded(*statements: tuple[str, Sequence[Any]]) -> None:
    """Change the ledgers as only a superuser can, past triggers and foreign keys."""
    with connection.cursor() as cursor:
        # Tables with checks still to be made cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        for sql, parameters in statements:
            cursor.execute(sql, parameters)
        cursor.execute("RESET session_replication_role")


def erase_evidence(entries: Iterable[ConsentEntry]) -> None:
    """As an erasure does."""
    ids = [entry.pk for entry in entries]
    ConsentEvidence.objects.filter(pk__in=ids).delete()
    ErasedEvidence.objects.bulk_create(ErasedEvidence(entry_id=pk, erased_at=THIRD) for pk in ids)


def rewrite(address: Address, since: int) -> None:
    """Recompute the hashes of a chain from a position on, and its row, so that it holds by itself."""
    entries = list(ConsentEntry.objects.filter(address=address).order_by("position"))
    previous = bytes(entries[since - 2].digest) if since > 1 else chain.GENESIS
    statements: list[tuple[str, Sequence[Any]]] = []
    for entry in entries[since - 1 :]:
        entry.previous = previous
        previous = chain.digest(link_of(entry))
        update = "UPDATE consent_consententry SET previous = %s, digest = %s WHERE id = %s"
        statements.append((update, [entry.previous, previous, entry.pk]))
    unguarded(*statements)
    ConsentChain.objects.filter(address=address).update(length=len(entries), digest=previous)


def link_of(entry: ConsentEntry) -> Link:
    values = [getattr(entry, name) for name in Link._fields]
    return Link._make(bytes(value) if isinstance(value, memoryview) else value for value in values)


def trail(position: int, day: int = 0) -> AuditEntry:
    return AuditEntry.objects.filter(day=(T0 + timedelta(days=day)).date()).get(position=position)
