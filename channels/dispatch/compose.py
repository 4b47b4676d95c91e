"""Composing: a claimed message becomes the words and the address a provider is given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from channels.accounts import callback_url
from channels.dispatch import extras
from channels.dispatch.claim import Claimed
from channels.liquid import Reader
from channels.providers.base import Outgoing
from channels.pulled.known import ROOT, Pulled
from channels.push.points import Keys
from channels.templates import Text, choose_text, plain, render
from channels.tracking.words import tracked
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
            for version_id, locale, subject, html, text, options in cursor:
                words = Text(locale, subject, html, text, options, version_id)
                found.setdefault(version_id, []).append(words)
        return cls(found)


def provider_key(message: Claimed) -> UUID:
    """The same for every try of one visit and address (DESIGN §5), and for nothing else."""
    parts = (message.origin_kind, message.origin_id, message.visit, message.channel, message.address_id)
    return uuid5(_KEYS, "\x1f".join(map(str, parts)))


def load_extras(
    messages: Sequence[Claimed], texts: Texts, now: datetime, until: float
) -> dict[UUID, Mapping[str, Any] | extras.Trouble]:
    """What the texts of these messages name beside what comes with them, by message; only of those that do."""
    wanting = [
        (message, text)
        for message in messages
        if message.address is not None and message.expires_at > now and (text := _text_of(message, texts))
        if extras.named_in(text)
    ]
    found = extras.load([(text, _want(message)) for message, text in wanting], now, until)
    return {message.id: values for (message, _text), values in zip(wanting, found, strict=True)}


def _text_of(message: Claimed, texts: Texts) -> Text | None:
    written = texts.by_version.get(message.template_version_id)
    return choose_text(written, message.locale, message.brand_locale) if written else None


def _want(message: Claimed) -> extras.Want:
    return extras.Want(
        brand_id=message.brand_id,
        purpose_id=message.purpose_id,
        channel=message.channel,
        profile_id=message.profile_id,
        customer_id=message.customer_id,
        address_id=message.address_id,
        locale=message.locale,
        brand_locale=message.brand_locale,
        context=_context(message, {}),
    )


def compose(
    message: Claimed,
    texts: Texts,
    address_id: UUID,
    now: datetime,
    keys: Keys | None = None,
    more: Mapping[str, Any] | None = None,
) -> Outgoing:
    """Raise TemplateError where the words cannot be made; `more` is what they name beside what comes with them."""
    ways = _ways(message, address_id)
    rendered = render(
        texts.by_version.get(message.template_version_id, []),
        message.locale,
        message.brand_locale,
        {**_context(message, ways), **(more or {})},
        Reader(now, message.locale, message.zone or message.brand_zone, message.brand_currency),
    )
    words = tracked(message, rendered)
    return Outgoing(
        key=provider_key(message),
        channel=message.channel,
        to=recipient(message.channel, message.address or "", message.address_original or ""),
        subject=rendered.subject,
        html=words.html,
        text=words.text,
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
        links=words.links,
        kept=rendered.html or rendered.text,
        keys=keys,
        pulled=pulled.kept() if isinstance(pulled := (more or {}).get(ROOT), Pulled) else None,
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
    return context_of(
        message.traits,
        message.variables,
        message.journey,
        message.brand_name,
        message.brand_postal_address,
        ways,
    )


def context_of(
    traits: Mapping[str, Any],
    variables: Mapping[str, Any],
    journey: Mapping[str, Any] | None,
    brand_name: str,
    postal_address: str,
    ways: Mapping[str, str],
) -> dict[str, Any]:
    """What a template sees: `customer`, `event`, `journey` (its typed variables; where it names none, the event),
    `brand`, and the reader's ways out."""
    said = plain(variables)
    return {
        "customer": plain(traits),
        "event": said,
        "journey": said if journey is None else plain(journey),
        "brand": {"name": brand_name, "postal_address": postal_address},
        **ways,
    }


def recipient(channel: str, value: str, original: str) -> str:
    """An e-mail's local part as the person gave it (its case may matter), all else normalised."""
    local, at, _domain = original.strip().rpartition("@")
    if channel != Channel.EMAIL or not at:
        return value
    return f"{local}@{value.rpartition('@')[2]}"
