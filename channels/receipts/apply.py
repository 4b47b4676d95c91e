"""The stage that applies receipts: finds their messages, moves those on, and lets follow what follows.

A receipt may be early (before we have written down what the provider called the message), late, told twice or out of
order; it waits for its message up to a day, and what it cannot move stays as it was.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from channels.models.callback import ENGAGED, Receipt
from channels.receipts import consequences, telling
from channels.receipts.forward import Stand, forward
from channels.tracking.bursts import tell_apart
from channels.tracking.visitors import BURST
from customers import bells, dead_letters
from customers.pg import raw_cursor
from customers.work import Queue, not_alone

_MOST: Final = 500
# After so long without its message a receipt is somebody else's.
_PATIENCE: Final = timedelta(days=1)
_FIRST_WAIT: Final = timedelta(seconds=1)
_LAST_WAIT: Final = timedelta(minutes=15)
_WAITING: Final = """
    SELECT r.id, r.connector_id, r.provider_id, r.happened, r.at, r.received_at, r.is_machine, r.code, r.tries, m.id,
           r.link
    FROM channels_receipt r
    LEFT JOIN LATERAL (
        SELECT m.id FROM channels_message m WHERE m.id = r.message_key AND m.connector_id = r.connector_id
        UNION ALL
        SELECT m.id FROM channels_message m
        WHERE r.message_key IS NULL AND r.provider_id <> '' AND m.provider_id = r.provider_id
          AND m.connector_id = r.connector_id
        LIMIT 1
    ) m ON true
    WHERE r.id = ANY(%s) AND r.applied_at IS NULL ORDER BY r.id FOR UPDATE OF r
"""
# A worker that is calling holds its message: it is not waited for, as its receipts can wait.
_LOCK: Final = """
    SELECT m.id, m.state, m.reason, m.brand_id, m.profile_id, m.address_id, m.purpose_id, m.channel, m.scope_id,
           m.step_id, m.origin_kind, m.origin_id, m.copy_key, m.provider_id, m.attempts
    FROM channels_message m WHERE m.id = ANY(%s) ORDER BY m.id FOR UPDATE
"""
_MOVE: Final = """
    UPDATE channels_message m SET
        state = u.state, reason = u.reason, provider_id = u.provider_id, lease_token = NULL, leased_until = NULL,
        settled_at = CASE WHEN m.state IN ('sent', 'delivered', 'opened', 'clicked') AND u.state <> 'failed'
                          THEN m.settled_at ELSE least(u.at, %s) END
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
        AS u(id, state, reason, provider_id, at)
    WHERE m.id = u.id
"""
_APPLIED: Final = """
    UPDATE channels_receipt r SET message_id = u.message_id, outcome = u.outcome, applied_at = %s
    FROM unnest(%s::bigint[], %s::uuid[], %s::text[]) AS u(id, message_id, outcome) WHERE r.id = u.id
"""
_LATER: Final = """
    UPDATE channels_receipt r SET look_at = u.at, tries = least(r.tries + 1, 30000)
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS u(id, at) WHERE r.id = u.id
"""


@dataclass(slots=True)
class Waiting:
    """A receipt with the message it was found to be about."""

    id: int
    connector_id: UUID
    provider_id: str
    happened: str
    at: datetime
    received_at: datetime
    is_machine: bool
    code: str
    tries: int
    message_id: UUID | None
    # The number of a tracked link of the message.
    link: int | None = None


@dataclass(slots=True)
class Subject:
    """The message that receipts are about, locked."""

    id: UUID
    state: str
    reason: str
    brand_id: UUID
    profile_id: UUID
    address_id: UUID | None
    purpose_id: UUID
    channel: str
    scope_id: UUID
    step_id: str
    origin_kind: str
    origin_id: str
    copy_key: str
    provider_id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Applied:
    receipt: Waiting
    message: Subject
    moved: bool


def apply(ids: Sequence[int], now: datetime, *, patiently: bool = False) -> int:
    """Apply these receipts, or put them off; return how many. `patiently` waits for addresses in use."""
    with transaction.atomic(), raw_cursor() as cursor:
        waiting = [Waiting(*row) for row in cursor.execute(_WAITING, [list(ids)])]
        found = sorted({one.message_id for one in waiting if one.message_id is not None})
        held = consequences.lock_addresses(cursor, waiting, patiently=patiently)
        query = _LOCK if patiently else f"{_LOCK} SKIP LOCKED"
        messages = {row[0]: Subject(*row) for row in cursor.execute(query, [found])}
        begun = {id_: Stand(one.state, one.reason) for id_, one in messages.items()}
        _weigh(cursor, waiting)
        free = [one for one in waiting if one.message_id in messages and one.id not in held.busy]
        applied = [_apply(one, messages[one.message_id]) for one in _in_order(free) if one.message_id]
        _move(cursor, messages.values(), begun, applied, now)
        telling.tell(cursor, applied, now)
        consequences.draw(cursor, applied, held, now)
        _settle(cursor, waiting, {one.receipt.id: one for one in applied}, now)
    return len(waiting)


def _weigh(cursor: Cursor[Any], waiting: Sequence[Waiting]) -> None:
    """Who followed many links at once was no person, whatever they came as; nor who opened the letter by the way."""
    machines = tell_apart(cursor, [one.id for one in waiting if one.happened in ENGAGED and not one.is_machine])
    for one in waiting:
        if one.id in machines:
            one.is_machine, one.code = True, BURST


def _in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    return sorted(waiting, key=lambda one: (one.at, one.id))


def _apply(receipt: Waiting, message: Subject) -> Applied:
    if message.attempts > 1 and _are_two(receipt.provider_id, message.provider_id):
        # Of an earlier call of a message that went once more: it says nothing of how the later one went.
        return Applied(receipt, message, moved=False)
    stand = forward(Stand(message.state, message.reason), receipt.happened, is_machine=receipt.is_machine)
    if stand is not None:
        message.state, message.reason = stand.state, stand.reason
        message.provider_id = message.provider_id or receipt.provider_id
    return Applied(receipt, message, stand is not None)


def _are_two(one: str, other: str) -> bool:
    """Two of a provider's names; some write the same one with angle brackets and without."""
    return bool(one and other) and one.strip("<>") != other.strip("<>")


def _move(
    cursor: Cursor[Any],
    messages: Iterable[Subject],
    begun: Mapping[UUID, Stand],
    applied: Iterable[Applied],
    now: datetime,
) -> None:
    """One update for each message, whatever number of receipts moved it."""
    first: dict[UUID, datetime] = {}
    for one in applied:
        first.setdefault(one.message.id, one.receipt.at)
    moved = [one for one in messages if Stand(one.state, one.reason) != begun[one.id]]
    if moved:
        columns = [
            list(each)
            for each in zip(*((m.id, m.state, m.reason, m.provider_id, first[m.id]) for m in moved), strict=True)
        ]
        cursor.execute(_MOVE, [now, *columns])


def _settle(cursor: Cursor[Any], waiting: Iterable[Waiting], applied: Mapping[int, Applied], now: datetime) -> None:
    done: dict[str, list[Any]] = defaultdict(list)
    later: dict[str, list[Any]] = defaultdict(list)
    for one in waiting:
        known = applied.get(one.id)
        if known is None and (one.message_id is not None or now - one.received_at < _PATIENCE):
            later["id"].append(one.id)
            # Its message or address is in use for a moment; one that is not known may come later, or never.
            wait = _FIRST_WAIT if one.message_id else min(_LAST_WAIT, _FIRST_WAIT * 2 ** min(one.tries, 12))
            later["at"].append(now + wait)
            continue
        done["id"].append(one.id)
        done["message"].append(known.message.id if known else None)
        done["outcome"].append(_outcome(known))
    if done:
        cursor.execute(_APPLIED, [now, done["id"], done["message"], done["outcome"]])
    if later:
        cursor.execute(_LATER, [later["id"], later["at"]])


def _outcome(known: Applied | None) -> str:
    if known is None:
        return Receipt.Outcome.UNMATCHED.value
    return (Receipt.Outcome.MOVED if known.moved else Receipt.Outcome.KNOWN).value


def again(ids: Sequence[int], now: datetime) -> int:
    """Have receipts that were given up applied after all; return how many wait for it."""
    with transaction.atomic():
        given_up = Receipt.objects.filter(pk__in=ids, outcome=Receipt.Outcome.UNMATCHED)
        count = given_up.update(applied_at=None, outcome="", look_at=now, tries=0, received_at=now)
        dead_letters.close(QUEUE.name, ids, now)
    if count:
        bells.ring("engine")
    return count


def _give_up(unit: int, _reason: str, now: datetime) -> None:
    Receipt.objects.filter(pk=unit).update(applied_at=now, outcome=Receipt.Outcome.UNMATCHED)


QUEUE: Final = Queue(
    name="receipts",
    table="channels_receipt",
    pick=(
        "SELECT id FROM channels_receipt WHERE applied_at IS NULL AND look_at <= %(now)s"
        f" AND {not_alone('receipts', 'channels_receipt.id')}"
        f" ORDER BY look_at, id LIMIT least(%(limit)s, {_MOST}) FOR UPDATE SKIP LOCKED"
    ),
    work=apply,
    give_up=_give_up,
    ready="applied_at IS NULL AND look_at <= %(now)s",
    order="look_at, id",
)
