"""Answers kept by Idempotency-Key: the same call again gets the same answer, and does nothing twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from customers.accept.refusal import Refused
from customers.models import KeptAnswer

MAX_KEY = 255
KEPT_FOR = timedelta(days=7)
# A call that is still being worked on after this long lost its process: the next one takes over.
IN_FLIGHT = timedelta(seconds=60)
_PRUNED_AT_ONCE = 10_000
_OUR_FAULT = 500


@dataclass(frozen=True, slots=True)
class Call:
    """What makes two calls the same: who, where, the key, and the digest of all that was sent."""

    token_id: UUID
    route: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire again as it went before."""

    status: int
    content_type: str
    body: bytes
    location: str = ""
    replayed: bool = False


def fingerprint(*parts: bytes) -> bytes:
    """One digest of the parts, wherever one ends and the next begins."""
    return sha256(b"".join(sha256(part).digest() for part in parts)).digest()


def once(call: Call, work: Callable[[], Answer], now: datetime) -> Answer:
    """Do the work and keep its answer in one transaction, unless it was done before; then that answer.

    What fails by an error of ours is undone and forgotten, so that it can be tried again under the same key.
    """
    begun = _begin(call, now)
    if isinstance(begun, Answer):
        return begun
    mine = KeptAnswer.objects.filter(pk=begun)
    try:
        with transaction.atomic():
            answer = work()
            _keep(mine, answer)
    except BaseException:
        mine.delete()
        raise
    if answer.status >= _OUR_FAULT:
        mine.delete()
    return answer


def _keep(mine: QuerySet[KeptAnswer], answer: Answer) -> None:
    if answer.status >= _OUR_FAULT:
        transaction.set_rollback(True)
        return
    kept = mine.update(
        status=answer.status, content_type=answer.content_type, location=answer.location, body=answer.body
    )
    if not kept:
        # Somebody took over what seemed lost: only one of the two may have done it.
        raise _in_flight()


def prune(now: datetime) -> int:
    """Forget answers older than a week; return how many."""
    old = KeptAnswer.objects.filter(started_at__lt=now - KEPT_FOR).order_by("started_at").values("id")
    forgotten = 0
    while count := KeptAnswer.objects.filter(id__in=old[:_PRUNED_AT_ONCE]).delete()[0]:
        forgotten += count
    return forgotten


def _begin(call: Call, now: datetime) -> Answer | int:
    """Note for all to see that this call is being worked on, and return the note; or what was answered before."""
    noted = _note(call, now)
    if noted is not None:
        return noted
    row = KeptAnswer.objects.filter(token_id=call.token_id, route=call.route, key=call.key).first()
    if row is None:
        # Whoever had it just failed and forgot it.
        raise _in_flight()
    if bytes(row.fingerprint) != call.fingerprint:
        raise Refused(
            "idempotency_key_reused",
            "This Idempotency-Key came with another request before.",
            "Give every request a key of its own, such as a UUID.",
        )
    if row.status is not None:
        return Answer(row.status, row.content_type, bytes(row.body), row.location, replayed=True)
    return _take_over(call, row, now)


def _take_over(call: Call, row: KeptAnswer, now: datetime) -> int:
    """Work on what a process left behind that has not been heard of for long; of several who try, one."""
    lost = KeptAnswer.objects.filter(pk=row.pk, status=None, started_at__lt=now - IN_FLIGHT)
    noted = _note(call, now) if lost.delete()[0] else None
    if noted is None:
        raise _in_flight()
    return noted


def _note(call: Call, now: datetime) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_keptanswer"
            " (token_id, route, key, fingerprint, started_at, content_type, location, body)"
            " VALUES (%s, %s, %s, %s, %s, '', '', '') ON CONFLICT (token_id, route, key) DO NOTHING RETURNING id",
            [call.token_id, call.route, call.key, call.fingerprint, now],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _in_flight() -> Refused:
    return Refused(
        "idempotency_in_flight",
        "A request with this Idempotency-Key is still being worked on.",
        "Send the same again in a second.",
    )
