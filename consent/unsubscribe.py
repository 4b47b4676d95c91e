"""Unsubscribing by the link in a message: a signed token, and the address-wide withdrawal it stands for."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from psycopg import Cursor

from consent.ledger import NewEntry, append
from consent.models import State
from consent.permission import lock_address
from customers.models import Address
from customers.pg import raw_cursor

_SALT = "consent.unsubscribe"


class BadToken(Exception):
    """The token was not made by us, or not as it stands."""


@dataclass(frozen=True, slots=True)
class Token:
    """Whom and what a link in a message stands for; never expires, since old mail is read late."""

    address_id: UUID
    purpose_id: UUID
    message_id: UUID


def make_token(token: Token) -> str:
    packed = token.address_id.bytes + token.purpose_id.bytes + token.message_id.bytes
    return _signer().sign(urlsafe_b64encode(packed).decode())


def read_token(text: str) -> Token:
    """The token's content, if it was signed with the present key or one of those kept for rotation."""
    try:
        packed = urlsafe_b64decode(_signer().unsign(text))
    except signing.BadSignature:
        raise BadToken from None
    return Token(UUID(bytes=packed[:16]), UUID(bytes=packed[16:32]), UUID(bytes=packed[32:]))


def _signer() -> signing.Signer:
    return signing.Signer(sep=".", salt=_SALT)


def unsubscribe_url(address_id: UUID, purpose_id: UUID, message_id: UUID) -> str:
    """The address that stands in the message's text and in its List-Unsubscribe header."""
    path = reverse("consent:unsubscribe", args=[make_token(Token(address_id, purpose_id, message_id))])
    return f"{settings.TRILHA_PUBLIC_URL.rstrip('/')}{path}"


def withdraw_by_token(token: str, method: str, now: datetime, evidence: Mapping[str, str] | None = None) -> Token:
    """Withdraw the purpose for the address, whoever uses it; again is the same as once.

    Waits for a send that holds the address, so that none begins after the answer.
    """
    asked = read_token(token)
    with transaction.atomic(), raw_cursor() as cursor:
        brand_id = _brand(cursor, asked)
        if brand_id is None:
            # Erased meanwhile: nothing is left that could be written to.
            return asked
        lock_address(asked.address_id)
        if _in_force(cursor, asked):
            return asked
        entry = NewEntry(
            address_id=asked.address_id,
            profile_id=None,
            brand_id=brand_id,
            purpose_id=asked.purpose_id,
            state=State.WITHDRAWN.value,
            method=method,
            occurred_at=now,
            message_id=str(asked.message_id),
            evidence=evidence or {},
        )
        append([entry], now)
    return asked


def _brand(cursor: Cursor[Any], asked: Token) -> UUID | None:
    cursor.execute(
        "SELECT p.brand_id FROM consent_purpose p, customers_address a WHERE p.id = %b AND a.id = %b",
        [asked.purpose_id, asked.address_id],
    )
    row = cursor.fetchone()
    return row[0] if row else None


# A grant proven since frees its profile from the withdrawal, so a further request is a new withdrawal.
_IN_FORCE = """
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


def _in_force(cursor: Cursor[Any], asked: Token) -> bool:
    cursor.execute(
        _IN_FORCE,
        {
            "address": asked.address_id,
            "purpose": asked.purpose_id,
            "opposing": [str(state) for state in State.opposing()],
        },
    )
    return cursor.fetchone() is not None


def masked(address: Address) -> str:
    """Enough of an address for its owner to know it: a•••@e•••.com."""
    local, at, domain = address.value.rpartition("@")
    if not at:
        return f"•••{address.value[-2:]}"
    ending = domain[domain.rindex(".") :] if "." in domain else ""
    return f"{local[:1]}•••@{domain[:1]}•••{ending}"
