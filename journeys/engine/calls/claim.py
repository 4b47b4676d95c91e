"""Claiming: due calls of one connector become this worker's for the length of a lease, each with a slot.

A lease that ran out is a dead worker's: nobody knows whether its call arrived, and it is made again by the same key.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from channels.stops import STANDING
from customers.pg import raw_cursor
from journeys.request import LONGEST_CALL
from journeys.retry import Tried

REST: Final = timedelta(seconds=60)

_DUE: Final = """
    SELECT c.id, c.concurrency FROM channels_connector c WHERE c.channel = 'webhook' AND EXISTS (
        SELECT 1 FROM journeys_call l
        WHERE l.connector_id = c.id AND l.state IN ('waiting', 'calling') AND l.due_at <= %b
    )
"""
_CLAIM: Final = """
    WITH picked AS MATERIALIZED (
        SELECT c.id FROM journeys_call c
        WHERE c.connector_id = %b AND c.state IN ('waiting', 'calling') AND c.due_at <= %b
        ORDER BY c.due_at, c.id LIMIT %b FOR UPDATE SKIP LOCKED
    )
    UPDATE journeys_call c SET crashes = c.crashes + (c.state = 'calling')::int, state = 'calling', lease_token = %b,
        due_at = %b
    FROM picked WHERE c.id = picked.id
    RETURNING c.id, c.journey_id
"""
# A run is there as long as it stands where the call was noted, and has not come there anew since.
HERE: Final = """
    r.status = 1 AND r.step = c.step AND r.version_id = c.version_id
    AND NOT EXISTS (SELECT 1 FROM journeys_call later WHERE later.run_id = c.run_id AND later.visit > c.visit)
"""
_LOAD: Final = f"""
    SELECT c.id, c.run_id, c.visit, c.journey_id, c.version_id, c.step, c.profile_id, c.created_at, c.crashes,
        p.customer_id, c.tries,
        t.target, t.headers, t.body, t.call_id IS NOT NULL AND coalesce({HERE}, false),
        coalesce(coalesce(r.waits_until, r.due_at) <= %b, false),
        {STANDING.format(scopes="ARRAY[c.journey_id, c.connector_id, j.brand_id]")}
        OR EXISTS (SELECT 1 FROM journeys_halt h WHERE h.journey_id = c.journey_id AND h.settled_at IS NULL)
    FROM journeys_call c JOIN journeys_journey j ON j.id = c.journey_id
    LEFT JOIN customers_profile p ON p.id = c.profile_id
    LEFT JOIN journeys_run r ON r.id = c.run_id LEFT JOIN journeys_callcontent t ON t.call_id = c.id
    WHERE c.id = ANY(%b) AND c.state = 'calling' AND c.lease_token = %b ORDER BY c.id
"""
_BACK: Final = """
    UPDATE journeys_call SET state = 'waiting', lease_token = NULL, due_at = %b
    WHERE id = ANY(%b) AND state = 'calling' AND lease_token = %b
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    id: int
    token: int
    run_id: int
    visit: int
    journey_id: UUID
    version_id: int
    step: int
    profile_id: UUID
    noted_at: datetime
    crashes: int
    customer_id: UUID | None
    tried: tuple[Tried, ...]
    told: list[dict[str, Any]]
    # None where no request could be made of what was known.
    target: str | None
    headers: dict[str, str]
    body: str
    is_here: bool
    is_late: bool
    # Or its journey is paused, or runs are just being brought back, whose times are not yet what they will be.
    is_stopped: bool


def due_connectors(now: datetime) -> list[tuple[UUID, int]]:
    """(id, calls at once) of those that have something to do."""
    with raw_cursor() as cursor:
        return list(cursor.execute(_DUE, [now], prepare=True).fetchall())


def claim(connector_id: UUID, now: datetime, most: int) -> tuple[int, dict[int, UUID]]:
    """Lease up to so many; the lease's token, and the journey of each."""
    token = secrets.randbits(62)
    # However short leases are, none ends before a call that was begun within half of it.
    until = now + timedelta(seconds=settings.LEASE_SECONDS) + LONGEST_CALL
    with transaction.atomic(), raw_cursor() as cursor:
        rows = cursor.execute(_CLAIM, [connector_id, now, most, token, until]).fetchall()
    return token, dict(rows)


def load(ids: Collection[int], token: int, now: datetime) -> list[Claimed]:
    """The leased calls with how things stand with them now: read once nothing can be stopped unseen any more."""
    with raw_cursor() as cursor:
        rows = cursor.execute(_LOAD, [now, list(ids), token]).fetchall()
    return [Claimed(*(row[0], token, *row[1:10], tried_of(row[10]), *row[10:])) for row in rows]


def tried_of(told: Sequence[dict[str, Any]]) -> tuple[Tried, ...]:
    return tuple(
        Tried(one["error"], None if one.get("asked") is None else timedelta(seconds=one["asked"]), one.get("times", 1))
        for one in told
    )


def give_back(ids: Collection[int], token: int, due_at: datetime) -> None:
    """Those that were leased and are not called now: they come again then."""
    with raw_cursor() as cursor:
        cursor.execute(_BACK, [due_at, list(ids), token])
