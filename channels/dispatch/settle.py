"""Settling: what becomes of a message in hand, written in one statement."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from channels.care.breaker import SETTINGS_REST
from channels.dispatch.claim import Claimed
from channels.models import Message, Reason
from channels.providers.base import Blame, DeliveryError, Outgoing
from customers.pg import raw_cursor

MAX_TRIES: Final = 8
MAX_CRASHES: Final = 5
_FIRST_BACK_OFF: Final = 30.0
_LAST_BACK_OFF: Final = 900.0
_DETAIL: Final = 500
# Whoever had the connector rest comes back behind those who waited for it, lest it do so again and again.
_BEHIND: Final = timedelta(seconds=1)

# Jitter is no secret, but a process that forks must not share its sequence.
_jitter = random.SystemRandom()

State = Message.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state a message goes to. With `due_at` it comes back, without it is settled."""

    state: str
    reason: str = ""
    detail: str = ""
    due_at: datetime | None = None
    tries: int = 0
    crashes: int = 0
    provider_id: str = ""
    consent_id: int | None = None
    # What was asked and what decided, kept for whoever asks why.
    decision: dict[str, Any] | None = None
    # The provider has, or may have, this copy: nobody else's to the same address goes out today.
    taken: bool = False


_SETTLE = """
    WITH message AS (
        UPDATE channels_message SET
            state = %(state)s, reason = %(reason)s, detail = %(detail)s,
            due_at = CASE WHEN %(due_at)s::timestamptz IS NULL THEN due_at
                          ELSE least(%(due_at)s::timestamptz, expires_at) END,
            settled_at = CASE WHEN %(due_at)s::timestamptz IS NULL THEN %(now)s::timestamptz END,
            attempts = attempts + %(tries)s, crashes = crashes + %(crashes)s,
            provider_id = %(provider_id)s, send_consent_id = coalesce(%(consent_id)s, send_consent_id),
            decision = coalesce(%(decision)s, decision), locale = coalesce(%(locale)s::text, locale),
            lease_token = NULL, leased_until = NULL
        WHERE id = %(id)s AND lease_token = %(token)s AND state IN ('leased', 'dispatching')
        RETURNING id, address_id, copy_key
    )
"""
_NOT_TAKEN = _SETTLE + (
    "DELETE FROM channels_recentsend r USING message m"
    " WHERE r.address_id = m.address_id AND r.copy_key = m.copy_key AND r.message_id = m.id"
)
_TAKEN = _SETTLE + (
    "UPDATE channels_messagecontent t SET subject = %(subject)s, body = %(body)s, pulled = %(pulled)s"
    " FROM message m WHERE t.message_id = m.id"
)


_KEPT = _SETTLE + "SELECT count(*) FROM message"


def settle(message: Claimed, outcome: Outcome, now: datetime, outgoing: Outgoing | None = None) -> None:
    """Write the outcome, if the message is still this worker's; what was taken keeps the words it had."""
    outcome = _kept(message, outcome)
    values = {
        "id": message.id,
        "token": message.token,
        "now": now,
        "state": outcome.state,
        "reason": outcome.reason,
        "detail": outcome.detail[:_DETAIL],
        "due_at": outcome.due_at,
        "tries": outcome.tries,
        "crashes": outcome.crashes,
        "provider_id": outcome.provider_id[:200],
        "consent_id": outcome.consent_id,
        "decision": None if outcome.decision is None else Jsonb(outcome.decision),
        "locale": _locale(outcome, outgoing),
    }
    with raw_cursor() as cursor:
        if not outcome.taken:
            cursor.execute(_NOT_TAKEN, values, prepare=True)
        elif outgoing is None:
            cursor.execute(_KEPT, values, prepare=True)
        else:
            body = {
                "subject": outgoing.subject,
                "body": outgoing.kept or outgoing.html or outgoing.text,
                "pulled": Jsonb(outgoing.pulled) if outgoing.pulled else None,
            }
            cursor.execute(_TAKEN, values | body, prepare=True)


def _kept(message: Claimed, outcome: Outcome) -> Outcome:
    """What the provider may have by an earlier call keeps its copy and counts for others, and is not told as not sent,
    whatever ends it now. Only a refusal of the very copy says that there is none."""
    if not message.may_be_taken or outcome.taken or outcome.reason == Reason.REFUSED:
        return outcome
    if outcome.due_at is None:
        outcome = replace(outcome, state=State.UNKNOWN, reason=Reason.INTERRUPTED)
    return replace(outcome, taken=True)


def _locale(outcome: Outcome, outgoing: Outgoing | None) -> str | None:
    """None leaves what an earlier call had."""
    if not outcome.taken:
        return ""
    return None if outgoing is None else outgoing.locale


def back_off(tries: int) -> timedelta:
    """Exponential with full jitter, so that many messages of one trouble do not come back together."""
    longest = min(_LAST_BACK_OFF, _FIRST_BACK_OFF * 2.0 ** (tries - 1))
    return timedelta(seconds=max(1.0, _jitter.uniform(0, longest)))


def after_trouble(message: Claimed, error: DeliveryError, now: datetime, *, repeatable: bool) -> Outcome:
    """What a provider's error means; `repeatable`: it recognises a second call with the same key."""
    detail = _without_address(error.detail, message)
    maybe = error.accepted == "maybe"
    tries = message.attempts + 1
    if maybe and (not repeatable or tries >= MAX_TRIES):
        return Outcome(State.UNKNOWN, Reason.INTERRUPTED, detail, tries=1, taken=True)
    if error.permanent:
        return Outcome(State.FAILED, Reason.REFUSED, detail, tries=1)
    if error.blame is Blame.SETTINGS:
        # Nothing that this message would change: it waits for whoever mends the connector, and is no try.
        return Outcome(State.QUEUED, Reason.TROUBLE, detail, now + SETTINGS_REST + _BEHIND)
    if error.retry_after is not None:
        due_at = now + timedelta(seconds=error.retry_after) + _BEHIND
        return Outcome(State.QUEUED, Reason.TROUBLE, detail, due_at, taken=maybe)
    if tries >= MAX_TRIES:
        return Outcome(State.FAILED, Reason.TROUBLE, detail, tries=1)
    return Outcome(State.QUEUED, Reason.TROUBLE, detail, now + back_off(tries), tries=1, taken=maybe)


def in_the_way(now: datetime) -> Outcome:
    """Somebody holds what this one needs, for no longer than a call: no try, and no fault."""
    return Outcome(State.HELD, Reason.BUSY, due_at=now + timedelta(seconds=_jitter.uniform(1, 2)))


def after_crash(message: Claimed, detail: str, now: datetime) -> Outcome:
    """Our own failure before the call: nothing was sent, so it may be tried again, alone and not for ever."""
    crashes = message.crashes + 1
    if crashes >= MAX_CRASHES:
        return Outcome(State.FAILED, Reason.CRASHED, detail, crashes=1)
    return Outcome(State.QUEUED, detail=detail, due_at=now + timedelta(seconds=2.0**crashes), crashes=1)


def _without_address(detail: str, message: Claimed) -> str:
    """Servers like to quote the recipient; the outbox row keeps no personal data."""
    for value in (message.address_original, message.address):
        if value:
            detail = detail.replace(value, "…").replace(value.lower(), "…")
    return detail
