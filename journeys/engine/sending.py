"""Message steps that runs left behind, as messages: to which address, saying what, and what makes them needless."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from psycopg import Cursor

from channels.models import Message
from channels.outbox import Contexts, NewMessage, write_messages
from channels.reached import reached
from consent import screens
from consent.permission import Choice, Want, choose_addresses
from customers import bells
from customers.pg import copy_rows
from journeys.engine.walk import Send
from journeys.version import Sending

_WATCH = (("message_id", "uuid"), ("run_id", "int8"), ("version_id", "int4"), ("step", "int2"))
# The variables of each message's run. A run without them is an error: null is refused.
_CONTEXTS = """
    SELECT u.message_id, (SELECT c.variables FROM journeys_runcontext c WHERE c.run_id = u.run_id), NULL::jsonb
    FROM unnest(%b::uuid[], %b::bigint[]) AS u(message_id, run_id)
"""
# The same with what they hold in their typed variables.
_CONTEXTS_AND_VARIABLES = """
    SELECT u.message_id, (SELECT c.variables FROM journeys_runcontext c WHERE c.run_id = u.run_id), u.said::jsonb
    FROM unnest(%b::uuid[], %b::bigint[], %b::text[]) AS u(message_id, run_id, said)
"""
_ORIGIN, _QUEUED, _SUPPRESSED = Message.Origin.RUN.value, Message.State.QUEUED.value, Message.State.SUPPRESSED.value


def send(cursor: Cursor[Any], sends: Sequence[Send], choices: dict[Want, list[Choice]], now: datetime) -> None:
    """Choose the addresses of all messages at once, but those in `choices`, which gains them; what cannot be sent is a
    message with its reason."""
    if not sends:
        return
    sendings = [one.run.version.sendings[one.step] for one in sends]
    messages, run_ids, said, watches = [], [], list[str | None](), []
    for one, sending, reached_by in zip(sends, sendings, _choose(sends, sendings, choices, now), strict=True):
        for choice in reached_by:
            message = _message(one, sending, choice, now)
            messages.append(message)
            run_ids.append(one.run.id)
            said.append(None if one.variables is None else orjson.dumps(one.variables).decode())
            watched = one.step if sending.own_cancels else one.timed_out_step
            if watched is not None and choice.verdict.allowed:
                watches.append((message.id, one.run.id, one.run.version.id, watched))
    _make_screens(cursor, messages, now)
    where: list[Any] = [[message.id for message in messages], run_ids]
    contexts = Contexts(_CONTEXTS_AND_VARIABLES, [*where, said]) if any(said) else Contexts(_CONTEXTS, where)
    write_messages(cursor, messages, contexts)
    bells.ring("dispatch")
    if watches:
        copy_rows(cursor, "journeys_cancelwatch", _WATCH, watches)


def _choose(
    sends: Sequence[Send], sendings: Sequence[Sending], choices: dict[Want, list[Choice]], now: datetime
) -> list[list[Choice]]:
    wants = [
        Want(one.run.customer_id, sending.channel, sending.purpose_id)
        for one, sending in zip(sends, sendings, strict=True)
    ]
    unchosen = [want for want in dict.fromkeys(wants) if want not in choices]
    if unchosen:
        choices.update(zip(unchosen, choose_addresses(unchosen, now), strict=True))
    return reached(sendings, [choices[want] for want in wants])


def _make_screens(cursor: Cursor[Any], messages: Sequence[NewMessage], now: datetime) -> None:
    own = [one for one in messages if one.channel in screens.CHANNELS and one.address_id is not None]
    screens.make(cursor, ((one.channel, one.profile_id) for one in own), now)


def _message(sent: Send, sending: Sending, choice: Choice, now: datetime) -> NewMessage:
    run, allowed = sent.run, choice.verdict.allowed
    return NewMessage(
        brand_id=run.version.brand_id,
        origin_kind=_ORIGIN,
        origin_id=str(run.id),
        visit=sent.visit,
        copy_key=sending.copy_key + run.entry_key,
        scope_id=run.version.journey_id,
        channel=sending.channel,
        connector_id=sending.connector_id,
        template_version_id=sending.template_version_ids[sent.variant or 0],
        purpose_id=sending.purpose_id,
        profile_id=choice.profile_id or run.profile_id,
        address_id=choice.address_id,
        created_at=now,
        due_at=now,
        expires_at=sent.since + sending.not_later_than,
        entry_consent_id=choice.verdict.entry_id,
        state=_QUEUED if allowed else _SUPPRESSED,
        reason=choice.verdict.reason,
        settled_at=None if allowed else now,
        address_verified_at=choice.verified_at,
        address_seen_at=choice.seen_at,
        addresses_known=choice.known,
        priority=run.version.definition.entry.priority,
    )
