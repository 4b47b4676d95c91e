"""What is due goes out: one connector's batch, and the round over all connectors."""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from channels.accounts import service_of
from channels.approvals.book import Book, books
from channels.care.mind import minding
from channels.care.state import Leave, ask_leave
from channels.dispatch import window
from channels.dispatch.claim import REST, Batch, Claimed, PutOff, claim, give_back
from channels.dispatch.compose import Texts, compose, load_extras
from channels.dispatch.extras import Fail, Fault, Later, Trouble
from channels.dispatch.send import Sender, drop_broken_connection, place_of, release
from channels.dispatch.settle import Outcome, State, after_trouble, back_off, settle
from channels.dispatch.slots import slot
from channels.liquid import Abort
from channels.models import Connector, Reason
from channels.providers import base
from channels.push.serving import Devices, devices_of
from channels.templates import MissingFieldError, TemplateError, TemplateLimitError
from customers.pg import raw_cursor
from customers.work import describe

logger = logging.getLogger(__name__)

BATCH: Final = 100
# Messages whose worker died before go one by one, and do not hold up the others for long.
_SUSPECTS: Final = 20
# What is put off is written and not worked on.
_PUT_OFF: Final = 1_000


def dispatch_due(connector_id: UUID, now: datetime, limit: int = BATCH, seconds: float | None = None) -> int:
    """Send what is due by one connector, for `seconds` at most; return how many messages were looked at.

    `now` is the time of the first claim; from there on it advances as the work does.
    """
    connector = Connector.objects.select_related("brand").get(pk=connector_id)
    provider = _provider(connector)
    certain = base.is_certain(connector.provider)
    if provider is None:
        return _put_off(connector_id, PutOff(Reason.CONNECTOR_OFF, now + REST), now, certain)
    leave = ask_leave(connector, now, limit)
    if not leave.count:
        # By its rate it has its turn in a moment; all else takes longer, and says so.
        rest = PutOff(leave.reason, leave.until) if leave.until and leave.reason else None
        return _put_off(connector_id, rest, now, certain) if rest else 0
    clock = ticking(now)
    until = time.monotonic() + (settings.LEASE_SECONDS if seconds is None else seconds)
    with provider.open() as session, minding(connector, leave, clock) as mind:
        sender = Sender(
            session,
            provider.takes_idempotency_key,
            clock,
            mind,
            provider.keeps_window,
            _reader(connector, provider),
            certain,
        )
        # Where there is leave for so many only, those whose worker died have a share of it as well.
        share = min(_SUSPECTS, leave.count // 5) if leave.is_limited else 0
        looked_at = _work(sender, claim(connector_id, now, leave.count - share, certain=certain), until)
        for _suspect in range(min(_SUSPECTS, leave.count - mind.begun) if _is_scarce(leave) else _SUSPECTS):
            if time.monotonic() >= until or mind.is_resting:
                break
            alone = _work(sender, claim(connector_id, clock(), 1, suspects=True, certain=certain), until)
            if not alone:
                break
            looked_at += alone
        return looked_at


def _reader(connector: Connector, provider: base.Provider) -> Callable[[Sequence[Claimed]], Devices]:
    return lambda messages: devices_of(connector, provider.reaches, (message.address_id for message in messages))


def _is_scarce(leave: Leave) -> bool:
    return leave.is_limited or leave.is_probe


def _put_off(connector_id: UUID, off: PutOff, now: datetime, certain: bool) -> int:
    return sum(
        claim(connector_id, now, _PUT_OFF, suspects=suspects, off=off, certain=certain).looked_at
        for suspects in (False, True)
    )


def ticking(now: datetime) -> Callable[[], datetime]:
    """A clock that shows `now` and goes on from there."""
    start = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - start)


def _provider(connector: Connector) -> base.Provider | None:
    """None when nothing can go out: switched off, or its settings do not fit."""
    if not connector.is_active:
        return None
    try:
        service = service_of(connector)
    except base.ConfigurationError as error:
        logger.error("connector %s is unusable: %s", connector.pk, error)
        return None
    return service if isinstance(service, base.Provider) else None


def _work(sender: Sender, batch: Batch, until: float) -> int:
    # Begun only in the first half of the lease: what is begun late would be taken for a dead worker's.
    start_by = min(until, time.monotonic() + settings.LEASE_SECONDS / 2)
    words = _words(sender, batch.messages)
    for place, message in enumerate(batch.messages):
        rest = batch.messages[place + 1 :]
        if time.monotonic() >= start_by:
            give_back([message, *rest], sender.clock())
            break
        if not _handle(sender, message, words):
            # The provider cannot be reached: the others need not find out one by one.
            give_back(rest, sender.clock() + back_off(1))
            break
        if sender.mind.is_resting:
            # It was the last straw; what rests is put off by whoever looks next, with the reason.
            give_back(rest, sender.clock())
            break
    return batch.looked_at


@dataclass(frozen=True, slots=True)
class _Words:
    """What a batch is written from, read at once for all of it."""

    texts: Texts
    devices: Devices
    # By message whose text names any.
    extras: Mapping[UUID, Mapping[str, Any] | Trouble]
    # Of a connector whose provider approves templates, as far as it is known.
    book: Book | None


def _words(sender: Sender, messages: Sequence[Claimed]) -> _Words:
    texts = Texts.load(message.template_version_id for message in messages)
    # Half of the time in which messages may be begun, so that some of them are.
    until = time.monotonic() + settings.LEASE_SECONDS / 4
    connectors = {message.connector_id for message in messages} if sender.keeps_window else set()
    book = next(iter(books(connectors, sender.clock()).values()), None) if connectors else None
    return _Words(texts, sender.devices_of(messages), load_extras(messages, texts, sender.clock(), until), book)


def _handle(sender: Sender, message: Claimed, words: _Words) -> bool:
    """Bring one message as far as it gets; False when the provider cannot be reached at all."""
    try:
        outgoing = _compose(sender, message, words)
        if outgoing is None:
            return True
        if not _connected(sender, message):
            return False
        if _met(sender, message, outgoing):
            sender.send(message, outgoing)
    except Exception as error:
        # A fault of ours must not take the rest of the batch with it.
        logger.error("not handled: %s %s", describe(error), place_of(error), extra={"message_id": str(message.id)})
        release(message, describe(error), sender.clock())
    return True


def _compose(sender: Sender, message: Claimed, words: _Words) -> base.Outgoing | None:
    """The words, or None when it ends here: late, without an address, or without words."""
    now = sender.clock()
    if message.expires_at <= now:
        settle(message, Outcome(State.EXPIRED, Reason.LATE), now)
        return None
    if message.address_id is None or message.address is None:
        settle(message, Outcome(State.SUPPRESSED, Reason.NO_ADDRESS), now)
        return None
    if not words.devices.serve(message.channel, message.address_id, message.address):
        settle(message, Outcome(State.SUPPRESSED, Reason.NOT_SERVED), now)
        return None
    more = words.extras.get(message.id)
    if isinstance(more, Trouble):
        _without_extras(message, more, now)
        return None
    try:
        keys = words.devices.keys.get(message.address_id)
        outgoing = compose(message, words.texts, message.address_id, now, keys, more)
        refusal = window.refusal(message, outgoing, words.book, now) if sender.keeps_window else None
        if refusal is None:
            return outgoing
        settle(message, refusal, now)
    except Abort as aborted:
        settle(message, Outcome(State.SUPPRESSED, Reason.ABORTED, str(aborted)), now)
    except TemplateLimitError as error:
        settle(message, Outcome(State.FAILED, Reason.TEMPLATE_LIMIT, str(error)), now)
    except MissingFieldError as error:
        settle(message, Outcome(State.FAILED, Reason.MISSING_FIELD, str(error)), now)
    except TemplateError as error:
        settle(message, Outcome(State.FAILED, Reason.TEMPLATE_ERROR, str(error)), now)
    return None


def _without_extras(message: Claimed, trouble: Trouble, now: datetime) -> None:
    """What became of a message that lacks what its text names: it alone is failed, put off, or tried again."""
    match trouble:
        case Fail():
            settle(message, Outcome(State.FAILED, trouble.reason, trouble.detail), now)
        case Later():
            due_at = now + timedelta(seconds=trouble.seconds)
            settle(message, Outcome(State.QUEUED, trouble.reason, trouble.detail, due_at), now)
        case Fault():
            release(message, trouble.detail, now)


def _connected(sender: Sender, message: Claimed) -> bool:
    try:
        sender.session.prepare(time.monotonic() + settings.PROVIDER_DEADLINE_SECONDS)
    except base.DeliveryError as error:
        now = sender.clock()
        sender.mind.failed(error, 0.0)
        settle(message, after_trouble(message, error, now, repeatable=sender.repeatable), now)
        return False
    return True


def _met(sender: Sender, message: Claimed, outgoing: base.Outgoing) -> bool:
    """Whether the place of this message can be spoken to; what cannot be says nothing of others."""
    if not isinstance(sender.session, base.Meets):
        return True
    try:
        sender.session.meet(outgoing, time.monotonic() + settings.PROVIDER_DEADLINE_SECONDS)
    except base.DeliveryError as error:
        now = sender.clock()
        sender.mind.failed(error, 0.0)
        settle(message, after_trouble(message, error, now, repeatable=sender.repeatable), now)
        return False
    return True


# Whoever is in trouble gets one worker at a time: it may take each as long as a call may last.
_DUE = """
    SELECT c.id, CASE WHEN s.failures > 0 OR s.rests > 0 THEN 1 ELSE c.concurrency END
    FROM channels_connector c LEFT JOIN channels_connectorstate s ON s.connector_id = c.id
    WHERE EXISTS (
        SELECT 1 FROM channels_message m
        WHERE m.connector_id = c.id AND m.state IN ('queued', 'held') AND m.due_at <= %s
    )
"""


def dispatch_all(now: datetime, stop_after_seconds: float = 20) -> int:
    """Go round the connectors that have something due until nothing is left or time is up."""
    clock = ticking(now)
    until = time.monotonic() + stop_after_seconds
    total = 0
    while time.monotonic() < until:
        looked_at = _round(clock, until)
        total += looked_at
        if not looked_at:
            break
    return total


def _round(clock: Callable[[], datetime], until: float) -> int:
    with raw_cursor() as cursor:
        cursor.execute(_DUE, [clock()])
        due = cursor.fetchall()
    looked_at = 0
    # In random order: workers spread over the connectors, and a slow one is nobody's first.
    for connector_id, concurrency in random.sample(due, len(due)):
        left = until - time.monotonic()
        if left <= 0:
            break
        with slot(connector_id, concurrency) as free:
            if free:
                looked_at += _dispatch(connector_id, clock(), left)
    return looked_at


def _dispatch(connector_id: UUID, now: datetime, seconds: float) -> int:
    """One connector's turn; what is wrong with it is nobody else's trouble."""
    try:
        return dispatch_due(connector_id, now, seconds=seconds)
    except Exception as error:
        whose = {"connector_id": str(connector_id)}
        logger.error("not dispatched: %s %s", describe(error), place_of(error), extra=whose)
        drop_broken_connection()
        return 0
