"""Replay: what was refused goes through its door again once the cause of the refusal is mended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from customers import bells
from customers.accept.naming import digest
from customers.accept.refusal import Refusal
from customers.accept.refused import RAW_LIMIT
from customers.models import QuarantinedEvent
from customers.models.owned import OwnedQuerySet

if TYPE_CHECKING:
    from customers.sight import Person

# What a door says of somebody who was erased.
_GONE: Final = "erased_subject"
# No id has more.
_DIGITS: Final = 19

# Accepts what the row keeps, in the caller's transaction, or says why it still cannot be.
Replayer = Callable[[QuarantinedEvent, datetime], Refusal | None]

_replayers: dict[str, Replayer] = {}


def register(door: str, replayer: Replayer) -> None:
    """Have `replayer` called for what `door` refused: only the door can read what it kept."""
    _replayers[door] = replayer


def doors() -> list[str]:
    return sorted(_replayers)


@dataclass(slots=True)
class Replay:
    """How a replay ended: how many are on their way again, and why the others stay, by id."""

    replayed: int
    refusals: dict[int, Refusal]


@transaction.atomic
def replay(ids: Sequence[int], now: datetime) -> Replay:
    """Accept what can be accepted now; the rest stays open with its new reason in the answer."""
    rows = QuarantinedEvent.objects.select_for_update().filter(id__in=ids, status=QuarantinedEvent.Status.OPEN)
    result = Replay(0, {})
    for row in rows.order_by("id"):
        refusal = _replayers.get(row.door, _no_replayer)(row, now)
        if refusal is not None:
            result.refusals[row.id] = refusal
            if refusal.code == _GONE:
                _empty(row, now)
            row.last_code, row.tried_at = refusal.code, now
            row.save(update_fields=["last_code", "tried_at"])
            continue
        row.status = QuarantinedEvent.Status.REPLAYED
        row.settled_at = now
        row.save(update_fields=["status", "settled_at"])
        result.replayed += 1
    if result.replayed:
        bells.ring("engine")
    return result


@transaction.atomic
def replay_mended(pk: int, raw: str, now: datetime) -> Refusal | None:
    """Accept one item as somebody mended it, or say why not; the row keeps what came."""
    if len(raw.encode(errors="replace")) > RAW_LIMIT:
        return Refusal("payload_too_large", f"The item is larger than {RAW_LIMIT} bytes.", "Send it in smaller parts.")
    row = QuarantinedEvent.objects.select_for_update().get(id=pk)
    if row.status != QuarantinedEvent.Status.OPEN:
        return Refusal("settled", "It was settled meanwhile.")
    row.raw = raw
    refusal = _replayers.get(row.door, _no_replayer)(row, now)
    if refusal is not None:
        if refusal.code == _GONE:
            _empty(row, now)
        return refusal
    row.status = QuarantinedEvent.Status.REPLAYED
    row.settled_at = now
    row.save(update_fields=["status", "settled_at"])
    bells.ring("engine")
    return None


def _empty(row: QuarantinedEvent, now: datetime) -> None:
    """It tells of somebody who was erased since: nothing of what it said is kept."""
    row.raw = row.detail = row.pointer = row.message_id = ""
    row.naming, row.status, row.reason, row.settled_at = [], row.Status.DISCARDED, row.Reason.ERASED, now
    row.save()


def discard(rows: QuerySet[QuarantinedEvent], reason: QuarantinedEvent.Reason, now: datetime) -> int:
    """Have these rows wait no longer; return how many did. What was refused is kept until its time is over."""
    return rows.filter(status=QuarantinedEvent.Status.OPEN).update(
        status=QuarantinedEvent.Status.DISCARDED, reason=reason, settled_at=now
    )


def found_by(term: str, rows: OwnedQuerySet[QuarantinedEvent], user: "Person") -> OwnedQuerySet[QuarantinedEvent]:
    """Rows with this id, code, event name or message id; and, where the person reads them unmasked, those that name
    somebody so."""
    term = term.strip()
    matching = Q(code=term) | Q(name=term) | Q(message_id=term)
    if term.isdecimal() and len(term) < _DIGITS:
        matching |= Q(pk=int(term))
    naming = QuarantinedEvent.objects.personal_to(user).filter(naming__contains=[digest(term)])
    return rows.filter(matching | Q(pk__in=naming.order_by().values("pk")))


def _no_replayer(row: QuarantinedEvent, _now: datetime) -> Refusal:
    return Refusal("door_unknown", f"No door named {row.door} takes anything.", "Install what it belongs to.")
