"""History told again: beat by beat through the doors, the engine and the outbox, at the time it happened."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zlib import crc32

import orjson
from django.db import connection

from channels.dispatch import dispatch_all
from config.demo.lives import Message, Told
from consent.stage import apply_queued
from customers import jobs, keys
from customers.accept import strict_json
from customers.accept.batch import Outcome, Submission, accept
from customers.accept.segment import DOOR
from customers.hooks.interpret import QUEUE as BODIES
from customers.keys import Writer
from customers.models import Job
from customers.resolve import resolve_inbox
from customers.segments.stage import refresh_segments
from customers.work import work_once
from journeys.engine.advance import advance_due
from journeys.engine.calls.due import call_due
from journeys.engine.match import match_events
from journeys.engine.merges import follow_merges
from journeys.engine.recheck import recheck_parked
from journeys.entry.calls import KIND as CALL_IN
from journeys.entry.occurrences import call_scheduled
from journeys.models import Call

_CALL_SECONDS: Final = 20.0


def _call_in(now: datetime) -> int:
    """Tell the events of whoever a schedule calls; how many calls were made of them."""
    waiting = Job.objects.filter(kind=CALL_IN, state=Job.State.WAITING)
    before = waiting.count()
    jobs.work_on(lambda: now, _CALL_SECONDS)
    return before - waiting.count()


def _ask_others(now: datetime) -> int:
    """Make the calls of other systems that are due; how many there were."""
    due = Call.objects.filter(state=Call.State.WAITING, due_at__lte=now)
    before = due.count()
    call_due(lambda: now, _CALL_SECONDS)
    return before - due.count()


# The stages in the order of `journeys.engine.drain`, each with what tells that it has work: asking all of them is
# one question, working all of them in vain is thirty.
_STAGES: Final[tuple[tuple[str, Callable[[datetime], int]], ...]] = (
    ("EXISTS (SELECT 1 FROM customers_receivedbody WHERE status = 'waiting')", lambda now: work_once(BODIES, now)),
    ("EXISTS (SELECT 1 FROM customers_inbox)", resolve_inbox),
    ("EXISTS (SELECT 1 FROM consent_queue)", apply_queued),
    ("EXISTS (SELECT 1 FROM customers_merge_queue)", follow_merges),
    (
        "EXISTS (SELECT 1 FROM customers_segment_queue)"
        " OR EXISTS (SELECT 1 FROM customers_segment_turn WHERE due_at <= %(now)s)",
        refresh_segments,
    ),
    ("EXISTS (SELECT 1 FROM customers_match_queue)", match_events),
    ("EXISTS (SELECT 1 FROM journeys_recheck_queue)", recheck_parked),
    ("EXISTS (SELECT 1 FROM journeys_occurrence WHERE state = 'planned' AND at <= %(now)s)", call_scheduled),
    (f"EXISTS (SELECT 1 FROM customers_job WHERE kind = '{CALL_IN}' AND state = 'waiting')", _call_in),
    ("EXISTS (SELECT 1 FROM journeys_call WHERE state = 'waiting' AND due_at <= %(now)s)", _ask_others),
    ("EXISTS (SELECT 1 FROM journeys_run WHERE status = 1 AND due_at <= %(now)s)", advance_due),
)
_WAITING: Final = f"SELECT {', '.join(condition for condition, _stage in _STAGES)}"
_TO_SEND: Final = "SELECT EXISTS (SELECT 1 FROM channels_message WHERE state IN ('queued', 'held') AND due_at <= %s)"
_PATIENCE_SECONDS: Final = 600
_AT_ONCE: Final = 400
# Of two sources that speak of one person in one beat, the first is heard first.
_SOURCES: Final = ("shop", "app", "crm", "stores", "kiosks")
# From the last thing a person did in a beat back to the one before.
_PACE: Final = timedelta(seconds=6)


@dataclass(slots=True)
class Replay:
    """Plays messages into the company whose sources these are, by (brand, source)."""

    sources: dict[tuple[str, str], UUID]
    accepted: int = 0
    refused: int = 0
    _writers: dict[tuple[str, str], Writer] = field(default_factory=dict)

    def beat(self, now: datetime, told: Sequence[Told]) -> None:
        """Everything of one moment: what people did, what follows for their journeys, and the sending."""
        for (brand, source), messages in _by_sender(now, told):
            self.take(brand, source, messages, now)
        settle(now)

    def take(self, brand: str, source: str, messages: Sequence[Message], now: datetime) -> None:
        """Have the door accept messages, some hundred at once."""
        for start in range(0, len(messages), _AT_ONCE):
            outcome = self._accept(brand, source, messages[start : start + _AT_ONCE], now)
            self.accepted += outcome.accepted
            self.refused += len(outcome.refusals)

    def _accept(self, brand: str, source: str, messages: Sequence[Message], now: datetime) -> Outcome:
        document = strict_json.parse(orjson.dumps({"batch": messages}))
        return accept(Submission(document, DOOR, False, document.value["batch"]), self._writer(brand, source), now)

    def _writer(self, brand: str, source: str) -> Writer:
        if (brand, source) not in self._writers:
            writer = keys.writer_of(self.sources[brand, source])
            if writer is None:
                raise LookupError(f"the source {source} of {brand} takes nothing")
            self._writers[brand, source] = writer
        return self._writers[brand, source]


def settle(now: datetime) -> None:
    """Let every stage that has work do it, until none has; then send what is due."""
    while work := [stage for waits, stage in zip(_ask(now), _STAGES, strict=True) if waits]:
        if not sum(stage(now) for _condition, stage in work):
            break
    with connection.cursor() as cursor:
        cursor.execute(_TO_SEND, [now])
        [due] = cursor.fetchone()
    if due:
        dispatch_all(now, stop_after_seconds=_PATIENCE_SECONDS)


def _ask(now: datetime) -> Iterable[bool]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"now": now})
        row: tuple[bool, ...] = cursor.fetchone()
    return row


def _by_sender(now: datetime, told: Sequence[Told]) -> list[tuple[tuple[str, str], list[Message]]]:
    """The messages by sender, each with the second it happened at: one after the other for each person."""
    follow: dict[str, int] = defaultdict(int)
    by_sender: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for one in reversed(told):
        message = one.message
        who = str(message.get("userId") or message.get("anonymousId"))
        at = now - _lag(message) - follow[who] * _PACE
        follow[who] += 1
        by_sender[one.brand, one.source].append({"timestamp": at.isoformat()} | message)
    senders = sorted(by_sender, key=lambda sender: (sender[0], _SOURCES.index(sender[1])))
    return [(sender, by_sender[sender][::-1]) for sender in senders]


def _lag(message: Message) -> timedelta:
    """How long the message was on its way, the same each time it is told."""
    return timedelta(milliseconds=180 + crc32(str(message.get("messageId", "")).encode()) % 2600)


def by_beat(told: Iterable[Told]) -> dict[datetime, list[Told]]:
    """The messages of each beat, in the order of the people."""
    beats: dict[datetime, list[Told]] = defaultdict(list)
    for one in told:
        beats[one.at].append(one)
    return beats
