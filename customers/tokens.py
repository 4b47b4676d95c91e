"""Partner tokens: issued once in the clear, kept as a digest, looked up and counted on every call."""

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from customers import calls
from customers.calls import Count
from customers.keys import Writer, writer_of
from customers.models import PartnerToken, Scope, Source
from customers.partner import Partner

# Every token begins so: secret scanners and people know one when they see it.
MARK = "trilha_"
_PREFIX_LENGTH = 18
_FIND = """
    SELECT t.id, t.brand_id, t.prefix, t.scopes, t.per_minute, s.keys
    FROM customers_partnertoken t, LATERAL (
        SELECT json_object_agg(s.key, s.id) AS keys FROM customers_partnertoken_sources b
        JOIN customers_source s ON s.id = b.source_id AND s.is_active WHERE b.partnertoken_id = t.id
    ) s
    WHERE t.digest = %s AND t.revoked_at IS NULL AND t.expires_at > %s AND t.mode = %s AND s.keys IS NOT NULL
"""


_followers: list[Callable[[UUID, UUID], None]] = []


def follow(follower: Callable[[UUID, UUID], None]) -> None:
    """Have `follower(old, new)` called when a token is replaced, in the same transaction: what was made by the one is
    the other's from then on."""
    if follower not in _followers:
        _followers.append(follower)


class NotIssued(ValueError):
    """What was asked for cannot be a token: no scope, no source, or one of another brand."""


def issue(
    *,
    brand_id: UUID,
    sources: Collection[Source],
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    now: datetime,
    mode: str = "live",
    per_minute: int = 600,
) -> tuple[PartnerToken, str]:
    """A new token of 256 random bits; the text is not kept and cannot be shown again."""
    wanted = sorted(set(scopes))
    if not wanted or not sources or expires_at <= now:
        raise NotIssued("A token needs scopes, sources and an end that is still to come.")
    if any(source.brand_id != brand_id or source.key == Source.RESERVED_KEY for source in sources):
        raise NotIssued("A token's sources are its brand's own.")
    token = PartnerToken(
        brand_id=brand_id,
        name=name,
        mode=mode,
        scopes=wanted,
        per_minute=per_minute,
        created_at=now,
        expires_at=expires_at,
    )
    return token, _save(token, sources)


@transaction.atomic
def rotate(token: PartnerToken, overlap: timedelta, now: datetime) -> tuple[PartnerToken, str]:
    """A successor that may and lives as long as the token did; both are good until the overlap has passed."""
    old = PartnerToken.objects.select_for_update().get(pk=token.pk)
    if old.revoked_at is not None or old.expires_at <= now or PartnerToken.objects.filter(replaces=old).exists():
        raise NotIssued("A token that has ended, or has a successor, is not rotated.")
    successor = PartnerToken(
        brand_id=old.brand_id,
        name=old.name,
        mode=old.mode,
        scopes=old.scopes,
        per_minute=old.per_minute,
        created_at=now,
        expires_at=now + (old.expires_at - old.created_at),
        replaces=old,
    )
    plaintext = _save(successor, old.sources.all())
    old.expires_at = min(old.expires_at, now + overlap)
    old.save(update_fields=["expires_at"])
    for follower in _followers:
        follower(old.pk, successor.pk)
    return successor, plaintext


def revoke(token: PartnerToken, now: datetime) -> None:
    """End the token at once, in every process: nobody believes what he read of it before."""
    PartnerToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)


def find(plaintext: str, now: datetime) -> Partner | None:
    """Who calls with this token, if it is one of this environment, neither ended nor without an active source."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [_digest(plaintext), now, str(settings.WRITE_KEY_MODE)])
        row = cursor.fetchone()
    return _partner(*row) if row else None


def writer(partner: Partner, key: str) -> Writer | None:
    """The partner as a writer for its source of this key; other sources are as good as none."""
    found = writer_of(partner.sources[key]) if key in partner.sources else None
    return found and replace(found, may_assure=Scope.IDENTITY_ASSURE.value in partner.scopes)


def count(partner: Partner, now: datetime) -> Count:
    """Count one call; of any number at once exactly as many pass as the token has left."""
    return calls.count("customers_partnertoken", partner.token_id, now, also="last_used_at = %(now)s,")


@transaction.atomic
def _save(token: PartnerToken, sources: Iterable[Source]) -> str:
    plaintext = f"{MARK}{token.mode}_{secrets.token_urlsafe(32)}"
    token.prefix, token.digest = plaintext[:_PREFIX_LENGTH], _digest(plaintext)
    token.save(force_insert=True)
    token.sources.set(sources)
    return plaintext


def _partner(token_id: UUID, brand_id: UUID, prefix: str, scopes: list[str], per_minute: int, keys: Any) -> Partner:
    sources = {key: UUID(id_) for key, id_ in keys.items()}
    return Partner(token_id, brand_id, prefix, frozenset(scopes), per_minute, sources)


def _digest(plaintext: str) -> bytes:
    return sha256(plaintext.encode(errors="replace")).digest()
