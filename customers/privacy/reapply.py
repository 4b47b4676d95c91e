"""After a restore: whoever was erased since the backup was taken is erased again, before anything is let in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from customers import erased
from customers.models import Address, AddressProfile, Identifier
from customers.pg import raw_cursor
from customers.privacy import erase
from customers.privacy.listing import Line
from customers.privacy.subject import Subject, find

_PIECE: Final = 10_000


@dataclass(slots=True)
class Done:
    """Lines of the list, people who had come back, and rows erased by store."""

    lines: int = 0
    people: int = 0
    addresses: int = 0
    counts: dict[str, int] = field(default_factory=dict)


def reapply(lines: Iterable[Line], now: datetime) -> Done:
    """Note all hashes first, then look for who goes by them and for addresses that are theirs."""
    done, identifiers, addresses = Done(), dict[bytes, datetime](), dict[bytes, datetime]()
    for line in lines:
        known = identifiers if line.kind == "identifier" else addresses
        known[line.digest] = max(line.at, known.get(line.digest, line.at))
        done.lines += 1
    with raw_cursor() as cursor:
        for digest, at in identifiers.items():
            erased.record(cursor, [digest], at)
        for digest, at in addresses.items():
            erased.record_addresses(cursor, {digest: None}, at)
    for customers, at in _people(identifiers):
        _erase(done, replace(find((), customers), at=at), now)
        done.people += 1
    for subject, at in _addresses(addresses):
        _erase(done, replace(subject, at=at), now)
        done.addresses += 1
    return done


def _erase(done: Done, subject: Subject, now: datetime) -> None:
    for key, count in erase.whole(subject, now).items():
        done.counts[key] = done.counts.get(key, 0) + count


def _people(digests: dict[bytes, datetime]) -> Iterator[tuple[Sequence[UUID], datetime]]:
    """Customers who go by an erased name since before its erasure."""
    rows = Identifier.objects.order_by("id").values_list(
        "namespace", "kind_id", "value", "opened_at", "profile__customer_id"
    )
    found: dict[UUID, datetime] = {}
    for namespace, kind, value, opened_at, customer in rows.iterator(_PIECE):
        at = digests.get(erased.digest(namespace, kind, value))
        if at is not None and opened_at <= at and customer is not None:
            found[customer] = max(at, found.get(customer, at))
    return (([customer], at) for customer, at in sorted(found.items()))


def _addresses(digests: dict[bytes, datetime]) -> Iterator[tuple[Subject, datetime]]:
    """Addresses that nobody who was erased led to."""
    rows = Address.objects.exclude(channel="person").order_by("id").values_list("id", "channel", "value", "created_at")
    for id_, channel, value, created_at in rows.iterator(_PIECE):
        at = digests.get(erased.address_digest(channel, value))
        if at is None or created_at > at or AddressProfile.objects.filter(address_id=id_).exists():
            continue
        yield Subject(addresses=(id_,), reached=((id_, channel, value),)), at
