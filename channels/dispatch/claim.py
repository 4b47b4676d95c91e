"""Claiming: a batch of due messages becomes one worker's for the length of a lease."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from channels.pacing.order import by_priority
from channels.stops import STANDING
from consent.permission import prepare_locks
from customers.pg import raw_cursor

# How long a message rests that may not go out now: stopped, or its connector is off.
REST: Final = timedelta(seconds=60)


@dataclass(slots=True)
class Claimed:
    """A leased message with all it takes to write and address it."""

    id: UUID
    token: int
    brand_id: UUID
    connector_id: UUID
    scope_id: UUID
    origin_kind: str
    origin_id: str
    visit: int
    copy_key: str
    channel: str
    template_version_id: int
    purpose_id: UUID
    profile_id: UUID
    address_id: UUID | None
    expires_at: datetime
    attempts: int
    crashes: int
    address: str | None
    address_original: str | None
    traits: dict[str, Any]
    locale: str
    variables: dict[str, Any]
    # Typed ones of its journey; None where its words name none.
    journey: dict[str, Any] | None
    brand_key: str
    brand_name: str
    brand_locale: str
    brand_postal_address: str
    sender_name: str
    sender_email: str
    purpose_key: str
    purpose_kind: str
    customer_id: UUID | None
    priority: int
    # Its address still has its copy: the provider may have taken it in an earlier call.
    may_be_taken: bool

    def scopes(self) -> list[UUID]:
        """What a stop of this message may name."""
        return [self.scope_id, self.connector_id, self.brand_id]


@dataclass(frozen=True, slots=True)
class PutOff:
    """Why nothing of a connector may go out now, and until when it is not looked at again."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """`looked_at` counts those too that were expired or put to rest instead of leased."""

    messages: list[Claimed]
    looked_at: int


# By a message's row `m`: its address still has its copy, so that the provider may have taken it in an earlier call.
MAY_BE_TAKEN: Final = """
    EXISTS (
        SELECT 1 FROM channels_recentsend r
        WHERE r.address_id = m.address_id AND r.copy_key = m.copy_key AND r.message_id = m.id
    )
"""
# A message whose worker died before (`crashes`) is claimed apart, so that it can only take itself down.
_CLAIM = f"""
    WITH picked AS MATERIALIZED (
        SELECT m.id,
               CASE WHEN m.expires_at <= %(now)s AND {MAY_BE_TAKEN} THEN 'unknown'
                    WHEN m.expires_at <= %(now)s THEN 'expired'
                    WHEN %(off)s::text <> '' THEN 'off'
                    WHEN {STANDING.format(scopes="ARRAY[m.scope_id, m.connector_id, m.brand_id]")}
                    THEN 'stopped'
                    ELSE 'leased' END AS fate, m.due_at
        FROM channels_message m
        WHERE m.connector_id = %(connector)s AND m.state IN ('queued', 'held') AND m.due_at <= %(now)s
          AND (m.crashes > 0) = %(suspects)s
        ORDER BY m.due_at LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
    )
    UPDATE channels_message m SET
        state = CASE p.fate WHEN 'off' THEN 'held' WHEN 'stopped' THEN 'held' ELSE p.fate END,
        reason = CASE p.fate WHEN 'expired' THEN 'late' WHEN 'unknown' THEN 'interrupted' WHEN 'off' THEN %(off)s
                             WHEN 'stopped' THEN 'stopped' ELSE '' END,
        settled_at = CASE WHEN p.fate IN ('expired', 'unknown') THEN %(now)s END,
        -- A little apart, so that they come back in the order in which they were due.
        due_at = CASE p.fate WHEN 'off' THEN least(%(off_until)s + (p.place - 1) * interval '1 us', m.expires_at)
                             WHEN 'stopped' THEN least(%(rested)s, m.expires_at)
                             ELSE m.due_at END,
        lease_token = CASE WHEN p.fate = 'leased' THEN %(token)s END,
        leased_until = CASE WHEN p.fate = 'leased' THEN %(until)s END
    FROM (SELECT *, row_number() OVER (ORDER BY due_at) AS place FROM picked) p WHERE m.id = p.id
    RETURNING m.id, m.state
"""

_LOAD = f"""
    SELECT m.id, m.lease_token, m.brand_id, m.connector_id, m.scope_id, m.origin_kind, m.origin_id, m.visit,
           m.copy_key, m.channel, m.template_version_id, m.purpose_id, m.profile_id, m.address_id,
           m.expires_at, m.attempts, m.crashes, a.value, a.original,
           coalesce(c.traits, '{{}}'),
           -- The language of the page on which it was asked for, else the one they chose, else the one they speak.
           coalesce(nullif(CASE WHEN m.origin_kind = 'consent' THEN t.context ->> 'language' END, ''),
                    nullif(f.language, ''), c.locale, ''),
           coalesce(t.context, '{{}}'), t.journey,
           b.key, b.name, b.locale, b.postal_address, b.sender_name, b.sender_email, u.key, u.kind,
           p.customer_id, m.priority,
           {MAY_BE_TAKEN}
    FROM channels_message m
    JOIN customers_brand b ON b.id = m.brand_id
    JOIN consent_purpose u ON u.id = m.purpose_id
    LEFT JOIN channels_messagecontent t ON t.message_id = m.id
    LEFT JOIN customers_address a ON a.id = m.address_id
    LEFT JOIN consent_preference f ON f.address_id = m.address_id AND f.brand_id = m.brand_id
    LEFT JOIN customers_profile p ON p.id = m.profile_id
    LEFT JOIN customers_customer c ON c.id = p.customer_id
    WHERE m.id = ANY(%s) AND m.state = 'leased' AND m.lease_token = %s
    ORDER BY m.due_at, m.id
"""


def claim(connector_id: UUID, now: datetime, limit: int, *, suspects: bool = False, off: PutOff | None = None) -> Batch:
    """Lease up to `limit` due messages; what is late expires, what is stopped or put `off` rests."""
    token = secrets.randbits(62)
    values = {
        "connector": connector_id,
        "now": now,
        "limit": limit,
        "suspects": suspects,
        "off": off.reason if off else "",
        "off_until": off.until if off else now,
        "rested": now + REST,
        "token": token,
        "until": now + timedelta(seconds=settings.LEASE_SECONDS),
    }
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(_CLAIM, values)
        fates = cursor.fetchall()
        leased = [row[0] for row in fates if row[1] == "leased"]
        messages = _load(leased, token) if leased else []
    prepare_locks([message.address_id for message in messages if message.address_id and message.address])
    return Batch(by_priority(messages), len(fates))


def _load(ids: Sequence[UUID], token: int) -> list[Claimed]:
    with raw_cursor() as cursor:
        cursor.execute(_LOAD, [list(ids), token])
        return [Claimed(*row) for row in cursor]


def give_back(messages: Sequence[Claimed], due_at: datetime) -> None:
    """Queue what was leased and not begun."""
    if not messages:
        return
    with raw_cursor() as cursor:
        cursor.execute(
            "UPDATE channels_message SET state = 'queued', due_at = least(%s, expires_at),"
            " lease_token = NULL, leased_until = NULL"
            " WHERE id = ANY(%s) AND state = 'leased' AND lease_token = %s",
            [due_at, [message.id for message in messages], messages[0].token],
        )
