"""Pausing, resuming and stopping a broadcast. Once `pause` or `stop` has returned, no call to a provider of it begins
any more (channels.stops). What a stop leaves in the outbox is taken back in pieces, by whoever works on broadcasts."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg import Cursor

from channels import stops
from channels.broadcasts.states import UNDER_WAY, By, NotPossible, NotThere, State, await_those_at_work, move
from channels.broadcasts.tally import count
from channels.dispatch.claim import MAY_BE_TAKEN
from channels.models import Broadcast, BroadcastRecipient, SendStop
from channels.outbox import TAKEN_BACK
from channels.providers.base import is_certain
from customers import bells
from customers.pg import raw_cursor

# What a broadcast's own verbs set a stop by, so that they lift no other.
PAUSED: Final = "paused"
STOPPED: Final = "stopped"
PIECE: Final = 5_000

# What the provider may have from an earlier call is not told as taken back.
_CANCEL: Final = f"""
    WITH left_over AS (
        SELECT m.id, NOT %(certain)s AND {MAY_BE_TAKEN} AS may_be_taken FROM channels_message m
        WHERE m.connector_id = %(connector)s AND m.scope_id = %(broadcast)s AND m.state IN ('queued', 'held')
        ORDER BY m.id LIMIT %(most)s FOR UPDATE OF m SKIP LOCKED
    )
    UPDATE channels_message m SET {TAKEN_BACK} FROM left_over l WHERE m.id = l.id
"""
# Each so long behind the one before it as the throttle has it; what is too late by then is told so when it is due.
_WAKE: Final = """
    UPDATE channels_message m SET due_at = least(%(now)s + w.place * %(apart)s, m.expires_at)
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM (
            SELECT id FROM channels_message
            WHERE connector_id = %(connector)s AND scope_id = %(broadcast)s AND state = 'held'
              AND reason = 'stopped' AND due_at > %(now)s
            ORDER BY id FOR UPDATE SKIP LOCKED
        ) held
    ) w WHERE m.id = w.id
"""
_SETTLE: Final = """
    WITH left_over AS (
        SELECT id FROM channels_broadcastrecipient
        WHERE broadcast_id = %b AND is_pilot = %b AND outcome = '' ORDER BY zone, id LIMIT %b FOR UPDATE SKIP LOCKED
    )
    UPDATE channels_broadcastrecipient r SET outcome = 'stopped', settled_at = %b FROM left_over l WHERE r.id = l.id
"""
_IN_OUTBOX: Final = """
    EXISTS (
        SELECT 1 FROM channels_message
        WHERE connector_id = %(connector)s AND scope_id = %(broadcast)s AND state IN ('queued', 'held')
    ) OR EXISTS (
        SELECT 1 FROM channels_message WHERE state IN ('leased', 'dispatching') AND scope_id = %(broadcast)s
    )
"""
_IS_LEFT: Final = f"""
    EXISTS (SELECT 1 FROM channels_broadcastrecipient WHERE broadcast_id = %(broadcast)s AND outcome = '')
        OR {_IN_OUTBOX}
"""


def pause(broadcast: Broadcast, by: By, now: datetime, why: str = "") -> None:
    """Rest where it is. Raises NotPossible."""
    with transaction.atomic():
        try:
            move(broadcast.pk, State.PAUSED, now, by=by, why=why, begins=UNDER_WAY)
        except NotThere:
            raise NotPossible(_("Only what is under way can be paused.")) from None
        stops.stop(broadcast.pk, by.user_id, PAUSED, now)


def resume(broadcast: Broadcast, by: By, now: datetime, why: str = "") -> None:
    """Go on where it was paused, what was held meanwhile too. Raises NotPossible."""
    with transaction.atomic():
        came_from = Broadcast.objects.values_list("came_from", flat=True).get(pk=broadcast.pk)
        try:
            move(broadcast.pk, came_from, now, by=by, why=why, begins=(State.PAUSED,))
        except NotThere:
            raise NotPossible(_("Only what is paused can be resumed.")) from None
        if SendStop.objects.filter(scope_id=broadcast.pk, released_at=None, reason=PAUSED).exists():
            stops.release(broadcast.pk, now)
    with transaction.atomic(), raw_cursor() as cursor:
        # No more of them lie in the outbox than a statement takes; a row in a worker's hands comes back by itself.
        apart = timedelta(minutes=1) / broadcast.per_minute if broadcast.per_minute else timedelta(0)
        values = {"now": now, "apart": apart, "connector": broadcast.connector_id, "broadcast": broadcast.pk}
        cursor.execute(_WAKE, values)
    bells.ring("broadcasts")
    bells.ring("dispatch")


def stop(broadcast: Broadcast, by: By, now: datetime, why: str = "", numbers: Mapping[str, Any] | None = None) -> None:
    """End it for good: what was not handed over is not sent. Raises NotPossible."""
    with transaction.atomic():
        try:
            move(broadcast.pk, State.STOPPED, now, by=by, why=why, numbers=numbers)
        except NotThere:
            raise NotPossible(_("It is over, or was never started.")) from None
        # One that a pause set stands on.
        stops.stop(broadcast.pk, by.user_id, STOPPED, now)
        SendStop.objects.filter(scope_id=broadcast.pk, released_at=None, reason=PAUSED).update(reason=STOPPED)
    bells.ring("broadcasts")


def clear(broadcast: Broadcast, now: datetime) -> bool:
    """Take back a piece of what a stopped one has left; False once nothing is left, or nothing but in others' hands."""
    with transaction.atomic(), raw_cursor() as cursor:
        # Whoever began to write before the stop is through after this; nobody begins any more.
        await_those_at_work(cursor, broadcast.pk)
        done = _settle(cursor, broadcast.pk, now)
        certain = is_certain(broadcast.connector.provider)
        values = _where(broadcast) | {"now": now, "most": PIECE, "certain": certain, "reason": STOPPED}
        done += cursor.execute(_CANCEL, values).rowcount
        if done:
            return True
        if not is_anything_left(cursor, broadcast):
            Broadcast.objects.filter(pk=broadcast.pk).update(is_cleared=True)
    return False


def is_anything_left(cursor: Cursor[Any], broadcast: Broadcast) -> bool:
    """Whether a recipient waits, or a message."""
    [[is_left]] = cursor.execute(f"SELECT {_IS_LEFT}", _where(broadcast)).fetchall()
    return bool(is_left)


def is_in_outbox(cursor: Cursor[Any], broadcast: Broadcast) -> bool:
    """Whether a message waits, or is in a worker's hands."""
    [[is_left]] = cursor.execute(f"SELECT {_IN_OUTBOX}", _where(broadcast)).fetchall()
    return bool(is_left)


def _where(broadcast: Broadcast) -> dict[str, Any]:
    return {"broadcast": broadcast.pk, "connector": broadcast.connector_id}


def _settle(cursor: Cursor[Any], broadcast_id: UUID, now: datetime) -> int:
    done = 0
    for is_pilot in (True, False):
        found = cursor.execute(_SETTLE, [broadcast_id, is_pilot, PIECE, now]).rowcount
        count(cursor, broadcast_id, is_pilot, Counter({BroadcastRecipient.Outcome.STOPPED.value: found}))
        done += found
    return done
