"""Replay: what was refused goes through its door again once the cause of the refusal is mended."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers import bells
from customers.accept.refusal import Refusal
from customers.accept.refused import RAW_LIMIT
from customers.models import QuarantinedEvent

# Accepts what the row keeps, in the caller's transaction, or says why it still cannot be.
Replayer = Callable[[QuarantinedEvent, datetime], Refusal | None]

_replayers: dict[str, Replayer] = {}


def register(door: str, replayer: Replayer) -> None:
    """Have `replayer` called for what `door` refused: only the door can read what it kept."""
    _replayers[door] = replayer


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
        return refusal
    row.status = QuarantinedEvent.Status.REPLAYED
    row.settled_at = now
    row.save(update_fields=["status", "settled_at"])
    bells.ring("engine")
    return None


def _no_replayer(row: QuarantinedEvent, _now: datetime) -> Refusal:
    return Refusal("door_unknown", f"No door named {row.door} takes anything.", "Install what it belongs to.")
