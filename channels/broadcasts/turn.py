"""The broadcasts' turn: each that has something to be done is brought on a little, whatever state it is in."""

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from channels.broadcasts import halt, pilot
from channels.broadcasts.enrol import enrol
from channels.broadcasts.make import make
from channels.broadcasts.states import ITSELF, NotThere, State, move
from channels.models import Broadcast
from customers.models import Segment
from customers.pg import raw_cursor
from customers.work import describe

logger = logging.getLogger(__name__)

# So long one broadcast is worked on before it is another's turn.
_STRETCH: Final = 2.0
_UNDER_WAY: Final = """
    SELECT id FROM channels_broadcast
    WHERE state IN ('scheduled', 'enrolling', 'pilot', 'waiting', 'sending')
      AND (state <> 'scheduled' OR begins_at <= %b)
       OR state = 'stopped' AND NOT is_cleared
"""
_PILOT_LEFT: Final = """
    SELECT EXISTS (
        SELECT 1 FROM channels_broadcastrecipient WHERE broadcast_id = %b AND is_pilot AND outcome = ''
    )
"""
_GONE: Final = frozenset((Segment.State.DRAFT, Segment.State.STOPPED, Segment.State.ARCHIVED))
SEGMENT_GONE: Final = "segment_gone"


def work(clock: Callable[[], datetime], seconds: float) -> bool:
    """Go round until nothing is to be done just now, or time is up; whether nothing is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        brought_on = [_brought_on(one, clock, until) for one in _under_way(clock())]
        if not any(brought_on):
            return True
    return False


def _under_way(now: datetime) -> list[UUID]:
    with raw_cursor() as cursor:
        found = [row[0] for row in cursor.execute(_UNDER_WAY, [now]).fetchall()]
    # In random order: workers spread over them.
    return random.sample(found, len(found))


def _brought_on(broadcast_id: UUID, clock: Callable[[], datetime], until: float) -> bool:
    """One broadcast's turn; what is wrong with it is nobody else's trouble."""
    end = min(until, time.monotonic() + _STRETCH)
    try:
        return bring_on(broadcast_id, clock, end)
    except NotThere:
        # Somebody moved it meanwhile.
        return True
    except Exception as error:
        logger.error("broadcast not brought on: %s", describe(error), extra={"broadcast_id": str(broadcast_id)})
        return False


def bring_on(broadcast_id: UUID, clock: Callable[[], datetime], until: float) -> bool:
    """Do what its state asks for; whether anything was done."""
    broadcast = Broadcast.objects.select_related("brand", "segment").get(pk=broadcast_id)
    now = clock()
    match broadcast.state:
        case State.SCHEDULED:
            return _begin(broadcast, now)
        case State.ENROLLING:
            return enrol(broadcast, now, until)
        case State.PILOT:
            return _write(broadcast, clock, until, is_pilot=True) or _end_pilot(broadcast, now)
        case State.WAITING:
            return pilot.decide(broadcast, now)
        case State.SENDING:
            return _write(broadcast, clock, until, is_pilot=False) or _end(broadcast, now)
        case State.STOPPED:
            return halt.clear(broadcast, now)
        case _:
            return False


def _begin(broadcast: Broadcast, now: datetime) -> bool:
    """Whoever is in the segment by now gets it; of a segment that is gone nobody does."""
    if broadcast.segment.state in _GONE:
        halt.stop(broadcast, ITSELF, now, why=SEGMENT_GONE)
        return True
    if broadcast.segment.state != Segment.State.LIVE or broadcast.begins_at is None or broadcast.begins_at > now:
        return False
    with transaction.atomic():
        move(broadcast.pk, State.ENROLLING, now, begins=(State.SCHEDULED,))
        Broadcast.objects.filter(pk=broadcast.pk).update(begun_at=now)
    return True


def _write(broadcast: Broadcast, clock: Callable[[], datetime], until: float, *, is_pilot: bool) -> bool:
    wrote = False
    while time.monotonic() < until and make(broadcast, clock(), is_pilot=is_pilot):
        wrote = True
    return wrote


def _end_pilot(broadcast: Broadcast, now: datetime) -> bool:
    """Begin to wait once all of the group came to their end."""
    with transaction.atomic(), raw_cursor() as cursor:
        # Nobody's unfinished batch is overlooked.
        cursor.execute("SELECT 1 FROM channels_broadcast WHERE id = %b FOR UPDATE", [broadcast.pk])
        [[is_left]] = cursor.execute(_PILOT_LEFT, [broadcast.pk]).fetchall()
        if is_left:
            return False
        move(broadcast.pk, State.WAITING, now, begins=(State.PILOT,))
        Broadcast.objects.filter(pk=broadcast.pk).update(pilot_over_at=now)
    return True


def _end(broadcast: Broadcast, now: datetime) -> bool:
    with transaction.atomic(), raw_cursor() as cursor:
        if halt.is_anything_left(cursor, broadcast):
            return False
        cursor.execute("SELECT 1 FROM channels_broadcast WHERE id = %b FOR UPDATE", [broadcast.pk])
        if halt.is_anything_left(cursor, broadcast):
            return False
        move(broadcast.pk, State.DONE, now, begins=(State.SENDING,))
    return True
