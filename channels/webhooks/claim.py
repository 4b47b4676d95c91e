"""Claiming: due deliveries of one endpoint become this worker's for the length of a lease, with what they tell.

A lease that ran out is a dead worker's: nobody knows whether its call arrived, so it is made again under the same id.
Nobody knows either which of all that the worker held it died over, if over any: each of them is claimed by itself, and
its count goes up while it is being begun and down again once its call is in hand. So only what kills whoever begins it
is given up.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from channels.webhooks.body import Telling
from channels.webhooks.queue import GOOD, good
from customers.partner import PERSONAL
from customers.pg import raw_cursor

_OPEN: Final = f"""
    w.is_active AND (w.rests_until IS NULL OR w.rests_until <= %b) AND (w.token_id IS NULL OR EXISTS (
        SELECT 1 FROM customers_partnertoken k JOIN customers_partnertoken_sources o ON o.partnertoken_id = k.id
        JOIN customers_source a ON a.id = o.source_id AND a.is_active WHERE k.id = w.token_id AND {GOOD}
    ))
"""
_DUE: Final = f"""
    SELECT w.id, w.concurrency, w.failing_since IS NOT NULL, w.brand_id, w.token_id
    FROM channels_webhookendpoint w WHERE {_OPEN} AND EXISTS (
        SELECT 1 FROM channels_webhookdelivery d
        WHERE d.endpoint_id = w.id AND d.state IN ('waiting', 'sending') AND d.due_at <= %b
    )
"""
_ENDPOINT: Final = f"SELECT w.name, w.url, w.secrets FROM channels_webhookendpoint w WHERE w.id = %b AND {_OPEN}"
_CLAIM: Final = """
    WITH picked AS MATERIALIZED (
        SELECT d.id, d.due_at, d.state = 'sending' OR d.crashes > 0 AS is_suspect FROM channels_webhookdelivery d
        WHERE d.endpoint_id = %b AND d.state IN ('waiting', 'sending') AND d.due_at <= %b
          AND EXISTS (SELECT 1 FROM channels_webhookendpoint w WHERE w.id = d.endpoint_id AND w.is_active)
        ORDER BY d.due_at, d.id LIMIT %b FOR UPDATE SKIP LOCKED
    ), first AS (
        SELECT id, is_suspect FROM picked ORDER BY due_at, id LIMIT 1
    ), ours AS (
        SELECT p.id, p.is_suspect FROM picked p, first f
        WHERE CASE WHEN f.is_suspect THEN p.id = f.id ELSE NOT p.is_suspect END
    )
    UPDATE channels_webhookdelivery d SET crashes = d.crashes + ours.is_suspect::int, state = 'sending',
        lease_token = %b, due_at = %b
    FROM ours WHERE d.id = ours.id
    RETURNING d.id, (SELECT count(*) FROM picked)
"""
# Whose processing is restricted, or whom a segment tells of by its rule, is not spoken of in full.
_LOAD: Final = f"""
    SELECT d.id, d.tries, d.attempts, d.crashes, d.queued_at, d.event_id IS NULL, e.id, e.message_id, e.kind, e.name,
        s.key, b.key, e.profile_id, p.customer_id, e.occurred_at, e.received_at, e.historical, e.schema_version_id,
        c.payload, NOT w.tells_personal OR (w.token_id IS NOT NULL AND NOT '{PERSONAL}' = ANY(k.scopes)) OR EXISTS (
            SELECT 1 FROM customers_profile q JOIN consent_restriction r ON r.profile_id = q.id
            WHERE q.customer_id = p.customer_id AND r.lifted_at IS NULL
        ),
        e.name LIKE 'segment.%%' AND EXISTS (
            SELECT 1 FROM customers_segment g
            WHERE g.brand_id = e.brand_id AND g.key = c.payload #>> '{{properties,segment}}' AND g.is_personal
        )
    FROM channels_webhookdelivery d JOIN channels_webhookendpoint w ON w.id = d.endpoint_id
    LEFT JOIN customers_partnertoken k ON k.id = w.token_id
    LEFT JOIN customers_event e ON e.id = d.event_id AND e.received_at = d.received_at
    LEFT JOIN customers_eventpayload c ON c.event_id = e.id AND c.received_at = e.received_at
    LEFT JOIN customers_source s ON s.id = e.source_id LEFT JOIN customers_brand b ON b.id = e.brand_id
    LEFT JOIN customers_profile p ON p.id = e.profile_id
    WHERE d.id = ANY(%b) AND d.state = 'sending' AND d.lease_token = %b ORDER BY d.received_at, d.id
"""
_BACK: Final = """
    UPDATE channels_webhookdelivery SET state = 'waiting', lease_token = NULL, due_at = %b,
        crashes = greatest(crashes - 1, 0)
    WHERE id = ANY(%b) AND state = 'sending' AND lease_token = %b
"""
_BEGUN: Final = """
    UPDATE channels_webhookdelivery SET crashes = 0 WHERE id = %b AND state = 'sending' AND lease_token = %b
"""


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint as it is called."""

    id: UUID
    name: str
    url: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in hand. `telling` is None of a test, and of an event of which nothing is left to tell; `crashes` are
    the workers that died while they began it, with ourselves."""

    id: UUID
    token: int
    tries: int
    attempts: int
    crashes: int
    queued_at: datetime
    is_test: bool
    telling: Telling | None


@dataclass(frozen=True, slots=True)
class Due:
    """An endpoint that has something to hear and may be called; of one that fails, one call at a time is enough."""

    id: UUID
    concurrency: int
    is_failing: bool
    brand_id: UUID
    token_id: UUID | None

    @property
    def group(self) -> UUID:
        """Whose threads it uses: those of the partner that made it, or of its brand's own."""
        return self.token_id or self.brand_id

    @property
    def at_once(self) -> int:
        return 1 if self.is_failing else self.concurrency


def due_endpoints(now: datetime) -> list[Due]:
    with raw_cursor() as cursor:
        rows = cursor.execute(_DUE, [now, *good(now), now], prepare=True).fetchall()
    return [Due(*row) for row in rows]


def target(endpoint_id: UUID, now: datetime) -> Target | None:
    """None if it may not be called any more."""
    with raw_cursor() as cursor:
        row = cursor.execute(_ENDPOINT, [endpoint_id, now, *good(now)], prepare=True).fetchone()
    return None if row is None else Target(endpoint_id, row[0], row[1], bytes(row[2]))


def claim(endpoint_id: UUID, now: datetime, most: int) -> tuple[int, list[UUID], bool]:
    """Lease up to so many; the lease's token, their ids, and whether no more is due."""
    token = secrets.randbits(62)
    # However short leases are, none ends before a call that was begun within half of it.
    until = now + timedelta(seconds=settings.LEASE_SECONDS + settings.WEBHOOK_DEADLINE_SECONDS)
    with transaction.atomic(), raw_cursor() as cursor:
        rows = cursor.execute(_CLAIM, [endpoint_id, now, most, token, until], prepare=True).fetchall()
    is_all = not rows or (rows[0][1] < most and len(rows) == rows[0][1])
    return token, [row[0] for row in rows], is_all


def load(ids: Collection[UUID], token: int) -> list[Claimed]:
    with raw_cursor() as cursor:
        rows = cursor.execute(_LOAD, [list(ids), token], prepare=True).fetchall()
    return [_claimed(row, token) for row in rows]


def _claimed(row: tuple[Any, ...], token: int) -> Claimed:
    id_, tries, attempts, crashes, queued_at, is_test, *event = row
    has_all = event[0] is not None and event[12] is not None
    return Claimed(id_, token, tries, attempts, crashes, queued_at, is_test, Telling(*event) if has_all else None)


def give_back(ids: Collection[UUID], token: int, due_at: datetime) -> None:
    """Those that were leased and are not called now: they come again then."""
    with raw_cursor() as cursor:
        cursor.execute(_BACK, [due_at, list(ids), token])


def begun(claimed: Claimed) -> None:
    """Its call is in hand: whatever becomes of this worker from now on, it is not for this delivery's sake."""
    with raw_cursor() as cursor:
        cursor.execute(_BEGUN, [claimed.id, claimed.token])
