"""Settling: what became of deliveries of one endpoint, many at once; and whether the endpoint is to be left alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from psycopg import Cursor

from channels.models import WebhookEndpoint
from channels.webhooks.off import Off, switch_off
from channels.webhooks.schedule import ANNOUNCED_AT, Outcome, State
from customers import audit
from customers.pg import raw_cursor

_DAY: Final = timedelta(hours=24)

_SETTLE: Final = """
    UPDATE channels_webhookdelivery d SET state = u.state, reason = u.reason, status = u.status, tries = u.tries,
        attempts = d.attempts + u.made, due_at = coalesce(u.due_at, d.due_at), settled_at = u.settled_at,
        lease_token = NULL
    FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::text[], %b::smallint[], %b::smallint[], %b::smallint[],
        %b::timestamptz[], %b::timestamptz[])
        AS u(id, token, state, reason, status, tries, made, due_at, settled_at)
    WHERE d.id = u.id AND d.state = 'sending' AND d.lease_token = u.token
    RETURNING d.id
"""
_LOCK: Final = "SELECT id FROM channels_webhookdelivery WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"
_ATTEMPTS: Final = """
    INSERT INTO channels_webhookattempt (endpoint_id, delivery_id, at, status, reason, milliseconds, reply)
    SELECT %b, u.* FROM unnest(%b::uuid[], %b::timestamptz[], %b::smallint[], %b::text[], %b::int[], %b::text[]) AS u
"""
_WELL: Final = """
    UPDATE channels_webhookendpoint SET failing_since = NULL WHERE id = %b AND failing_since IS NOT NULL
"""
_ILL: Final = "UPDATE channels_webhookendpoint SET failing_since = %b WHERE id = %b AND failing_since IS NULL"
_WARN: Final = """
    UPDATE channels_webhookendpoint SET warned_at = %b
    WHERE id = %b AND is_active AND coalesce(warned_at, '-infinity') <= %b
"""
_REST: Final = """
    UPDATE channels_webhookendpoint SET rests_until = %b WHERE id = %b AND coalesce(rests_until, '-infinity') < %b
"""


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt and what came of it, and where it was made; without a time none was."""

    delivery: UUID
    token: int
    outcome: Outcome
    at: datetime | None = None
    milliseconds: int = 0
    url: str = ""


def settle(endpoint_id: UUID, made: Sequence[Made], now: datetime) -> int:
    """Write what became of them; of those whose lease is somebody else's by now, nothing. How many were settled."""
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(_LOCK, [[one.delivery for one in made]], prepare=True)
        made = _heeded(endpoint_id, made, now)
        ours = {row[0] for row in cursor.execute(_SETTLE, _columns(made, now), prepare=True).fetchall()}
        settled = [one for one in made if one.delivery in ours]
        called = [one for one in settled if one.at is not None]
        if called:
            _note(cursor, endpoint_id, called)
            _judge(cursor, endpoint_id, [one.outcome for one in called], now)
        if any(_is_news(one.outcome) for one in settled):
            _announce(cursor, endpoint_id, now)
    return len(ours)


def _heeded(endpoint_id: UUID, made: Sequence[Made], now: datetime) -> Sequence[Made]:
    """That it is gone counts of where it is now: what its earlier address said, the new one is asked."""
    if not any(one.outcome.is_gone for one in made):
        return made
    url = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id).url
    return [
        replace(one, outcome=_moved(one.outcome, now)) if one.outcome.is_gone and one.url != url else one
        for one in made
    ]


def _moved(outcome: Outcome, now: datetime) -> Outcome:
    return replace(outcome, state=State.WAITING, due_at=now, tries=outcome.tries - 1, is_gone=False)


def _is_news(outcome: Outcome) -> bool:
    """A delivery failed four times, or for good."""
    return outcome.state is State.FAILED or (outcome.state is State.WAITING and outcome.tries == ANNOUNCED_AT)


def _announce(cursor: Cursor[Any], endpoint_id: UUID, now: datetime) -> None:
    """At most once a day: a page says how many they are."""
    if cursor.execute(_WARN, [now, endpoint_id, now - _DAY]).rowcount:
        endpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
        audit.record(None, "webhook_failing", endpoint, None, {"failing_since": endpoint.failing_since}, now=now)


def _columns(made: Sequence[Made], now: datetime) -> list[list[Any]]:
    rows = [
        (
            one.delivery, one.token, one.outcome.state.value, one.outcome.reason, one.outcome.status,
            one.outcome.tries, int(one.at is not None), one.outcome.due_at, None if one.outcome.due_at else now,
        )
        for one in made
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


def _note(cursor: Cursor[Any], endpoint_id: UUID, called: Sequence[Made]) -> None:
    rows = [
        (one.delivery, one.at, one.outcome.status, one.outcome.reason, one.milliseconds, one.outcome.reply)
        for one in called
    ]
    cursor.execute(_ATTEMPTS, [endpoint_id, *(list(column) for column in zip(*rows, strict=True))], prepare=True)


def _judge(cursor: Cursor[Any], endpoint_id: UUID, outcomes: Sequence[Outcome], now: datetime) -> None:
    """One success says that the endpoint is there; what failed beside it says nothing of the endpoint."""
    if rests_until := max((one.rests_until for one in outcomes if one.rests_until), default=None):
        cursor.execute(_REST, [rests_until, endpoint_id, rests_until])
    if any(one.is_gone for one in outcomes):
        switch_off(endpoint_id, Off.GONE, now)
    elif any(one.succeeded for one in outcomes):
        cursor.execute(_WELL, [endpoint_id], prepare=True)
    else:
        cursor.execute(_ILL, [now, endpoint_id], prepare=True)
        _consider(endpoint_id, now)


def _consider(endpoint_id: UUID, now: datetime) -> None:
    """After days of nothing but failure, switch it off."""
    since = WebhookEndpoint.objects.values_list("failing_since", flat=True).get(pk=endpoint_id)
    if since and now - since >= timedelta(hours=settings.WEBHOOK_FAILING_HOURS):
        switch_off(endpoint_id, Off.FAILING, now)
