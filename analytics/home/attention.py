"""What wants somebody's hand: messages nobody knows the fate of, dead letters, quarantine, connectors in trouble,
sources that are silent or send what is refused, webhooks that fail, keys about to end, ledgers without an anchor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import F, Q

from analytics.home.count import Count
from analytics.metrics.query import rows
from analytics.source_health import troubles
from channels.models import Connector, Message, Reason, SendStop, WebhookEndpoint
from consent.anchors.health import Health, health
from consent.models import PrivacyRequest
from consent.privacy.due import days_left, today_there
from customers.models import DeadLetter, Identifier, QuarantinedEvent, Source, WriteKey
from customers.retention.months import running_out

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from customers.sight import Person

BOUND: Final = 1_000
# A connector is in trouble when several of its newest messages are, or when its queue stands still.
_MANY: Final = 5
_STANDS: Final = timedelta(minutes=5)
_ENDS_SOON: Final = timedelta(days=7)
_DAY: Final = timedelta(hours=24)
_KEYS: Final = 20
_DUE_SOON: Final = timedelta(days=5)
_TROUBLE: Final = [reason.value for reason in (Reason.TROUBLE, Reason.REFUSED, Reason.INTERRUPTED, Reason.CRASHED)]
_CONNECTORS: Final = """
    SELECT c.id, coalesce(t.troubled, 0), w.due_at
    FROM unnest(%(connectors)s::uuid[]) AS c(id)
    LEFT JOIN (
        SELECT connector_id, count(*) AS troubled FROM (
            SELECT connector_id FROM channels_message
            WHERE reason = ANY(%(trouble)s) AND created_at >= %(since)s AND connector_id = ANY(%(connectors)s)
            LIMIT %(bound)s
        ) newest GROUP BY 1
    ) t ON t.connector_id = c.id
    LEFT JOIN LATERAL (
        SELECT due_at FROM channels_message
        WHERE connector_id = c.id AND state IN ('queued', 'held') ORDER BY due_at LIMIT 1
    ) w ON true
"""


class Kind(Enum):
    UNKNOWN = "unknown"
    DEAD_LETTERS = "dead_letters"
    QUARANTINE = "quarantine"
    SHARED = "shared"
    CONNECTOR_OFF = "connector_off"
    CONNECTOR_STOPPED = "connector_stopped"
    CONNECTOR_TROUBLE = "connector_trouble"
    CONNECTOR_STANDS = "connector_stands"
    SOURCE_SILENT = "source_silent"
    SOURCE_REJECTS = "source_rejects"
    WEBHOOK_FAILS = "webhook_fails"
    WEBHOOK_OFF = "webhook_off"
    KEY_ENDS = "key_ends"
    PARTITIONS = "partitions"
    PRIVACY_OVERDUE = "privacy_overdue"
    PRIVACY_DUE = "privacy_due"
    ANCHOR_LATE = "anchor_late"
    ANCHOR_DEVIATES = "anchor_deviates"


@dataclass(frozen=True, slots=True)
class Attention:
    """`connector`, `source`, `webhook` or `key` where one is meant; since when a queue stands, a source is silent, a
    webhook fails or the ledgers are not anchored, or when a key ends."""

    kind: Kind
    count: Count
    connector: Connector | None = None
    since: datetime | None = None
    source: Source | None = None
    percent: float | None = None
    key: WriteKey | None = None
    webhook: WebhookEndpoint | None = None


def attention(user: "Person", now: datetime) -> list[Attention]:
    """Only of what this person may see; nothing is wrong when it is empty."""
    found = [
        Attention(Kind.UNKNOWN, _count(Message.objects.visible_to(user).filter(state=Message.State.UNKNOWN))),
        Attention(Kind.DEAD_LETTERS, _count(DeadLetter.objects.visible_to(user).filter(replayed_at=None))),
        Attention(
            Kind.QUARANTINE,
            _count(QuarantinedEvent.objects.visible_to(user).filter(status=QuarantinedEvent.Status.OPEN)),
        ),
    ]
    shared = Identifier.objects.visible_to(user).filter(shared_at__isnull=False, closed_at=None)
    found.append(Attention(Kind.SHARED, _count(shared)))
    connectors = list(Connector.objects.visible_to(user)[:BOUND])
    found += [Attention(Kind.PARTITIONS, Count(len(running_out(now))))]
    found += _privacy(user, now)
    wrong = [one for one in found if one.count] + _ledgers(health(now))
    return wrong + _connectors(connectors, now) + _webhooks(user, now) + _sources(user, now)


def _webhooks(user: "Person", now: datetime) -> list[Attention]:
    """Outgoing ones whose owner is told that they fail, or that deliveries of a day did, or that they were switched off
    by themselves."""
    whys = WebhookEndpoint.Off
    off = (whys.FAILING, whys.GONE, whys.TOKEN, whys.SECRETS)
    is_told = Q(warned_at__gte=F("failing_since")) | Q(warned_at__gte=now - _DAY)
    told = WebhookEndpoint.objects.visible_to(user).filter(
        Q(is_told, is_active=True) | Q(is_active=False, off_reason__in=off)
    )
    return [
        Attention(Kind.WEBHOOK_FAILS, Count(), webhook=one, since=one.failing_since or one.warned_at)
        if one.is_active
        else Attention(Kind.WEBHOOK_OFF, Count(), webhook=one, since=one.off_at)
        for one in told.order_by("name")[:_KEYS]
    ]


def _ledgers(found: Health) -> list[Attention]:
    """Whoever would rewrite the ledgers begins with what would tell."""
    late = [Attention(Kind.ANCHOR_LATE, Count(), since=found.last_at)] if found.is_late else []
    return late + ([Attention(Kind.ANCHOR_DEVIATES, Count(found.deviations))] if found.deviations else [])


def _sources(user: "Person", now: datetime) -> list[Attention]:
    """Sources that are silent or refused much lately, and keys that are in use and about to end."""
    seen = Source.objects.visible_to(user).exclude(key=Source.RESERVED_KEY)[:BOUND]
    found = []
    for one in troubles(list(seen), now):
        if one.silence.is_silent:
            found.append(Attention(Kind.SOURCE_SILENT, Count(), source=one.source, since=one.silence.last_at))
        if one.rejects:
            found.append(Attention(Kind.SOURCE_REJECTS, Count(), source=one.source, percent=one.rate.percent))
    ending = WriteKey.objects.visible_to(user).filter(
        revoked_at=None, expires_at__gt=now, expires_at__lte=now + _ENDS_SOON, last_used_at__gte=now - _ENDS_SOON
    )
    keys = ending.select_related("source").order_by("expires_at")[:_KEYS]
    return found + [Attention(Kind.KEY_ENDS, Count(), key=key, since=key.expires_at) for key in keys]


def _privacy(user: "Person", now: datetime) -> list[Attention]:
    """What people asked by law and the last day of which is over, or near."""
    pending = PrivacyRequest.objects.visible_to(user).exclude(state__in=("done", "refused"))
    soon = pending.filter(due_on__lte=today_there(now + _DUE_SOON)).order_by("due_on").select_related("brand")
    days = [days_left(one, now) for one in soon[: BOUND + 1]]
    overdue = sum(left < 0 for left in days)
    return [
        Attention(Kind.PRIVACY_OVERDUE, Count.within(overdue, BOUND)),
        Attention(Kind.PRIVACY_DUE, Count.within(len(days) - overdue, BOUND)),
    ]


def _count(queryset: "QuerySet[Any]") -> Count:
    return Count.within(queryset.order_by()[: BOUND + 1].count(), BOUND)


def _connectors(connectors: Sequence[Connector], now: datetime) -> list[Attention]:
    ids = [one.pk for one in connectors]
    stopped: set[UUID] = set(
        SendStop.objects.filter(scope_id__in=ids, released_at=None).values_list("scope_id", flat=True)
    )
    asked = {"connectors": ids, "trouble": _TROUBLE, "since": now - timedelta(days=1), "bound": BOUND}
    state = {pk: (troubled, due_at) for pk, troubled, due_at in rows(_CONNECTORS, asked)} if ids else {}
    return [one for connector in connectors if (one := _judge(connector, stopped, *state[connector.pk], now))]


def _judge(
    connector: Connector, stopped: set[UUID], troubled: int, due_at: datetime | None, now: datetime
) -> Attention | None:
    """The first that applies: who stopped a connector knows why its queue stands."""
    if connector.pk in stopped:
        return Attention(Kind.CONNECTOR_STOPPED, Count(), connector)
    if not connector.is_active:
        return Attention(Kind.CONNECTOR_OFF, Count(), connector)
    if troubled >= _MANY:
        return Attention(Kind.CONNECTOR_TROUBLE, Count.within(troubled, BOUND - 1), connector)
    if due_at is not None and now - due_at > _STANDS:
        return Attention(Kind.CONNECTOR_STANDS, Count(), connector, due_at)
    return None
