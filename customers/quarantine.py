"""Replay: send quarantined messages through acceptance again once the cause of the refusal is mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from customers import bells, keys
from customers.accept import schemas, strict_json
from customers.accept.batch import Outcome, Submission, first_of_each, read_all, settle
from customers.accept.message import Message, Reading
from customers.accept.refusal import Refusal, Refused
from customers.accept.store import store
from customers.models import QuarantinedEvent


@dataclass(slots=True)
class Replay:
    """How a replay ended: what is in the inbox now, and why the others stay, by id."""

    replayed: int
    refusals: dict[int, Refusal]


@transaction.atomic
def replay(ids: Sequence[int], now: datetime) -> Replay:
    """Accept what can be accepted now; the rest stays open with its new reason in the answer.

    An item's time is judged as of its first receipt: waiting in quarantine makes no event too old.
    """
    rows = QuarantinedEvent.objects.select_for_update().filter(id__in=ids, status=QuarantinedEvent.Status.OPEN)
    result = Replay(0, {})
    for row in rows.order_by("id"):
        refusal = _accept_again(row, now)
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


def _accept_again(row: QuarantinedEvent, now: datetime) -> Refusal | None:
    writer = keys.writer_of(row.source_id)
    if writer is None:
        return Refusal("source_inactive", "The source takes no messages at present.", "Activate the source.")
    outcome = Outcome()
    try:
        document = strict_json.parse(row.raw.encode())
    except Refused as error:
        return error.refusal
    submission = Submission(document, row.door, single=True, items=[document.value])
    messages: dict[int, Message] = read_all(submission, Reading(writer, schemas.current(now), row.received_at), outcome)
    if messages:
        settle(messages, store(first_of_each(messages).values(), [], writer.source_id, now), outcome)
    return outcome.refusals.get(0)
