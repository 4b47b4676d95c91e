"""The link to the preference centre, which every message of consent carries beside the one to unsubscribe."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from consent.tokens import seal, unseal

_SALT: Final = "consent.preferences"


@dataclass(frozen=True, slots=True)
class Link:
    """To whom a message went, as whom they were known then, and on behalf of which brand."""

    address_id: UUID
    profile_id: UUID
    brand_id: UUID
    message_id: UUID


def make_link(link: Link) -> str:
    return seal(_SALT, link.address_id, link.profile_id, link.brand_id, link.message_id)


def read_link(text: str) -> Link:
    """Raise BadToken unless it is one of ours."""
    return Link(*unseal(_SALT, text, 4))


def preferences_path(link: Link) -> str:
    return reverse("consent:preferences", args=[make_link(link)])


def preferences_url(link: Link) -> str:
    """The address that stands in a message."""
    return f"{settings.TRILHA_PUBLIC_URL.rstrip('/')}{preferences_path(link)}"
