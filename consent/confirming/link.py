"""The link in the mail that confirms a request."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from consent.tokens import seal, unseal

_SALT: Final = "consent.confirm"


def make_link(confirmation_id: UUID) -> str:
    return seal(_SALT, confirmation_id)


def read_link(text: str) -> UUID:
    """Raise BadToken unless it is one of ours."""
    [confirmation_id] = unseal(_SALT, text, 1)
    return confirmation_id


def confirm_url(confirmation_id: UUID) -> str:
    path = reverse("consent:confirm", args=[make_link(confirmation_id)])
    return f"{settings.TRILHA_PUBLIC_URL.rstrip('/')}{path}"
