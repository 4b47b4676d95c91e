"""Withdrawing by people themselves: at once, whoever uses the address, and once however often it is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from psycopg import Cursor

from consent.ledger import NewEntry, append
from consent.models import Confirmation, State
from consent.permission import lock_address
from customers.models import Address, AddressProfile, Profile
from customers.pg import raw_cursor

# A grant proven since frees its profile from the withdrawal, so a further request is a new withdrawal.
_WIDE_IN_FORCE = """
    SELECT 1 FROM consent_consenthead wide
    WHERE wide.address_id = %(address)s AND wide.purpose_id = %(purpose)s AND wide.profile_id IS NULL
      AND wide.state = ANY(%(opposing)s)
      AND NOT EXISTS (
          SELECT 1 FROM consent_consenthead h
          WHERE h.purpose_id = %(purpose)s AND h.proven_at > wide.effective_at
            AND (h.address_id = %(address)s OR h.address_id IN (
                SELECT p.id FROM customers_addressprofile seen
                JOIN customers_profile owner ON owner.id = seen.profile_id
                JOIN customers_profile p ON p.customer_id = owner.customer_id
                WHERE seen.address_id = %(address)s
            ))
      )
"""
# What any profile of the customer granted since outweighs it, and then it is withdrawn anew.
_OWN_IN_FORCE = """
    SELECT 1 FROM consent_consenthead own
    WHERE own.address_id = %(address)s AND own.purpose_id = %(purpose)s AND own.profile_id = %(profile)s
      AND own.state = ANY(%(opposing)s)
      AND NOT EXISTS (
          SELECT 1 FROM customers_profile me
          JOIN customers_profile p ON p.customer_id = me.customer_id
          JOIN consent_consenthead h ON h.profile_id = p.id
          WHERE me.id = %(profile)s AND h.purpose_id = %(purpose)s AND h.effective_at > own.effective_at
            AND NOT h.state = ANY(%(opposing)s)
      )
"""
# What was said a moment ago may still be taken back by whoever said it (preferences.stopping.undo), so another's word
# is kept beside it; the same word again is not.
_ANOTHERS = """
    SELECT 1 FROM consent_consenthead h JOIN consent_consententry e ON e.id = h.entry_id
    WHERE h.address_id = %(address)s AND h.purpose_id = %(purpose)s
      AND h.profile_id IS NOT DISTINCT FROM %(profile)s::uuid
      AND h.effective_at > %(recently)s AND (e.method, e.message_id) <> (%(method)s, %(message)s)
"""
UNDO: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """`profile_id` None: for whoever uses the address."""

    address_id: UUID
    brand_id: UUID
    purpose_id: UUID
    method: str
    profile_id: UUID | None = None
    message_id: str = ""
    language: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


def withdraw(asked: Sequence[Withdrawal], now: datetime, *, also_locked: Collection[UUID] = ()) -> list[int]:
    """Append those that are not in force already; return the entries made. What was asked for by a mail that waits to
    be confirmed is no longer wanted, whether or not an entry is made.

    Waits for a send that holds an address, so that none begins after the answer; also for those to addresses that a
    withdrawal of a person comes to hold for.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        for address_id in sorted({one.address_id for one in asked} | set(also_locked)):
            lock_address(address_id)
        fresh = [one for one in asked if not _in_force(cursor, one, now)]
        for one in asked:
            _overtake(one, now)
        return append([_entry(one, now) for one in fresh], now)


def lock_people(profiles: Collection[UUID]) -> None:
    """Inside a transaction: hold every address of the customers that these profiles are, and what hangs on them."""
    everybody = Profile.objects.filter(customer__profiles__in=list(profiles))
    theirs = set(AddressProfile.objects.filter(profile__in=everybody).values_list("address_id", flat=True))
    theirs |= set(Address.objects.filter(pk__in=everybody.values("pk")).values_list("pk", flat=True))
    for address_id in sorted(theirs):
        lock_address(address_id)


def _overtake(one: Withdrawal, now: datetime) -> None:
    theirs = Q(address=one.address_id)
    if one.profile_id is not None:
        theirs |= Q(profile__customer__profiles=one.profile_id)
    open_ones = Confirmation.objects.filter(theirs, purpose=one.purpose_id, outcome=Confirmation.Outcome.OPEN)
    ids = list(open_ones.values_list("pk", flat=True))
    Confirmation.objects.filter(pk__in=ids).update(outcome=Confirmation.Outcome.OVERTAKEN, answered_at=now)


def _entry(one: Withdrawal, now: datetime) -> NewEntry:
    return NewEntry(
        address_id=one.address_id,
        profile_id=one.profile_id,
        brand_id=one.brand_id,
        purpose_id=one.purpose_id,
        state=State.WITHDRAWN.value,
        method=one.method,
        occurred_at=now,
        message_id=one.message_id,
        language=one.language,
        evidence=one.evidence,
    )


def _in_force(cursor: Cursor[Any], one: Withdrawal, now: datetime) -> bool:
    values = {
        "recently": now - UNDO,
        "method": one.method,
        "message": one.message_id,
        "address": one.address_id,
        "purpose": one.purpose_id,
        "profile": one.profile_id,
        "opposing": [str(state) for state in State.opposing()],
    }
    cursor.execute(_WIDE_IN_FORCE if one.profile_id is None else _OWN_IN_FORCE, values)
    if cursor.fetchone() is None:
        return False
    return cursor.execute(_ANOTHERS, values).fetchone() is None
