"""Unsubscribing by the link in a message: a signed token, and the address-wide withdrawal it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from consent import screens
from consent.models import Purpose
from consent.tokens import BadToken, seal, unseal
from consent.withdrawing import Withdrawal, withdraw
from customers.models import Address

__all__ = ["BadToken", "Token", "make_token", "masked", "read_token", "unsubscribe_url", "withdraw_by_token"]

_SALT: Final = "consent.unsubscribe"


@dataclass(frozen=True, slots=True)
class Token:
    """Whom and what a link in a message stands for; never expires, since old mail is read late."""

    address_id: UUID
    purpose_id: UUID
    message_id: UUID


def make_token(token: Token) -> str:
    return seal(_SALT, token.address_id, token.purpose_id, token.message_id)


def read_token(text: str) -> Token:
    """The token's content, if it was signed with the present key or one of those kept for rotation."""
    return Token(*unseal(_SALT, text, 3))


def unsubscribe_url(address_id: UUID, purpose_id: UUID, message_id: UUID) -> str:
    """The address that stands in the message's text and in its List-Unsubscribe header."""
    path = reverse("consent:unsubscribe", args=[make_token(Token(address_id, purpose_id, message_id))])
    return f"{settings.TRILHA_PUBLIC_URL.rstrip('/')}{path}"


def withdraw_by_token(token: str, method: str, now: datetime, evidence: Mapping[str, str] | None = None) -> Token:
    """Withdraw the purpose for the address, whoever uses it; again is the same as once.

    Waits for a send that holds the address, so that none begins after the answer.
    """
    asked = read_token(token)
    purpose = Purpose.objects.filter(pk=asked.purpose_id).first()
    # Erased meanwhile, nothing is left that could be written to.
    if purpose is not None and Address.objects.filter(pk=asked.address_id).exists():
        withdrawal = Withdrawal(
            address_id=asked.address_id,
            brand_id=purpose.brand_id,
            purpose_id=asked.purpose_id,
            method=method,
            message_id=str(asked.message_id),
            evidence=evidence or {},
        )
        withdraw([withdrawal], now)
    return asked


def masked(address: Address) -> str:
    """Enough of an address for its owner to know it: a•••@e•••.com."""
    if address.channel in screens.CHANNELS:
        # Its value is a number of ours, which its owner has never seen.
        return gettext("our pages and apps")
    local, at, domain = address.value.rpartition("@")
    if not at:
        return f"•••{address.value[-2:]}"
    ending = domain[domain.rindex(".") :] if "." in domain else ""
    return f"{local[:1]}•••@{domain[:1]}•••{ending}"
