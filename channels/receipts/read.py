"""The stage that reads kept calls: each thing told becomes a receipt or a reply, once however often it is told."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from django.db import transaction

from channels.accounts import service_of
from channels.approvals import keep as approvals
from channels.conversations import inbound
from channels.conversations.inbound import Came
from channels.models import ProviderCallback
from channels.providers.base import CallsBack, ConfigurationError
from channels.receipts.receive import as_kept
from channels.receipts.told import Reading, ToldReceipt, ToldReply, ToldTemplate, Unreadable
from customers import bells, dead_letters
from customers.accept.remains import Sender, Told, as_text, naming_the_erased
from customers.ids import NIL, hash_uuid
from customers.pg import raw_cursor
from customers.work import Queue, describe, not_alone

logger = logging.getLogger(__name__)

Status = ProviderCallback.Status

_MOST: Final = 100
# Clocks of providers are their own; what is told is no later than when we heard it.
_OLDEST: Final = timedelta(days=400)
_KEEP: Final = """
    INSERT INTO channels_receipt
        (connector_id, callback_id, message_key, provider_id, happened, at, received_at, code, detail, is_machine, key,
         look_at, tries, outcome)
    SELECT u.*, %s, 0, '' FROM unnest(
        %s::uuid[], %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[],
        %s::text[], %s::bool[], %s::uuid[]
    ) AS u(connector_id, callback_id, message_key, provider_id, happened, at, received_at, code, detail, is_machine,
           key)
    ORDER BY u.key
    ON CONFLICT (key) DO NOTHING
"""


def read(ids: Sequence[int], now: datetime) -> int:
    """Read these calls; return how many."""
    rows = ProviderCallback.objects.filter(pk__in=ids, status=Status.WAITING).select_related("connector__brand")
    found = [(row, *_reading(row)) for row in rows.order_by("pk")]
    _keep(
        [_columns(row, one) for row, reading, _ in found for one in reading.told if isinstance(one, ToldReceipt)], now
    )
    told = ((row, one) for row, reading, _fault in found for one in reading.told)
    inbound.take([Came(row.connector, one, row.received_at) for row, one in told if isinstance(one, ToldReply)], now)
    stands = [(row, one) for row, reading, _fault in found for one in reading.told if isinstance(one, ToldTemplate)]
    approvals.keep([(row.connector_id, one, row.received_at) for row, one in stands])
    gone = _of_the_erased([row for row, _reading, _fault in found], now)
    for row, reading, fault in found:
        _settle(row, reading, fault, now, is_gone=row.pk in gone)
    return len(found)


def _of_the_erased(rows: Sequence[ProviderCallback], now: datetime) -> set[int]:
    """Calls that name somebody who was erased: what they told is kept as receipts, and not a word of them."""
    texts = [Told((as_text(bytes(one.body)), one.query, orjson.dumps(one.headers).decode())) for one in rows]
    hits = naming_the_erased(texts, Sender(NIL), now)
    return {row.pk for row, found in zip(rows, hits, strict=True) if found}


def again(ids: Sequence[int], now: datetime) -> int:
    """Have calls read anew by the code and settings of today; what they told already is known. How many wait for it."""
    with transaction.atomic():
        settled = ProviderCallback.objects.filter(pk__in=ids).exclude(status=Status.WAITING)
        count = settled.update(status=Status.WAITING, reason="", read_at=None)
        dead_letters.close(QUEUE.name, ids, now)
    if count:
        bells.ring("engine")
    return count


_NOTHING: Final = Reading()


def _reading(row: ProviderCallback) -> tuple[Reading, str]:
    """What the call says, and why it could not be read."""
    try:
        service = service_of(row.connector)
        if not isinstance(service, CallsBack):
            return _NOTHING, "the connector’s provider calls nobody back"
        return service.told(as_kept(row)), ""
    except (ConfigurationError, Unreadable) as error:
        return _NOTHING, str(error)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # The provider's shape is another than its documentation says: kept, shown, and read again once we know it.
        logger.warning("a callback could not be read: %s", describe(error), extra={"callback_id": row.pk})
        return _NOTHING, type(error).__name__


def _settle(row: ProviderCallback, reading: Reading, fault: str, now: datetime, *, is_gone: bool) -> None:
    row.status = Status.FAILED if fault else Status.DONE if reading.is_known else Status.UNHANDLED
    row.reason, row.read_at, row.told = fault[:200], now, len(reading.told)
    if is_gone:
        row.body, row.query, row.headers = b"", "", {}
    row.save(update_fields=("status", "reason", "read_at", "told", "body", "query", "headers"))


def _columns(row: ProviderCallback, one: ToldReceipt) -> tuple[Any, ...]:
    at = min(one.at or row.received_at, row.received_at)
    # By both names: a message that was sent once more has two of the provider's.
    whose = f"{one.message_key or ''} {one.provider_id}"
    # Without an id or a time of its own, a thing of one kind happened once.
    told_as = one.told_as or (at.isoformat() if one.at else "")
    key = hash_uuid("receipt", str(row.connector_id), whose, one.happened, told_as)
    return (
        row.connector_id, row.pk, one.message_key, one.provider_id[:200], one.happened.value,
        max(at, row.received_at - _OLDEST), row.received_at, one.code[:60], one.detail[:300], one.is_machine, key,
    )  # fmt: skip


def _keep(receipts: Sequence[tuple[Any, ...]], now: datetime) -> None:
    if receipts:
        with raw_cursor() as cursor:
            cursor.execute(_KEEP, [now, *map(list, zip(*receipts, strict=True))])


def _give_up(unit: int, _reason: str, now: datetime) -> None:
    ProviderCallback.objects.filter(pk=unit).update(status=Status.FAILED, reason="gave_up", read_at=now)


QUEUE: Final = Queue(
    name="callbacks",
    table="channels_providercallback",
    pick=(
        "SELECT id FROM channels_providercallback WHERE status = 'waiting' AND id >= %(floor)s"
        f" AND {not_alone('callbacks', 'channels_providercallback.id')}"
        f" ORDER BY id LIMIT least(%(limit)s, {_MOST}) FOR UPDATE SKIP LOCKED"
    ),
    work=read,
    give_up=_give_up,
    ready="status = 'waiting'",
)


def read_now(id_: int, now: datetime) -> bool:
    """Read one call at once, for whoever has to answer it; False where somebody else is at it."""
    with transaction.atomic():
        locked = ProviderCallback.objects.select_for_update(skip_locked=True).filter(pk=id_, status=Status.WAITING)
        return locked.exists() and read([id_], now) == 1
