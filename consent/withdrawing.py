"""Withdrawing by people themselves: at once, whoever uses the address, and once however often it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from consent.ledger import NewEntry, append
from consent.models import State
from consent.permission import lock_address
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
_OWN_IN_FORCE = """
    SELECT 1 FROM consent_consenthead
    WHERE address_id = %(address)s AND purpose_id = %(purpose)s AND profile_id = %(profile)s
      AND state = ANY(%(opposing)s)
"""


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


def withdraw(asked: Sequence[Withdrawal], now: datetime) -> list[int]:
    """Append those that are not in force already; return the entries made.

    Waits for a send that holds an address, so that none begins after the answer.
    """
    with transaction.atomic(), raw_cursor() as cursor:
        for address_id in sorted({one.address_id for one in asked}):
            lock_address(address_id)
        fresh = [one for one in asked if not _in_force(cursor, one)]
        return append([_entry(one, now) for one in fresh], now)


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


def _in_force(cursor: Cursor[Any], one: Withdrawal) -> bool:
    values = {
        "address": one.address_id,
        "purpose": one.purpose_id,
        "profile": one.profile_id,
        "opposing": [str(state) for state in State.opposing()],
    }
    cursor.execute(_WIDE_IN_FORCE if one.profile_id is None else _OWN_IN_FORCE, values)
    return cursor.fetchone() is not None
