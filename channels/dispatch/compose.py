"""Composing: a claimed message becomes the words and the address a provider is given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from channels.accounts import callback_url
from channels.dispatch.claim import Claimed
from channels.providers.base import Outgoing
from channels.templates import Text, plain, render
from consent.models import Purpose
from consent.preferences.link import Link, preferences_url
from consent.unsubscribe import unsubscribe_url
from customers.models.address import Channel
from customers.pg import raw_cursor

_KEYS = uuid5(NAMESPACE_URL, "urn:trilha:message")


@dataclass(slots=True)
class Texts:
    """The authored texts of the template versions a batch needs, read once."""

    by_version: dict[int, list[Text]]

    @classmethod
    def load(cls, version_ids: Iterable[int]) -> "Texts":
        found: dict[int, list[Text]] = {}
        with raw_cursor() as cursor:
            cursor.execute(
                "SELECT version_id, locale, subject, html, text, options FROM channels_templatetext"
                " WHERE version_id = ANY(%s) ORDER BY version_id, locale",
                [sorted(set(version_ids))],
            )
            for version_id, *text in cursor:
                found.setdefault(version_id, []).append(Text(*text))
        return cls(found)


def provider_key(message: Claimed) -> UUID:
    """The same for every try of one visit and address (DESIGN §5), and for nothing else."""
    parts = (message.origin_kind, message.origin_id, message.visit, message.channel, message.address_id)
    return uuid5(_KEYS, "\x1f".join(map(str, parts)))


def compose(message: Claimed, texts: Texts, address_id: UUID, now: datetime) -> Outgoing:
    """Raise TemplateError where the words cannot be made."""
    ways = _ways(message, address_id)
    rendered = render(
        texts.by_version.get(message.template_version_id, []),
        message.locale,
        message.brand_locale,
        _context(message, ways),
    )
    return Outgoing(
        key=provider_key(message),
        channel=message.channel,
        to=recipient(message.channel, message.address or "", message.address_original or ""),
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        sender_name=message.sender_name or message.brand_name,
        sender_email=message.sender_email,
        list_key=f"{message.purpose_key}.{message.brand_key}",
        unsubscribe_url=ways.get("unsubscribe_url", ""),
        at=now,
        locale=rendered.locale,
        options=rendered.options,
        message_id=message.id,
        expires_at=message.expires_at,
        callback_url=f"{callback_url(message.connector_id)}?message={message.id}",
    )


def _ways(message: Claimed, address_id: UUID) -> dict[str, str]:
    """The links by which the reader changes what they get; what law demands has none."""
    if message.purpose_kind == Purpose.Kind.LEGAL:
        return {}
    return {
        "unsubscribe_url": unsubscribe_url(address_id, message.purpose_id, message.id),
        "preferences_url": preferences_url(Link(address_id, message.profile_id, message.brand_id, message.id)),
    }


def _context(message: Claimed, ways: dict[str, str]) -> dict[str, Any]:
    """What a template sees: `customer`, `event`, `journey` (its typed variables; where it names none, the event),
    `brand`, and the reader's ways out."""
    variables = plain(message.variables)
    return {
        "customer": plain(message.traits),
        "event": variables,
        "journey": variables if message.journey is None else plain(message.journey),
        "brand": {"name": message.brand_name, "postal_address": message.brand_postal_address},
        **ways,
    }


def recipient(channel: str, value: str, original: str) -> str:
    """An e-mail's local part as the person gave it (its case may matter), all else normalised."""
    local, at, _domain = original.strip().rpartition("@")
    if channel != Channel.EMAIL or not at:
        return value
    return f"{local}@{value.rpartition('@')[2]}"
