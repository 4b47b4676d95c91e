"""What stands in the ledger for a customer now: every consent in force, with its proof, and what may be sent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consent.models import ConsentEntry, ConsentHead
from consent.permission import Ask, Verdict, permissions
from customers.models import Address, AddressProfile, Profile


@dataclass(frozen=True, slots=True)
class Standing:
    """A consent in force, the ledger entry that proves it, and the verdict for the customer, address and purpose."""

    head: ConsentHead
    address: Address
    entry: ConsentEntry
    verdict: Verdict


def standings(customer_id: UUID, brand_id: UUID, now: datetime) -> list[Standing]:
    """For every address of the customer's and every purpose of the brand that somebody spoke of."""
    profiles = list(Profile.objects.filter(customer_id=customer_id).values_list("id", flat=True))
    addresses = set(AddressProfile.objects.filter(profile__in=profiles).values_list("address_id", flat=True))
    heads = _heads(profiles, addresses, brand_id)
    entries = ConsentEntry.objects.select_related(
        "purpose", "source", "notice_version__notice", "address", "evidence"
    ).in_bulk([head.entry_id for head in heads])
    verdicts = permissions([Ask(customer_id, head.address_id, head.purpose_id) for head in heads], now)
    return [
        Standing(head, entries[head.entry_id].address, entries[head.entry_id], verdict)
        for head, verdict in zip(heads, verdicts, strict=True)
    ]


def _heads(profiles: list[UUID], addresses: set[UUID], brand_id: UUID) -> list[ConsentHead]:
    """Those of the profiles, wherever they hang, and those that bind the addresses whoever uses them."""
    own = ConsentHead.objects.filter(profile_id__in=profiles, purpose__brand_id=brand_id)
    wide = ConsentHead.objects.filter(address_id__in=addresses, profile__isnull=True, purpose__brand_id=brand_id)
    return sorted([*own, *wide], key=lambda head: head.entry_id)
