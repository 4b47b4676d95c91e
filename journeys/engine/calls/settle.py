"""Settling: what becomes of a call that was made: answered, tried again, failed for good, or no longer needed.

Written in one transaction with the run locked first, as whoever moves the run has it. A run that is answered is due at
once, and the stage of timers moves it on; of one that left meanwhile nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from django.db import transaction
from psycopg.types.json import Jsonb

from channels.web import CallError, Reply
from customers.pg import raw_cursor
from journeys.compiling import version
from journeys.engine.calls.claim import Claimed
from journeys.engine.calls.step import Calling, calling
from journeys.engine.calls.wake import wake
from journeys.models import Call
from journeys.reply import BadReply, read_reply
from journeys.retry import Tried, and_then, next_delay
from journeys.steps.base import drawn
from journeys.variables import VariableDef

MOST_CRASHES: Final = 5
_EXCERPT: Final = 2_000
_LONGEST_ASK: Final = 10**7
_PARTS: Final = 2**32

# Until when it waits, and whether its journey's time stands: then nothing of it runs out.
_LOCK: Final = """
    SELECT coalesce(r.waits_until, r.due_at, r.rests_due_at), EXISTS (
        SELECT 1 FROM journeys_halt h
        WHERE h.journey_id = r.journey_id AND h.settled_at IS NULL AND h.waiting = 'time_stands'
    )
    FROM journeys_run r WHERE r.id = %b FOR NO KEY UPDATE
"""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_SETTLE: Final = """
    UPDATE journeys_call SET state = %b, error = %b, status = %b, tries = %b, attempts = attempts + %b,
        due_at = coalesce(%b::timestamptz, due_at), settled_at = %b, lease_token = NULL
    WHERE id = %b AND state = 'calling' AND lease_token = %b
"""
_CONTENT: Final = "UPDATE journeys_callcontent SET reply = %b, gave = %b WHERE call_id = %b"
_State = Call.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of it. With `due_at` it is made again, without it is settled."""

    state: Call.State
    error: str = ""
    status: int | None = None
    due_at: datetime | None = None
    # For how long the other side asked to be left alone.
    asked: timedelta | None = None
    gave: dict[str, Any] | None = None
    reply: str = ""
    attempts: int = 1
    # The ledger entry by which nobody may be told.
    consent: int | None = None

    @property
    def is_final(self) -> bool:
        return self.state in (_State.ANSWERED, _State.FAILED)


@dataclass(frozen=True, slots=True)
class _Failed:
    error: str
    status: int | None = None
    asked: timedelta | None = None
    reply: str = field(default="", repr=False)


LEFT: Final = Outcome(_State.LEFT, attempts=0)


def step_of(call: Claimed) -> Calling:
    return calling(version(call.version_id).steps[call.step])


def judge(
    step: Calling,
    declared: Sequence[VariableDef],
    tried: Sequence[Tried],
    answer: Reply | CallError,
    until: datetime | None,
    now: datetime,
    fraction: float,
) -> Outcome:
    """What comes of an answer, after those attempts that failed before. Pure. `until` is when the time of the whole
    step is over; `fraction` is where a spread pause falls."""
    found = _read(step, answer, declared, now)
    if isinstance(found, Outcome):
        return found
    delay = next_delay(step.retry, and_then(tried, Tried(found.error, found.asked)), fraction)
    # Nobody waits in vain for an attempt that would come too late.
    is_over = delay is None or until is None or now + delay >= until
    return Outcome(
        _State.FAILED if is_over else _State.WAITING,
        found.error,
        found.status,
        None if delay is None or is_over else now + delay,
        reply=found.reply,
        asked=found.asked,
    )


def _read(
    step: Calling, answer: Reply | CallError, declared: Sequence[VariableDef], now: datetime
) -> Outcome | _Failed:
    if isinstance(answer, CallError):
        return _Failed(answer.name)
    words = _excerpt(answer)
    if not 200 <= answer.status < 300:
        return _Failed(f"status_{answer.status}", answer.status, asked_of(answer, now), words)
    try:
        gave = read_reply(step.reply, declared, answer.body)
    except BadReply:
        return _Failed("bad_reply", answer.status, reply=words)
    return Outcome(_State.ANSWERED, status=answer.status, gave=gave, reply=words)


def _excerpt(answer: Reply) -> str:
    """The beginning of a reply as staff may read it: without the secrets by which the other side knows us."""
    most = 4 * _EXCERPT
    words = answer.body[:most].decode("utf-8", "replace").replace("\x00", "�")
    for secret in answer.secrets:
        words = words.replace(secret, "•••")
    if answer.secrets and len(answer.body) > most:
        # What was cut may end in the beginning of one.
        words = words[: -max(map(len, answer.secrets))]
    return words[:_EXCERPT]


def _judged(call: Claimed, answer: Reply | CallError, until: datetime | None, now: datetime) -> Outcome:
    declared = version(call.version_id).definition.variables
    fraction = drawn(f"{call.run_id}:{call.visit}:{sum(one.times for one in call.tried)}", _PARTS) / _PARTS
    return judge(step_of(call), declared, call.tried, answer, until, now, fraction)


def _told(call: Claimed, outcome: Outcome, now: datetime) -> list[dict[str, Any]]:
    """The attempts that failed, as they are kept."""
    *_earlier, last = tried = and_then(call.tried, Tried(outcome.error, outcome.asked))
    told: dict[str, Any] = {"at": now.isoformat(), "error": outcome.error}
    if outcome.asked is not None:
        told["asked"] = outcome.asked.total_seconds()
    if last.times > 1:
        told["times"] = last.times
    if outcome.consent is not None:
        told["consent"] = outcome.consent
    return [*call.told[: len(tried) - 1], told]


def asked_of(answer: Reply, now: datetime) -> timedelta | None:
    """For how long the other side asks to be left alone: Retry-After, in seconds or as a date."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdecimal():
        return timedelta(seconds=min(int(told[:12]), _LONGEST_ASK))
    try:
        until = parsedate_to_datetime(told)
        return max(until - now, timedelta()) if until.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None


def settle(call: Claimed, answer: Reply | CallError | Outcome, now: datetime) -> Outcome | None:
    """Write what became of it; None where the lease is somebody else's by now."""
    with transaction.atomic(), raw_cursor() as cursor:
        until, stands = cursor.execute(_LOCK, [call.run_id]).fetchone() or (None, False)
        outcome = answer if isinstance(answer, Outcome) else _judged(call, answer, _NEVER if stands else until, now)
        told = _told(call, outcome, now) if outcome.error else call.told
        settled_at = None if outcome.due_at else now
        values = [outcome.state.value, outcome.error, outcome.status, Jsonb(told), outcome.attempts, outcome.due_at]
        if not cursor.execute(_SETTLE, [*values, settled_at, call.id, call.token]).rowcount:
            return None
        if outcome.reply or outcome.gave is not None:
            gave = None if outcome.gave is None else Jsonb(outcome.gave)
            cursor.execute(_CONTENT, [outcome.reply, gave, call.id])
        if outcome.is_final:
            wake(cursor, [call.run_id], now)
    return outcome
