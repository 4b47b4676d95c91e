"""Sending one message: announced in one transaction, checked, called and recorded in a second."""

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from psycopg.types.json import Jsonb

from channels import guards
from channels.care.mind import Mind
from channels.dispatch.claim import REST, Claimed
from channels.dispatch.later import not_now, noted, too_often
from channels.dispatch.settle import Outcome, State, after_crash, after_trouble, in_the_way, settle
from channels.models import Reason
from channels.pacing import sending as pacing
from channels.pacing.rules import About, Visit
from channels.providers.base import Blame, DeliveryError, Outgoing, Session
from channels.push.serving import EVERYBODY, Devices
from channels.receipts.note import note
from channels.receipts.told import Happened
from channels.stops import STANDING, share
from consent.permission import Ask, lock_address, permissions
from customers.pg import raw_cursor
from customers.work import describe

logger = logging.getLogger(__name__)

_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
# A copy for the same address is being handed over just now; its fate decides about this one.
_COPY_UNDECIDED = timedelta(seconds=5)
_MERGE_SETTLES = timedelta(seconds=1)
# Who waits for an address, or behind a stop, holds other stops meanwhile: these are not to wait for another's call.
_PATIENCE_SECONDS = 1.0
# A lock that was not to be had in time, and two who stood in each other's way: no fault, and nothing was sent.
_IN_THE_WAY = frozenset(("55P03", "40001", "40P01"))

# The unique row of (address, copy) is taken with the announcement and given up only when the provider
# certainly has nothing; so it holds through a crash as well.
_ANNOUNCE = """
    WITH mine AS (
        SELECT id, address_id, copy_key FROM channels_message
        WHERE id = %(id)s AND state = 'leased' AND lease_token = %(token)s FOR UPDATE
    ), copy AS (
        INSERT INTO channels_recentsend AS r (address_id, copy_key, sent_at, message_id)
        SELECT address_id, copy_key, %(now)s, id FROM mine
        ON CONFLICT (address_id, copy_key) DO UPDATE
            SET sent_at = excluded.sent_at, message_id = excluded.message_id
            WHERE r.sent_at <= %(cutoff)s OR r.message_id = excluded.message_id
        RETURNING message_id
    ), begun AS (
        UPDATE channels_message m SET state = 'dispatching', leased_until = %(until)s
        FROM copy WHERE m.id = copy.message_id RETURNING m.id
    )
    {links}
    SELECT EXISTS (SELECT 1 FROM mine), EXISTS (SELECT 1 FROM begun)
"""
_BEGIN: Final = _ANNOUNCE.format(links="")
# Where its links lead is committed before anybody can follow one, whatever becomes of the call.
_BEGIN_WITH_LINKS: Final = _ANNOUNCE.format(
    links=""", led AS (
        UPDATE channels_messagecontent t SET links = %(links)s FROM begun WHERE t.message_id = begun.id
    )"""
)
_LOCK = f"""
    SELECT set_config('lock_timeout', %(patience)s, true), p.customer_id, {STANDING.format(scopes="%(scopes)s")},
           (SELECT f.every_days FROM consent_preference f
            WHERE f.address_id = m.address_id AND f.brand_id = m.brand_id),
           CASE WHEN m.channel = 'push' THEN (SELECT a.value FROM customers_address a WHERE a.id = m.address_id) END,
           m.channel <> 'push' OR NOT %(keyed)s
           OR EXISTS (SELECT 1 FROM channels_pushsubscription s WHERE s.address_id = m.address_id)
    FROM channels_message m LEFT JOIN customers_profile p ON p.id = m.profile_id
    WHERE m.id = %(id)s AND m.state = 'dispatching' AND m.lease_token = %(token)s
    FOR UPDATE OF m
"""


@dataclass(slots=True)
class Sender:
    """Sends the messages of one batch over one session; `clock` goes on while the batch is worked on."""

    session: Session
    repeatable: bool
    clock: Callable[[], datetime]
    mind: Mind
    keeps_window: bool = False
    # What a batch must know of the addresses it goes to.
    devices_of: Callable[[Sequence[Claimed]], Devices] = lambda _messages: EVERYBODY
    # What it takes is undone with the transaction of the result.
    certain: bool = False

    def send(self, message: Claimed, outgoing: Outgoing) -> None:
        """Announce, check, call and record; every way out leaves a state a person can read."""
        call = _Call(self, message, outgoing)
        try:
            if announce(message, self.clock(), outgoing.links):
                with transaction.atomic():
                    self._deliver(message, outgoing, call)
                call.tell()
        except Exception as error:
            # After the call nobody but the sweep may judge, unless what it took was undone: the provider may have it.
            is_open = call.begun and not self.certain
            if not is_open and _is_in_the_way(error):
                _write(message, in_the_way(self.clock()), self.clock())
                return
            logger.warning(
                "sending failed: %s %s",
                describe(error),
                place_of(error),
                extra={"message_id": str(message.id)},
            )
            if not is_open:
                release(message, describe(error), self.clock())

    def _deliver(self, message: Claimed, outgoing: Outgoing, call: "_Call") -> None:
        """In one transaction: locks (stop, address, cap, message), permission, guards, call, result."""
        locked = _lock(message, self.clock(), keyed=outgoing.keys is not None)
        if locked is None:
            # The lease was taken while we slept: the message is somebody else's, or unknown.
            return
        # What is read from here on is trusted for as long as a call may take, and no longer.
        deadline = time.monotonic() + settings.PROVIDER_DEADLINE_SECONDS
        now = self.clock()
        refusal, consent_id = _check(message, locked, now)
        outcome = refusal or call.make(deadline, consent_id, _asked(message, now) | noted(locked.paced))
        settle(message, outcome, self.clock(), outgoing)
        if call.says is not None:
            note(message.connector_id, message.id, call.says, call.code, self.clock())


@dataclass(slots=True)
class _Call:
    """The one call to the provider, and whether it was begun."""

    sender: Sender
    message: Claimed
    outgoing: Outgoing
    begun: bool = False
    # What the answer told of the address, and by which code.
    says: Happened | None = None
    code: str = ""
    seconds: float = 0.0
    error: DeliveryError | None = None

    def make(self, deadline: float, consent_id: int | None, asked: dict[str, Any]) -> Outcome:
        self.begun, begun_at = True, time.monotonic()
        try:
            accepted = self.sender.session.send(self.outgoing, deadline)
        except DeliveryError as error:
            outcome = self._trouble(error)
        except Exception as error:
            if self.sender.certain:
                raise
            # A fault of the provider's code, at an unknown point of the call.
            outcome = self._trouble(DeliveryError(type(error).__name__, accepted="maybe", blame=Blame.PROVIDER))
        else:
            outcome = Outcome(State.SENT, provider_id=accepted.provider_id, tries=1, taken=True)
        self.seconds = time.monotonic() - begun_at
        # By what it was let through, whatever the provider made of it.
        return replace(outcome, consent_id=consent_id, decision=asked)

    def tell(self) -> None:
        """Have the connector's care learn of it, once no lock is held any more."""
        if not self.begun:
            return
        if self.error is None:
            self.sender.mind.took(self.seconds)
        else:
            self.sender.mind.failed(self.error, self.seconds)

    def _trouble(self, error: DeliveryError) -> Outcome:
        self.says, self.code, self.error = error.says, error.code, error
        return after_trouble(self.message, error, self.sender.clock(), repeatable=self.sender.repeatable)


def announce(message: Claimed, now: datetime, links: Sequence[str] = ()) -> bool:
    """Commit that the call is about to be made, unless the lease is lost or the address has its copy; with it, where
    the links lead."""
    values = {
        "id": message.id,
        "token": message.token,
        "now": now,
        "cutoff": _cutoff(message, now),
        "until": now + timedelta(seconds=settings.LEASE_SECONDS),
    }
    with transaction.atomic(), raw_cursor() as cursor:
        if len(links) > len(message.links):
            cursor.execute(_BEGIN_WITH_LINKS, values | {"links": Jsonb(list(links))}, prepare=True)
        else:
            cursor.execute(_BEGIN, values, prepare=True)
        mine, begun = cursor.fetchone() or (False, False)
    if mine and not begun:
        settle(message, _other_copy(message, now), now)
    return bool(begun)


def _cutoff(message: Claimed, now: datetime) -> datetime:
    """A copy from before keeps none back. A broadcast says a thing once, though its pilot group and last zone may be
    weeks apart; a journey may come by a step again."""
    if message.origin_kind == "broadcast":
        return _NEVER
    return now - timedelta(hours=settings.TRILHA_COPY_WINDOW_HOURS)


def _other_copy(message: Claimed, now: datetime) -> Outcome:
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT m.state, r.message_id FROM channels_recentsend r"
            " LEFT JOIN channels_message m ON m.id = r.message_id"
            " WHERE r.address_id = %s AND r.copy_key = %s",
            [message.address_id, message.copy_key],
        )
        holder = cursor.fetchone()
    if holder is None or holder[0] == State.DISPATCHING:
        return Outcome(State.HELD, Reason.ADDRESS_DUPLICATE, due_at=now + _COPY_UNDECIDED)
    return Outcome(State.SUPPRESSED, Reason.ADDRESS_DUPLICATE, decision={"other_message": str(holder[1])})


@dataclass(frozen=True, slots=True)
class _Locked:
    paced: pacing.Paced
    customer_id: UUID | None
    stopped: bool
    # At most one marketing message in so many days, where the person said so.
    every_days: int | None
    # Of a push: browsers change their endpoint and unsubscribe, which waits for the address's lock like ourselves.
    endpoint: str | None
    is_subscribed: bool


def _lock(message: Claimed, now: datetime, *, keyed: bool) -> _Locked | None:
    """Take the locks; None when the message is no longer ours."""
    if message.address_id is None:
        raise LookupError("a message without an address was claimed")
    with raw_cursor() as cursor:
        share(cursor, message.scopes(), patience=_PATIENCE_SECONDS)
        lock_address(message.address_id)
        about = About(message.brand_id, message.channel, message.purpose_id, message.purpose_kind)
        visit = Visit(message.origin_kind, message.origin_id, message.visit, message.channel)
        paced = pacing.begin(cursor, about, visit, message.profile_id, now)
        # What is written once the call was made may wait, though not for as long as one is taken for dead.
        patience = f"{settings.LEASE_SECONDS * 1000 // 5}ms"
        values = {
            "id": message.id,
            "token": message.token,
            "scopes": message.scopes(),
            "patience": patience,
            "keyed": keyed,
        }
        cursor.execute(_LOCK, values, prepare=True)
        row = cursor.fetchone()
    return None if row is None else _Locked(paced, *row[1:])


def _check(message: Claimed, locked: _Locked, now: datetime) -> tuple[Outcome | None, int | None]:
    """The reason not to send, if there is one, and the consent entry that decided."""
    if message.expires_at <= now:
        return Outcome(State.EXPIRED, Reason.LATE), None
    if locked.stopped:
        return Outcome(State.HELD, Reason.STOPPED, due_at=now + REST), None
    if locked.customer_id is None or message.address_id is None:
        # Erased meanwhile.
        return Outcome(State.SUPPRESSED, Reason.NO_CONSENT), None
    if not locked.is_subscribed:
        return Outcome(State.SUPPRESSED, Reason.NOT_SERVED), None
    if locked.endpoint not in (None, message.address):
        # What was made ready is for the endpoint that it had.
        return Outcome(State.QUEUED, due_at=now + _MERGE_SETTLES), None
    verdict = permissions([Ask(locked.customer_id, message.address_id, message.purpose_id)], now)[0]
    if verdict.allowed:
        refusal = (
            too_often(message, locked.every_days, now)
            or not_now(message, locked.paced, locked.customer_id, now)
            or _objection(message, locked.customer_id, now)
        )
    else:
        refusal = Outcome(State.SUPPRESSED, verdict.reason, consent_id=verdict.entry_id)
    if not locked.paced.is_for(locked.customer_id) or _moved(message, locked.customer_id):
        # A merge came between: what was just read was read of nobody, be it a yes or a no.
        return Outcome(State.HELD, Reason.UNRESOLVED, due_at=now + _MERGE_SETTLES), None
    return refusal, verdict.entry_id


def _moved(message: Claimed, customer_id: UUID) -> bool:
    with raw_cursor() as cursor:
        cursor.execute("SELECT customer_id FROM customers_profile WHERE id = %s", [message.profile_id], prepare=True)
        row = cursor.fetchone()
    return row is None or row[0] != customer_id


def _objection(message: Claimed, customer_id: UUID, now: datetime) -> Outcome | None:
    answer = guards.ask(
        guards.GuardAsk(
            message_id=message.id,
            origin_kind=message.origin_kind,
            origin_id=message.origin_id,
            channel=message.channel,
            profile_id=message.profile_id,
            customer_id=customer_id,
            now=now,
        )
    )
    if answer is None:
        return None
    if isinstance(answer, guards.Wait):
        return Outcome(State.HELD, answer.reason, due_at=now + timedelta(seconds=answer.seconds))
    return Outcome(answer.state, answer.reason, decision=_asked(message, now) | dict(answer.because or {}))


def _asked(message: Claimed, now: datetime) -> dict[str, Any]:
    return {"guards": guards.names(message.origin_kind), "asked_at": now.isoformat()}


def place_of(error: BaseException) -> str:
    """Where it happened; a whole traceback might quote personal values."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"({frame.filename.rpartition('/')[2]}:{frame.lineno})"


def release(message: Claimed, detail: str, now: datetime) -> None:
    """Queue a message that was certainly not sent, after a failure of our own."""
    _write(message, after_crash(message, detail, now), now)


def _is_in_the_way(error: Exception) -> bool:
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return isinstance(error, pacing.Busy) or getattr(cause, "sqlstate", None) in _IN_THE_WAY


def _write(message: Claimed, outcome: Outcome, now: datetime) -> None:
    """Settle by a transaction of its own, after one that failed."""
    drop_broken_connection()
    try:
        settle(message, outcome, now)
    except (DatabaseError, psycopg.Error) as error:
        # The sweep finds it when the lease is over.
        logger.warning("not released: %s", describe(error), extra={"message_id": str(message.id)})


def drop_broken_connection() -> None:
    """Raw cursors do not tell Django of a lost connection; the next use must open a new one."""
    psycopg_connection = connection.connection
    if not connection.in_atomic_block and psycopg_connection is not None and psycopg_connection.closed:
        connection.close()
