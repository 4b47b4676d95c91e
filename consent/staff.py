"""What the staff do for somebody who asks by telephone or letter: withdraw, and leave in peace; with what proves it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from consent import pausing
from consent.models import Method, Purpose
from consent.withdrawing import Withdrawal, withdraw
from customers.models import AddressProfile, Brand, Customer, Profile


def withdraw_for(
    customer: Customer, purposes: Collection[Purpose], evidence: Mapping[str, str], now: datetime
) -> list[int]:
    """Withdraw these purposes for the person, at whichever address; return the entries made.

    For each profile, so that it holds too when two are found not to be one person.
    """
    profiles = _profiles(customer)
    addresses = AddressProfile.objects.filter(profile__in=profiles).values_list("address_id", flat=True)
    with transaction.atomic():
        places = [(profile, pausing.person_address(profile, now)) for profile in profiles]
        return withdraw(
            [
                Withdrawal(
                    address_id=address,
                    profile_id=profile,
                    brand_id=purpose.brand_id,
                    purpose_id=purpose.pk,
                    method=Method.STAFF.value,
                    evidence=evidence,
                )
                for profile, address in places
                for purpose in purposes
            ],
            now,
            also_locked=list(addresses),
        )


def pause_for(customer: Customer, brand: Brand, span: str, now: datetime) -> datetime:
    """Leave the person in peace by every channel; return until when."""
    until = pausing.end_of(span, brand.zone, now)
    profiles = _profiles(customer)
    addresses = AddressProfile.objects.filter(profile__in=profiles).values_list("address_id", flat=True)
    with transaction.atomic():
        people = [pausing.person_address(profile, now) for profile in profiles]
        pausing.pause(brand.pk, people, until, now, method=Method.STAFF.value, also_locked=list(addresses))
    return until


def _profiles(customer: Customer) -> list[UUID]:
    return list(Profile.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True))
