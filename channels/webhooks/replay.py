"""Told once more: a span of time of one endpoint, all of it or what failed, as a job.

With all, events are told too that were never queued, because the endpoint was off then or asked for fewer names. They
are looked for by windows of time, which an index knows: to put all that a span holds in order for every piece of it
would cost more the longer the span is. Each piece is committed with how far it is, so a job that is taken up by another
worker tells nothing thrice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from channels.models import WebhookDelivery, WebhookEndpoint
from channels.webhooks.endpoints import again
from channels.webhooks.queue import HEARS, good
from customers import bells, jobs
from customers.ids import new_id
from customers.internal import CUSTOMER_MERGED, CUSTOMER_SPLIT
from customers.jobs import Slice
from customers.models import Job
from customers.pg import raw_cursor

if TYPE_CHECKING:
    from customers.sight import Person

REPLAY: Final = "webhook_replay"
_PIECE: Final = 500
_FIRST: Final = "-infinity"
_NARROWEST: Final = timedelta(minutes=1)
_WIDEST: Final = timedelta(hours=1)

_FAILED: Final = """
    SELECT d.id, d.received_at FROM channels_webhookdelivery d
    WHERE d.endpoint_id = %b AND d.state = 'failed' AND d.event_id IS NOT NULL
      AND d.received_at >= %b AND d.received_at < %b AND d.queued_at < %b
      AND (d.received_at, d.id) > (%b::timestamptz, %b::uuid)
    ORDER BY d.received_at, d.id LIMIT %b
"""
# What is queued by the time the job was asked for is told once more, and what is not there is queued.
_EVENTS: Final = f"""
    SELECT t.id, t.received_at, t.profile_id, t.name, d.id, d.queued_at < %b
    FROM customers_event t JOIN channels_webhookendpoint w ON w.id = %b
    LEFT JOIN channels_webhookdelivery d ON d.endpoint_id = w.id AND d.event_id = t.id
    WHERE t.brand_id = w.brand_id AND t.name = ANY(w.events) AND t.received_at >= %b AND t.received_at < %b
      AND (w.tells_history OR NOT t.historical OR t.name IN ('{CUSTOMER_MERGED}', '{CUSTOMER_SPLIT}')) AND {HEARS}
      AND (t.received_at, t.id) > (%b::timestamptz, %b::bigint)
    ORDER BY t.received_at, t.id LIMIT %b
"""
_QUEUE: Final = """
    INSERT INTO channels_webhookdelivery (id, endpoint_id, event_id, received_at, profile_id, name, state, queued_at,
        due_at, tries, attempts, crashes, replays, reason)
    SELECT u.id, %b, u.event_id, u.received_at, u.profile_id, u.name, 'waiting', %b, %b, 0, 0, 0, 0, ''
    FROM unnest(%b::uuid[], %b::bigint[], %b::timestamptz[], %b::uuid[], %b::text[])
        AS u(id, event_id, received_at, profile_id, name)
    ON CONFLICT (endpoint_id, event_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Events received from `since` on and before `until`."""

    since: datetime
    until: datetime
    only_failed: bool = False


def ask(endpoint: WebhookEndpoint, span: Span, now: datetime, by: "Person | None" = None) -> Job:
    """Asked twice while the first one waits, it is the same job."""
    told: dict[str, Any] = {
        "endpoint": str(endpoint.pk),
        "since": span.since.isoformat(),
        "until": min(span.until, now).isoformat(),
        "only_failed": span.only_failed,
    }
    return jobs.ask(
        REPLAY,
        now,
        by=by,
        once=True,
        brand=endpoint.brand,
        squad=endpoint.squad,
        subject=endpoint.name,
        arguments=told,
    )


def work(turn: Slice) -> bool:
    endpoint = WebhookEndpoint.objects.filter(pk=turn.job.arguments["endpoint"], is_active=True).first()
    if endpoint is None:
        # Switched off meanwhile: whoever switches it on asks again.
        return True
    piece = _failed if turn.job.arguments["only_failed"] else _all
    width = _NARROWEST
    while turn.has_time:
        with transaction.atomic():
            found = piece(turn, endpoint, width)
            if found.after is None:
                return True
            turn.note(done=turn.job.done + found.told, after=[str(one) for one in found.after])
        width = max(width / 2, _NARROWEST) if found.is_full else min(width * 2, _WIDEST)
    return False


@dataclass(frozen=True, slots=True)
class _Piece:
    """How many were told, and after which the next piece begins, if there is one."""

    told: int = 0
    after: tuple[Any, ...] | None = None
    is_full: bool = False


def _span(turn: Slice) -> tuple[datetime, datetime]:
    told = turn.job.arguments
    return datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["until"])


def _failed(turn: Slice, endpoint: WebhookEndpoint, _width: timedelta) -> _Piece:
    at, after = turn.job.cursor.get("after", (_FIRST, str(UUID(int=0))))
    with raw_cursor() as cursor:
        values = [endpoint.pk, *_span(turn), turn.job.created_at, at, UUID(after), _PIECE]
        rows = cursor.execute(_FAILED, values).fetchall()
    if not rows:
        return _Piece()
    return _Piece(again([id_ for id_, _at in rows], turn.now), (rows[-1][1], rows[-1][0]))


def _all(turn: Slice, endpoint: WebhookEndpoint, width: timedelta) -> _Piece:
    since, until = _span(turn)
    told_at, after = turn.job.cursor.get("after", (since.isoformat(), "0"))
    at = datetime.fromisoformat(told_at)
    if at >= until:
        return _Piece()
    end = min(at + width, until)
    with raw_cursor() as cursor:
        values = [turn.job.created_at, endpoint.pk, at, end, *good(turn.now), at, int(after), _PIECE]
        rows = cursor.execute(_EVENTS, values).fetchall()
        missing = [(new_id(), *row[:4]) for row in rows if row[4] is None]
        told = 0
        if missing:
            columns = [list(column) for column in zip(*missing, strict=True)]
            told = cursor.execute(_QUEUE, [endpoint.pk, turn.now, turn.now, *columns]).rowcount
            bells.ring("webhooks")
    told += again([row[4] for row in rows if row[4] is not None and row[5]], turn.now)
    is_full = len(rows) == _PIECE
    return _Piece(told, (rows[-1][1], rows[-1][0]) if is_full else (end, 0), is_full)


def register() -> None:
    jobs.register(REPLAY, _("Tell a webhook once more"), work)


def one(delivery: WebhookDelivery, now: datetime) -> bool:
    """Have one delivery told once more; whether it was over."""
    return bool(again([delivery.pk], now))
