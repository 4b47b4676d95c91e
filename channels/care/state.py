"""The rows of care: read and written under one lock a connector, in a moment that no call is part of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from channels.care.allowance import Allowed, Bucket, allowed, filled, is_limited
from channels.care.breaker import Breaker
from channels.models import Connector, Reason
from channels.models.care import BreakerTurn, ConnectorState


@dataclass(frozen=True, slots=True)
class Leave:
    """What a worker may do now: `count` calls, or none before `until`, for the `reason` that messages then have."""

    count: int
    until: datetime | None = None
    reason: str = ""
    # The first after a rest: one message, to see.
    is_probe: bool = False
    # Something has gone wrong lately: what goes well is worth telling.
    is_shaken: bool = False
    # Of a connector without limits `count` says how many a batch has, and no more.
    is_limited: bool = False
    day: date | None = None


_LOOK_AGAIN: Final = timedelta(minutes=15)


def ask_leave(connector: Connector, now: datetime, wanted: int) -> Leave:
    """Take up to `wanted` calls from what the connector has left; what is not begun is given back (`give_back`)."""
    row = ConnectorState.objects.filter(pk=connector.pk).first()
    if row is None:
        if not is_limited(connector):
            return Leave(wanted)
        ConnectorState.objects.bulk_create([ConnectorState(connector=connector)], ignore_conflicts=True)
    elif breaker_of(row).is_open(now):
        return Leave(0, row.rests_until, Reason.CONNECTOR_RESTS)
    breaker = Breaker() if row is None else breaker_of(row)
    is_probe, is_shaken = breaker.is_probing(now), breaker != Breaker()
    wanted = 1 if is_probe else wanted
    if not is_limited(connector):
        return Leave(wanted, is_probe=is_probe, is_shaken=is_shaken)
    answer = _take(connector, now, wanted)
    if not answer.count and answer.by_day and answer.next_at is not None:
        # No longer than so, as others may give back what they had leave for, and somebody may raise the quota.
        return Leave(0, min(answer.next_at, now + _LOOK_AGAIN), Reason.QUOTA)
    if not answer.count:
        return Leave(0, answer.next_at)
    day = now.astimezone(ZoneInfo(connector.brand.zone)).date()
    return Leave(answer.count, is_probe=is_probe, is_shaken=is_shaken, is_limited=True, day=day)


def _take(connector: Connector, now: datetime, wanted: int) -> Allowed:
    zone = ZoneInfo(connector.brand.zone)
    with transaction.atomic():
        row = ConnectorState.objects.select_for_update().get(pk=connector.pk)
        bucket = filled(Bucket(row.tokens, row.tokens_at, row.day, row.begun), connector, zone, now)
        answer = allowed(bucket, connector, zone, now, wanted)
        _keep(row, bucket, answer.count)
    return answer


def give_back(connector: Connector, leave: Leave, begun: int, now: datetime) -> None:
    """Calls that were taken and not begun: messages that were refused before, or left for later."""
    count = leave.count - begun
    if count < 1 or not leave.is_limited:
        return
    zone = ZoneInfo(connector.brand.zone)
    with transaction.atomic():
        row = ConnectorState.objects.select_for_update().get(pk=connector.pk)
        bucket = filled(Bucket(row.tokens, row.tokens_at, row.day, row.begun), connector, zone, now)
        # Of a day that is over nothing comes back.
        _keep(row, bucket, -min(count, bucket.begun) if bucket.day == leave.day else 0)


def _keep(row: ConnectorState, bucket: Bucket, taken: int) -> None:
    row.tokens, row.tokens_at, row.day = max(bucket.tokens - taken, 0.0), bucket.at, bucket.day
    row.begun = bucket.begun + taken
    row.save(update_fields=("tokens", "tokens_at", "day", "begun"))


def breaker_of(row: ConnectorState) -> Breaker:
    return Breaker(row.failures, row.rests, row.rests_until, row.rest, row.detail)


def learn(connector_id: UUID, lesson: Callable[[Breaker], Breaker], now: datetime) -> Breaker:
    """Have the breaker learn from what happened; a turn of it is kept."""
    with transaction.atomic():
        ConnectorState.objects.bulk_create([ConnectorState(connector_id=connector_id)], ignore_conflicts=True)
        row = ConnectorState.objects.select_for_update().get(pk=connector_id)
        before = breaker_of(row)
        after = lesson(before)
        if after == before:
            return after
        row.failures, row.rests, row.rests_until = after.failures, after.rests, after.rests_until
        row.rest, row.detail = after.rest, after.detail
        row.save(update_fields=("failures", "rests", "rests_until", "rest", "detail"))
        _note_turn(connector_id, before, after, now)
    return after


def _note_turn(connector_id: UUID, before: Breaker, after: Breaker, now: datetime) -> None:
    if after.is_open(now) and after.rests_until != before.rests_until:
        turn, until = BreakerTurn.Turn.OPENED, after.rests_until
    elif before.rest and not after.rest:
        turn, until = BreakerTurn.Turn.CLOSED, None
    else:
        return
    BreakerTurn.objects.create(
        connector_id=connector_id, at=now, turn=turn, until=until, rest=after.rest, detail=after.detail
    )


def wake(connector_id: UUID, now: datetime) -> bool:
    """End a rest by hand; whether there was one."""
    state = ConnectorState.objects.filter(pk=connector_id).first()
    learn(connector_id, lambda _breaker: Breaker(), now)
    return state is not None and breaker_of(state).is_open(now)
